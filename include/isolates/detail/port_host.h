// PortHost: the isolate that a ReceivePort belongs to, as far as the port room knows it. The
// isolate room implements it; so ports need not know isolates, event loops or workers.

#ifndef ISOLATES_DETAIL_PORT_HOST_H_
#define ISOLATES_DETAIL_PORT_HOST_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "isolates/clock.h"
#include "isolates/detail/event_node.h"
#include "isolates/detail/instruments.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/ref.h"

namespace isolates::internal {

class PortCore;
class ProducerTable;

// The receiving end of something that other isolates send to. Closed by its isolate at the latest
// when that ends.
class HostedPort : public RefCounted {
 public:
  // The thread of the port's isolate.
  virtual void Close() noexcept = 0;
  // The same: it keeps its isolate alive now.
  virtual bool keeps_alive() const noexcept = 0;
  // The same: from now on its isolate is told of each message, where it looked by itself before.
  virtual void TellFromNowOn() noexcept {}
  // Any thread, for reports: "port 'orders'".
  virtual std::string Describe() const = 0;
  std::size_t index_in_host = 0;  // owned by PortHost
};

// What a wait is for, for reports: "a message on" with a port, "a result" without. Both live as
// long as the wait.
struct WaitSubject {
  const char* what;
  const HostedPort* port = nullptr;
  // Called with the wait's argument before the thread sleeps (true) and after it: from one to the
  // other, whoever makes `ready` hold must wake the host. Looked at once more in between.
  void (*sleeps)(const void* argument, bool sleeps) noexcept = nullptr;
};

class PortHost : public RefCounted, public MainHeapObject {
 public:
  // A number in creation order, never used twice.
  std::uint64_t id() const noexcept { return id_; }

  // Any thread: puts an event before the isolate and wakes it if it sleeps.
  virtual void Push(EventNode* node) noexcept = 0;
  // Any thread: makes the isolate look again at what it waits for.
  virtual void Wake() noexcept = 0;
  // The isolate's thread: puts an event at the end of what the isolate has to do anyway.
  virtual void Requeue(EventNode* node) noexcept = 0;
  // The isolate's thread: counts what keeps the isolate alive.
  virtual void AddKeepAlive(int change) noexcept = 0;
  // The isolate's thread: blocks until `ready(argument)` holds. False if the deadline passed first.
  virtual bool Wait(const WaitSubject& subject, bool (*ready)(const void*), const void* argument,
                    TimePoint deadline) = 0;
  // The isolate's thread: throws if the isolate has been told to end; handles what it was told.
  void CheckStop() {
    // relaxed - a later look suffices.
    if (interrupted_.load(std::memory_order_relaxed)) CheckStopNow();
  }
  // The isolate's thread: true while an event of the isolate is handled, so that waiting here keeps
  // all its other events waiting. False in the code of a plain thread that is an isolate too.
  virtual bool InTurn() const noexcept = 0;

  // True in a simulation: among senders between which no order is promised, Choose decides.
  virtual bool Chooses() const noexcept = 0;
  // The isolate's thread, if Chooses(): a number below `count`.
  virtual std::size_t Choose(std::size_t count) noexcept = 0;

  // The isolate's thread: whether a coroutine that has found a message may handle it at once; false
  // if this turn has done enough and others wait for the worker.
  bool MayGoOn() noexcept { return --credit_ > 0 && !AskedToEndTurn(); }

  // What the isolate counts.
  IsolateMeter& meter() noexcept { return meter_; }

  // The isolate's thread: the senders that this isolate has used, one for each port.
  ProducerTable& producers();

  // The isolate's thread: it may look at its ports by itself. False where each message must be
  // told: to a loop of the program, or in a simulation.
  virtual bool MayAttend() const noexcept = 0;
  // The isolate's thread, if MayAttend(): a port that somebody takes messages from, and that this
  // isolate looks at by itself until it has nothing else to do: its senders need not tell. False:
  // there are enough.
  bool Attend(PortCore& port) noexcept;

  // The isolate's thread: ports that are open, in no particular order.
  // Room for one more first: what throws must do so before there is a port.
  void ReservePort();
  void AddPort(HostedPort& port) noexcept;
  void RemovePort(HostedPort& port) noexcept;
  void CloseAllPorts() noexcept;

 protected:
  explicit PortHost(std::uint64_t id);
  ~PortHost() override;

  // The isolate's thread: puts those attended ports before the isolate that have something for it.
  void LookAtAttended() noexcept;
  // The isolate's thread, before it sleeps: attends to none any more. What came meanwhile is put
  // before it.
  void StopAttending() noexcept;
  bool attends() const noexcept { return attended_ != nullptr; }
  // The isolate's thread, when MayAttend() has become false.
  void TellFromNowOn() noexcept;

  virtual void CheckStopNow() = 0;
  // Any thread: CheckStop has something to look at.
  void Interrupt() noexcept {
    // release - pairs with ClearInterrupt: what it is to look at is there.
    interrupted_.store(true, std::memory_order_release);
  }
  // The isolate's thread, before it looks.
  void ClearInterrupt() noexcept {
    // acquire - pairs with Interrupt.
    interrupted_.exchange(false, std::memory_order_acquire);
  }

  // The isolate's thread: ports that have ended make room for others.
  void ForgetEnded() noexcept;

  // The thread that has the isolate: the ports that keep it alive.
  std::vector<std::string> DescribeKeepingPorts() const;

  // Gives up all senders of this isolate; their ports may reuse what they held.
  void DropProducers() noexcept;

  // The isolate's thread: others wait for its worker, and this turn has lasted or they are urgent.
  bool AskedToEndTurn() const noexcept {
    return end_turn_->load(std::memory_order_relaxed);  // relaxed - a hint; nothing is published
  }

  int credit_ = 0;  // events and messages that may still be handled in this turn
  // Of the thread that runs the isolate.
  const std::atomic<bool>* end_turn_ = &kNever;

 private:
  static inline constinit const std::atomic<bool> kNever{false};

  static constexpr int kMostAttended = 8;

  const std::uint64_t id_;
  [[no_unique_address]] IsolateMeter meter_;
  ProducerTable* producers_ = nullptr;  // made at the first send
  PortCore* attended_ = nullptr;        // a list of references; some may have gone
  int attended_count_ = 0;
  std::atomic<bool> interrupted_{false};
  std::vector<Ref<HostedPort>, MainAllocator<Ref<HostedPort>>> open_ports_;
};

// The isolate whose code runs on this thread, or nullptr on a plain thread. Set by the isolate
// room.
extern thread_local constinit PortHost* current_host;

// The same, but a plain thread becomes an isolate first (the calling thread is the main isolate of
// design section 6). Defined by the isolate room.
PortHost& AttachThisThread();

// The number of that isolate, or 0.
inline std::uint64_t CurrentHostId() noexcept {
  return current_host != nullptr ? current_host->id() : 0;
}

inline PortHost& RequireHost() {
  return current_host != nullptr ? *current_host : AttachThisThread();
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PORT_HOST_H_
