// Ports: the only way for isolates to communicate.
//
// A ReceivePort<T> belongs to the isolate that created it. Its SendPort<T>s are cheap values: copy
// them, compare them, send them to other isolates. Messages that one isolate (or one SendPort
// object on a plain thread) sends to a port arrive there in the order in which they were sent.
// Between senders no order is promised, and none between two ports.
//
// Memory order: what a sender did before Send is visible to the receiver when it has the message.

#ifndef ISOLATES_PORT_H_
#define ISOLATES_PORT_H_

#include <concepts>
#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "isolates/clock.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/parcel_destination.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/transfer_leaving.h"
#include "isolates/detail/transfer_moves.h"
#include "isolates/error.h"
#include "isolates/receipt.h"
#include "isolates/transfer.h"

namespace isolates {

enum class SendResult {
  kAccepted,  // the message will be received, or counted as a dead letter if the port closes first
  kClosed,    // the port is closed; the message stays with the sender, unchanged
};

// What SendWithReceipt returns.
struct SentMessage {
  SendResult result = SendResult::kClosed;
  Receipt receipt;
};

template <class T>
class ReceivePort;
template <class T>
class SendPort;

namespace internal {

// For what is built of ports: the port behind a handle, and a handle of it.
struct PortAccess {
  template <class T>
  static SendPort<T> MakeSendPort(Ref<PortCore> core) {
    return SendPort<T>(std::move(core));
  }
  template <class T>
  static const Ref<PortCore>& CoreOf(const SendPort<T>& port) noexcept {
    return port.sender_.port();
  }
  template <class T>
  static const Ref<PortCore>& CoreOf(const ReceivePort<T>& port) noexcept {
    return port.core_;
  }
};

}  // namespace internal

// The sending end. One thread at a time may use one SendPort object; copies are independent. Works
// in isolates and on plain threads.
template <class T>
class SendPort {
 public:
  using Message = T;

  // Connected to nothing: Send throws StateError until a connected port is assigned.
  SendPort() = default;

  // Moves the message to the receiver. Only the object itself is moved; what it points to stays
  // where it is, so the cost does not depend on its size. Never blocks. Throws TransferError (the
  // message may not be sent; it is unchanged, except for what was moved of a type whose move copies
  // some of its members), StateError (no port).
  SendResult Send(T&& message, VerifyLevel level = VerifyLevel::kDefault) const {
    Check(message, level);
    return Deliver(message, level);
  }

  // The same, and tells what went along and how that was proven. For an ordinary message this costs
  // a walk over all that it owns, which Send can often spare; a parcel brings its receipt.
  SentMessage SendWithReceipt(T&& message, VerifyLevel level = VerifyLevel::kDefault) const {
    const Receipt receipt = internal::VerifyWithReceipt(message, "message", level);
    internal::MarkLeaving(message);
    return {Deliver(message, level), receipt};
  }

  // Sends a copy. The copy is what is verified: what it shares with the original would stay behind.
  SendResult Send(const T& message, VerifyLevel level = VerifyLevel::kDefault) const
    requires std::copy_constructible<T>
  {
    if (sender_.closed()) return SendResult::kClosed;
    T copy(message);
    return Send(std::move(copy), level);
  }

  // True if Send would say kClosed. A port that is open may close at any moment.
  bool closed() const { return sender_.closed(); }

  // Same port? Kept when the SendPort is sent.
  friend bool operator==(const SendPort& a, const SendPort& b) noexcept {
    return a.sender_.port() == b.sender_.port();
  }
  // A number that is the same for all SendPorts of a port, and never used again; 0 without a port.
  std::uint64_t id() const noexcept { return sender_.port() ? sender_.port()->id() : 0; }

 private:
  friend class ReceivePort<T>;
  friend struct internal::PortAccess;
  template <class>
  friend class RawReceivePort;

  explicit SendPort(internal::Ref<internal::PortCore> core) : sender_(std::move(core)) {}

  static void Check(const T& message, VerifyLevel level) {
    internal::RequireTransferable<T>();
    internal::VerifyForSend(message, "message", level);
    internal::MarkLeaving(message);
  }
  SendResult Deliver(T& message, VerifyLevel level) const {
    if (sender_.closed()) return SendResult::kClosed;
    const internal::HandOverTo to("port", sender_.port()->debug_name(), id());
    auto envelope = std::make_unique<internal::TypedEnvelope<T>>(std::move(message));
    internal::VerifyMoved(envelope->message.peek(), "message", level);
    try {
      if (sender_.Send(envelope.get())) {
        envelope.release();
        return SendResult::kAccepted;
      }
    } catch (...) {
      GiveBack(*envelope, message);
      throw;
    }
    GiveBack(*envelope, message);
    return SendResult::kClosed;
  }
  static void GiveBack(internal::TypedEnvelope<T>& from, T& to) {
    std::destroy_at(&to);
    std::construct_at(&to, std::move(from.message.Arrive()));
  }

  internal::SenderHandle sender_;
};

namespace internal {

// Calls `function(message)` or, if it wants to see the port, `function(port, message)`.
template <class T, class Function>
class TypedHandler final : public MessageHandler {
 public:
  explicit TypedHandler(Function function)
      : function_(std::make_shared<Function>(std::move(function))) {}
  void Handle(PortCore& port, std::unique_ptr<Envelope> envelope) override;

 private:
  // What a listener is called with. (A port view may be made by this class only.)
  struct MessageOnly {
    T message;
    decltype(auto) Call(Function& function) { return std::invoke(function, std::move(message)); }
  };
  struct PortAndMessage {
    ReceivePort<T> port;
    T message;
    decltype(auto) Call(Function& function) {
      return std::invoke(function, port, std::move(message));
    }
  };

  // A message that was taken out of the port. If it does not get to the listener (no memory, a move
  // that throws), it is a dead letter.
  struct Taken {
    bool received = false;
    ~Taken() {
      if (!received) CountDeadLetter();
    }
  };

  // A listener may be a coroutine: its result is finished by whoever defines it (FinishListener,
  // found by argument-dependent lookup), which says when it begins. Captures, port and message live
  // until it ends: it may refer to them.
  template <class Arguments>
  void Call(Arguments arguments, Taken& taken) {
    using Result = decltype(arguments.Call(*function_));
    if constexpr (requires(Result result) {
                    FinishListener(std::move(result), function_, taken.received);
                  }) {
      using Kept = std::pair<std::shared_ptr<Function>, Arguments>;
      auto kept = std::make_shared<Kept>(function_, std::move(arguments));
      Result result = kept->second.Call(*kept->first);
      FinishListener(std::move(result), std::move(kept), taken.received);
    } else {
      static_assert(std::is_void_v<Result>, "isolates: a listener returns void or Task<void>");
      taken.received = true;
      arguments.Call(*function_);
    }
  }

  std::shared_ptr<Function> function_;
};

template <class T>
class ReceiveAwaiter {
 public:
  explicit ReceiveAwaiter(Ref<PortCore> port) : port_(std::move(port)) {}
  ReceiveAwaiter(const ReceiveAwaiter&) = delete;
  ReceiveAwaiter& operator=(const ReceiveAwaiter&) = delete;
  ~ReceiveAwaiter() {
    if (waiting_) port_->ClearWaiter();  // the coroutine is destroyed while it waits
  }

  bool await_ready() {
    port_->CheckOwner();
    port_->host().CheckStop();
    return port_->closed() || (port_->HasMessage() && port_->host().MayGoOn());
  }
  void await_suspend(std::coroutine_handle<> waiter) {
    port_->SetWaiter(waiter);
    waiting_ = true;
  }
  std::optional<T> await_resume() {
    waiting_ = false;
    port_->host().CheckStop();
    return Open(port_->TryReceive());
  }

  static std::optional<T> Open(std::unique_ptr<Envelope> envelope) {
    if (envelope == nullptr) return std::nullopt;
    return std::move(static_cast<TypedEnvelope<T>&>(*envelope).message.Arrive());
  }
  const Ref<PortCore>& port() const noexcept { return port_; }

 private:
  Ref<PortCore> port_;
  bool waiting_ = false;
};

}  // namespace internal

// A port underneath: RawReceivePort and ReceivePort share all but the way messages are taken.
// Everything here may be called only in the isolate that created the port (else: StateError),
// except the destructor of a port that is closed. A port closes when its object is destroyed.
template <class T>
class PortBase {
 public:
  using Message = T;

  PortBase(PortBase&& other) noexcept
      : core_(std::move(other.core_)), owns_(std::exchange(other.owns_, false)) {}
  PortBase& operator=(PortBase&& other) noexcept {
    if (this != &other) {
      CloseIfOwned();
      core_ = std::move(other.core_);
      owns_ = std::exchange(other.owns_, false);
    }
    return *this;
  }
  ~PortBase() { CloseIfOwned(); }

  // A port cannot be sent.
  using IsolatesUnsendable = void;
  static constexpr std::string_view kIsolatesRemedy =
      "keep it in its isolate and send its SendPort";

  // Refuses further messages. Those that wait are destroyed and counted as dead letters.
  void Close() {
    if (core_ == nullptr || core_->closed()) return;
    core_->CheckOwner();
    core_->Close();
  }
  bool is_open() const noexcept { return core_ != nullptr && !core_->closed(); }
  const std::string& debug_name() const noexcept { return core_->debug_name(); }

  // Whether the isolate stays alive while this port is open and listened to. True unless set.
  bool keep_isolate_alive() const noexcept { return core_->keep_alive(); }
  void set_keep_isolate_alive(bool keep_alive) {
    core_->CheckOwner();
    core_->set_keep_alive(keep_alive);
  }

 protected:
  friend struct internal::PortAccess;

  explicit PortBase(internal::Ref<internal::PortCore> core, bool owns) noexcept
      : core_(std::move(core)), owns_(owns) {}

  void CloseIfOwned() noexcept {
    if (!owns_ || core_ == nullptr || core_->closed()) return;
    ISOLATES_CHECK(internal::current_host == &core_->host(),
                   "an open ReceivePort was destroyed outside of its isolate");
    core_->Close();
  }
  template <class Function>
  void SetFunction(Function function) {
    core_->CheckOwner();
    core_->SetHandler(std::make_unique<internal::TypedHandler<T, Function>>(std::move(function)));
  }

  internal::Ref<internal::PortCore> core_;
  bool owns_ = false;
};

// A port that gives each message to a handler, which may be set and replaced at any time. Unlike
// Dart's, messages that arrive before a handler is set wait for it.
template <class T>
class RawReceivePort : public PortBase<T> {
 public:
  explicit RawReceivePort(std::string_view debug_name = {})
      : PortBase<T>(internal::PortCore::Create(debug_name), true) {}

  SendPort<T> send_port() const { return SendPort<T>(this->core_); }

  // Called with each message, in a turn of the isolate: handler(T) or handler(ReceivePort<T>&, T).
  template <class Handler>
  void set_handler(Handler handler) {
    this->SetFunction(std::move(handler));
  }
  // Messages wait again.
  void clear_handler() {
    this->core_->CheckOwner();
    this->core_->SetHandler(nullptr);
  }

 private:
  friend class ReceivePort<T>;
};

// A finite sequence of messages, which ends when the port closes. Messages are taken either by one
// listener or by receiving them, not both.
template <class T>
class ReceivePort : public PortBase<T> {
 public:
  explicit ReceivePort(std::string_view debug_name = {})
      : PortBase<T>(internal::PortCore::Create(debug_name), true) {}

  // Goes on with the port of a raw one: same SendPorts, no message lost. Its handler is gone.
  // (Dart's ReceivePort.fromRawReceivePort.)
  explicit ReceivePort(RawReceivePort<T>&& raw) : PortBase<T>(std::move(raw)) {
    this->core_->CheckOwner();
    this->core_->SetHandler(nullptr);
  }

  SendPort<T> send_port() const { return SendPort<T>(this->core_); }

  // Calls listener(T), or listener(ReceivePort<T>&, T), with each message, one at a time, in turns
  // of this isolate. A port that listens keeps its isolate alive. An exception of the listener is
  // an uncaught error of the isolate. Throws StateError if the port is listened to already.
  template <class Listener>
  void Listen(Listener listener) & {
    RequireNoListener();
    this->SetFunction(std::move(listener));
  }
  // The same, and the isolate takes over the port: it stays open until it is closed (by the
  // listener: port.Close()) or the isolate ends.
  template <class Listener>
  void Listen(Listener listener) && {
    RequireNoListener();
    this->owns_ = false;
    this->SetFunction(std::move(listener));
  }

  // co_await port.Receive(): the next message, or nothing once the port is closed.
  [[nodiscard]] internal::ReceiveAwaiter<T> Receive() {
    RequireNoListener();
    return internal::ReceiveAwaiter<T>(this->core_);
  }

  // Blocks the calling thread until a message is there (returned), the port is closed (nothing), or
  // the time is over (TimeoutError; kForever: never). Not for coroutines: they would block their
  // whole isolate.
  [[nodiscard]] std::optional<T> Receive(Duration timeout) {
    RequireNoListener();
    if (!this->core_->WaitForMessage(DeadlineAfter(timeout))) {
      throw TimeoutError("no message arrived in time");
    }
    return TryReceive();
  }

  // A message that is there now, or nothing.
  [[nodiscard]] std::optional<T> TryReceive() {
    this->core_->CheckOwner();
    this->core_->host().CheckStop();
    return internal::ReceiveAwaiter<T>::Open(this->core_->TryReceive());
  }

 private:
  template <class, class>
  friend class internal::TypedHandler;

  struct View {};
  ReceivePort(View, internal::Ref<internal::PortCore> core) : PortBase<T>(std::move(core), false) {}

  void RequireNoListener() const {
    this->core_->CheckOwner();
    this->core_->host().CheckStop();
    if (this->core_->taken()) throw StateError("this port is listened to already");
  }
};

template <class T, class Function>
void internal::TypedHandler<T, Function>::Handle(PortCore& port,
                                                 std::unique_ptr<Envelope> envelope) {
  Taken taken;
  T message = std::move(static_cast<TypedEnvelope<T>&>(*envelope).message.Arrive());
  envelope = nullptr;
  if constexpr (std::invocable<Function&, ReceivePort<T>&, T>) {
    ReceivePort<T> view(typename ReceivePort<T>::View{}, Ref<PortCore>(&port));
    Call(PortAndMessage{std::move(view), std::move(message)}, taken);
  } else {
    static_assert(
        std::invocable<Function&, T>,
        "isolates: a listener is called with the message, or with the port and the message");
    Call(MessageOnly{std::move(message)}, taken);
  }
}

// A SendPort may be part of any message. It holds no block of any isolate's heap, but its
// destructor does more than free memory.
template <class T>
struct TransferTraits<SendPort<T>> : internal::HandleTraits {};

}  // namespace isolates

template <class T>
struct std::hash<isolates::SendPort<T>> {
  std::size_t operator()(const isolates::SendPort<T>& port) const noexcept {
    return std::hash<std::uint64_t>()(port.id());
  }
};

#endif  // ISOLATES_PORT_H_
