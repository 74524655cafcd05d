// What a ReceivePort is underneath its typed handle: one mailbox, and who takes its messages.

#ifndef ISOLATES_DETAIL_PORT_CORE_H_
#define ISOLATES_DETAIL_PORT_CORE_H_

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>

#include "isolates/detail/event_node.h"
#include "isolates/detail/instruments.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_envelope.h"
#include "isolates/detail/port_host.h"
#include "isolates/detail/probe.h"
#include "isolates/detail/ref.h"
#include "isolates/port_options.h"

namespace isolates::internal {

// A listener, erased to one type.
class MessageHandler {
 public:
  virtual ~MessageHandler() = default;
  // `last`: no further message follows in this event.
  virtual void Handle(PortCore& port, ReceivedMessage received, bool last) = 0;
  // It wants as many messages in one event as may be.
  virtual bool takes_batches() const noexcept = 0;

  std::unique_ptr<MessageHandler> next_retired;  // of its port's list
};

struct PortMailbox;
struct PortBounds;
class PortLanes;
enum class MailboxDuty : int;

class PortCore final : public HostedPort, public MainHeapObject, public EventNode {
 public:
  // The port belongs to the isolate that runs on this thread; a plain thread becomes one. Throws
  // StateError if the options do not fit each other.
  static Ref<PortCore> Create(const PortOptions& options, const MessageType& type);

  std::uint64_t id() const noexcept { return id_; }
  std::string_view debug_name() const noexcept {
    return debug_name_ != nullptr ? std::string_view(*debug_name_) : std::string_view();
  }
  PortHost& host() const noexcept { return *host_; }

  // --- any thread
  // ---------------------------------------------------------------------------------
  // Sends are refused.
  bool closed() const noexcept;
  PortCounters counters() const noexcept;
  bool counts_bytes() const noexcept;
  void AddSender() noexcept;
  void DropSender() noexcept;

  // --- the thread of the port's isolate
  // ----------------------------------------------------------- Throws StateError unless the caller
  // runs in the port's isolate.
  void CheckOwner() const {
    if (current_host != host_.get()) ThrowNotOwner();
  }
  // The oldest message, or none if no accepted message was there at some moment during the call.
  ReceivedMessage TryReceive() noexcept {
    if (void* const message = TakeFromHotLane()) return {*this, *hot_lane_, message};
    return TryReceiveAnywhere();
  }
  bool HasMessage() const noexcept;
  // No message is there and none will ever be.
  bool ended() const noexcept {
    return ended_.load(std::memory_order_acquire);  // acquire - pairs with End
  }
  // TryReceive finds a message, or the end.
  bool Ready() const noexcept;
  // Refuses further messages. Those that were accepted are destroyed and counted as dead letters.
  void Close() noexcept override;
  // As the port's ClosePolicy says.
  void CloseByPolicy() noexcept;
  void SetHandler(std::unique_ptr<MessageHandler> handler);
  // Somebody takes the messages already: a handler, or a coroutine that waits.
  bool taken() const noexcept { return handler_ != nullptr || waiter_; }
  // The coroutine to resume when a message arrives or the port ends.
  void SetWaiter(std::coroutine_handle<> waiter);
  void ClearWaiter() noexcept;
  // True if one arrived or the port has ended; false at the deadline.
  bool WaitForMessage(TimePoint deadline);
  // While set, a message that arrives wakes an isolate that sleeps in PortHost::Wait. Messages that
  // came before are seen by a look after it.
  void SetAwaited(bool awaited) noexcept;
  bool keep_alive() const noexcept { return keep_alive_; }
  bool keeps_alive() const noexcept override { return counted_; }
  void TellFromNowOn() noexcept override;
  std::string Describe() const override;
  void set_keep_alive(bool keep_alive) noexcept;
  // The message was taken out: frees the envelope, and keeps its block for the senders.
  void Recycle(Envelope* envelope) noexcept;
  const MessageType& type() const noexcept { return type_; }
  // Senders that have a lane of their own, for tests.
  int lane_count() const noexcept;

  // EventNode
  void OnEvent() override;
  void OnDiscard() noexcept override;

 private:
  friend class Departure;
  friend class SenderHandle;
  friend class PortHost;
  friend class ProducerTable;

  // Who makes sure that a message is noticed, while the port is not in a list of events.
  enum class Attention : std::uint8_t {
    kSenders,  // whoever sends puts the port before its isolate, unless it is there
    kOwner,    // the isolate looks at the port before it sleeps, or nobody takes messages
  };

  PortCore(PortHost& host, const PortOptions& options, const MessageType& type);
  ~PortCore() override;
  [[noreturn]] static void ThrowNotOwner();
  void UpdateKeepAlive() noexcept;
  void RetireHandler() noexcept;
  // Puts the port before its isolate unless it is there already.
  void List() noexcept;
  // Somebody takes messages from now on.
  void BeginToTake() noexcept;
  // Who notices the next message, after an event or when somebody begins to take messages.
  void SettleAttention() noexcept;
  // The senders, from now on. True: a heavy barrier must follow before the port is looked at again.
  bool LeaveToSenders() noexcept;
  // The lane that this message opens, if it does.
  void OpenLane(Envelope& opener) noexcept;
  // Sends are refused from here on; what was accepted is there, or will be for Settle.
  void Refuse() noexcept;
  void* TakeFromHotLane() noexcept {
    if (hot_credit_ <= 0) return nullptr;
    void* const message = hot_lane_->lane.Take();
    if (message == nullptr) return nullptr;
    --hot_credit_;
    CountReceived();
    return message;
  }
  ReceivedMessage TryReceiveAnywhere() noexcept;
  ReceivedMessage TakeFromLanes(int share) noexcept;
  void CountReceived() noexcept {
    received_.store(received_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    ISOLATES_PROBE1(receive, id_);
  }
  bool LanesEmpty() const noexcept;
  std::uint64_t QueueLength() const noexcept;
  // What has been received so far is written down. True: there was something.
  bool MeterReceived() noexcept {
    return meter_.WriteReceived(host_->meter(), received_.load(std::memory_order_relaxed));
  }
  void DropAbandoned(PortLanes& lanes) noexcept;
  // Any thread: the owner has something to look at.
  void Announce() noexcept;
  void Perform(MailboxDuty duty) noexcept;
  Envelope* Dequeue() noexcept;
  Envelope* DequeueAlone() noexcept;  // nobody else dequeues now
  bool SendersGone() const noexcept;
  void Drain() noexcept;
  void EndIfDrained() noexcept;
  void End() noexcept;
  void HandleMessages();

  const std::uint64_t id_;
  const Ref<PortHost> host_;
  const MessageType& type_;
  const std::unique_ptr<const std::string> debug_name_;  // none: nullptr
  const ClosePolicy on_close_;
  const bool counts_senders_;
  const std::unique_ptr<PortMailbox> mailbox_;
  const std::unique_ptr<PortBounds> bounds_;  // of a bounded port

  // Counters, each written by one thread or rarely. relaxed - nothing is published by them.
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> dead_letters_{0};
  std::atomic<std::uint64_t> refused_closed_{0};

  // Owner only from here on.
  SenderLane* hot_lane_ = nullptr;  // where the last message came from
  int hot_credit_ = 0;  // messages that may be taken there before others have their turn
  PortCore* next_attended_ = nullptr;  // of the host's list
  Attention attention_ = Attention::kSenders;
  bool in_attended_ = false;
  bool handling_event_ = false;
  std::unique_ptr<MessageHandler> handler_;
  std::unique_ptr<MessageHandler> retired_handlers_;  // replaced while they ran
  std::coroutine_handle<> waiter_;
  int handling_ = 0;  // calls of handlers that run now, one inside the other
  bool keep_alive_ = true;
  bool counted_ = false;  // counted by the host as keeping it alive
  bool draining_ = false;
  std::atomic<bool> ended_{false};  // written by the owner
  [[no_unique_address]] PortMeter meter_;
};

inline ReceivedMessage::~ReceivedMessage() {
  if (port_ == nullptr) return;
  if (message_ == nullptr) {
    port_->Recycle(envelope_);
  } else {
    port_->type().destroy(message_);
    lane_->lane.Taken();
  }
}

// Destroys a message that nobody will receive, and counts it. Its destructor is user code and must
// not throw.
void DestroyDeadLetter(Envelope* envelope) noexcept;
// Messages that were accepted and never received, in the whole process so far.
std::uint64_t DeadLetterCount() noexcept;
// Counts one that had no envelope any more.
void CountDeadLetter() noexcept;
// Counts one that never had one, Exit's message, and calls the program's handler.
void CountDeadLetter(const PortCore& port, const std::type_info& type) noexcept;

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PORT_CORE_H_
