// What a port is underneath its typed handles: one mailbox, its receiver, and the senders' side.

#ifndef ISOLATES_DETAIL_PORT_CORE_H_
#define ISOLATES_DETAIL_PORT_CORE_H_

#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "isolates/detail/event_node.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/parcel_transit.h"
#include "isolates/detail/port_host.h"
#include "isolates/detail/ref.h"

namespace isolates::internal {

// A message on its way. Envelopes live in the main heap; what the value points to stays where it
// is.
class Envelope : public MainHeapObject {
 public:
  Envelope() = default;
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;
  virtual ~Envelope() = default;
};

template <class T>
class TypedEnvelope final : public Envelope {
 public:
  template <class U>
  explicit TypedEnvelope(U&& from) : message(std::forward<U>(from)) {}
  InTransit<T> message;
};

class PortCore;

// A listener, erased to one type. Takes over the envelope.
class MessageHandler {
 public:
  virtual ~MessageHandler() = default;
  virtual void Handle(PortCore& port, std::unique_ptr<Envelope> envelope) = 0;
};

class PortMailbox;
class Producer;

class PortCore final : public HostedPort, public MainHeapObject, public EventNode {
 public:
  // The port belongs to the isolate that runs on this thread; a plain thread becomes one.
  static Ref<PortCore> Create(std::string_view debug_name);

  std::uint64_t id() const noexcept { return id_; }
  const std::string& debug_name() const noexcept { return debug_name_; }
  PortHost& host() const noexcept { return *host_; }

  // --- any thread
  // ---------------------------------------------------------------------------------
  bool closed() const noexcept;

  // --- the thread of the port's isolate
  // ----------------------------------------------------------- Throws StateError unless the caller
  // runs in the port's isolate.
  void CheckOwner() const;
  // The oldest message, or nullptr if no accepted message was there at some moment during the call.
  std::unique_ptr<Envelope> TryReceive() noexcept;
  bool HasMessage() const noexcept;
  // Messages that were accepted and not received are destroyed here and counted as dead letters.
  void Close() noexcept override;
  void SetHandler(std::unique_ptr<MessageHandler> handler);
  // Somebody takes the messages already: a handler, or a coroutine that waits.
  bool taken() const noexcept { return handler_ != nullptr || waiter_; }
  // The coroutine to resume when a message arrives or the port closes.
  void SetWaiter(std::coroutine_handle<> waiter);
  void ClearWaiter() noexcept;
  // True if one arrived or the port is closed; false at the deadline.
  bool WaitForMessage(TimePoint deadline);
  // While set, a message that arrives wakes an isolate that sleeps in PortHost::Wait.
  void SetAwaited() noexcept;
  void ClearAwaited() noexcept;
  bool keep_alive() const noexcept { return keep_alive_; }
  bool keeps_alive() const noexcept override { return counted_; }
  std::string Describe() const override;
  void set_keep_alive(bool keep_alive) noexcept;

  // EventNode
  void OnEvent() override;
  void OnDiscard() noexcept override;

  PortMailbox& mailbox() noexcept { return *mailbox_; }

 private:
  friend class SenderHandle;

  PortCore(PortHost& host, std::string_view debug_name);
  ~PortCore() override;
  void UpdateKeepAlive() noexcept;
  // Puts the port before its isolate unless it is there already.
  void List() noexcept;

  const std::uint64_t id_;
  const Ref<PortHost> host_;
  const std::string debug_name_;
  const std::unique_ptr<PortMailbox> mailbox_;

  // Owner only from here on.
  std::unique_ptr<MessageHandler> handler_;
  std::unique_ptr<MessageHandler> retired_handler_;  // replaced while it ran
  std::coroutine_handle<> waiter_;
  bool handling_ = false;
  bool keep_alive_ = true;
  bool counted_ = false;  // counted by the host as keeping it alive
};

// The sending side that one SendPort object holds. Copies share the port, not the sender.
class SenderHandle {
 public:
  SenderHandle() = default;
  explicit SenderHandle(Ref<PortCore> port) noexcept : port_(std::move(port)) {}
  SenderHandle(const SenderHandle& other) noexcept : port_(other.port_) {}
  SenderHandle(SenderHandle&& other) noexcept;
  SenderHandle& operator=(SenderHandle other) noexcept;
  ~SenderHandle();

  const Ref<PortCore>& port() const noexcept { return port_; }

  // True: the port has taken over the envelope. False: the port is closed, the envelope stays with
  // the caller. Throws std::bad_alloc (the envelope stays too), or StateError if there is no port
  // at all.
  bool Send(Envelope* envelope) const;
  // A look beforehand, to save the construction of an envelope. Throws StateError if there is no
  // port.
  bool closed() const;

 private:
  struct OwnSender;  // the sender of a plain thread
  Producer& ProducerOfThisThread() const;

  Ref<PortCore> port_;
  // Which isolate the cached producer belongs to (0: none). Used by one thread at a time.
  mutable std::uint64_t cached_host_ = 0;
  mutable Producer* cached_ = nullptr;
  mutable OwnSender* own_ = nullptr;
};

// Destroys what was accepted and nobody will receive. Its destructor is user code and must not
// throw.
void DestroyDeadLetter(Envelope* envelope) noexcept;
// Messages that were accepted and never received, in the whole process so far.
std::uint64_t DeadLetterCount() noexcept;
// Counts one that had no envelope: Exit's message, whose port closed meanwhile.
void CountDeadLetter() noexcept;

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PORT_CORE_H_
