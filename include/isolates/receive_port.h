// ReceivePort: the receiving end of a port. See port.h.

#ifndef ISOLATES_RECEIVE_PORT_H_
#define ISOLATES_RECEIVE_PORT_H_

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "isolates/clock.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/port_envelope.h"
#include "isolates/detail/ref.h"
#include "isolates/error.h"
#include "isolates/port_options.h"
#include "isolates/send_port.h"

namespace isolates {

namespace internal {

// A message that was taken out of the port. If it does not get to the listener (no memory, a move
// that throws), it is a dead letter.
struct TakenMessage {
  bool received = false;
  ~TakenMessage() {
    if (!received) CountDeadLetter();
  }
};

// Calls `function(message)` or, if it wants to see the port, `function(port, message)`.
template <class T, class Function>
class TypedHandler final : public MessageHandler {
 public:
  explicit TypedHandler(Function function)
      : function_(std::make_shared<Function>(std::move(function))) {}
  void Handle(PortCore& port, ReceivedMessage received, bool last) override;
  bool takes_batches() const noexcept override { return false; }

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

  // A listener may be a coroutine: its result is finished by whoever defines it (FinishListener,
  // found by argument-dependent lookup), which says when it begins. Captures, port and message live
  // until it ends: it may refer to them.
  template <class Arguments>
  void Call(Arguments arguments, TakenMessage& taken) {
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

// Calls `function(message, end_of_batch)`.
template <class T, class Function>
class BatchHandler final : public MessageHandler {
 public:
  explicit BatchHandler(Function function) : function_(std::move(function)) {}
  void Handle(PortCore&, ReceivedMessage received, bool last) override {
    TakenMessage taken;
    T message = std::move(received).template Take<T>();
    taken.received = true;
    std::invoke(function_, std::move(message), last);
  }
  bool takes_batches() const noexcept override { return true; }

 private:
  Function function_;
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
    return port_->ended() || (port_->Ready() && port_->host().MayGoOn());
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

  static std::optional<T> Open(ReceivedMessage received) {
    if (!received) return std::nullopt;
    return std::move(received).template Take<T>();
  }
  const Ref<PortCore>& port() const noexcept { return port_; }

 private:
  Ref<PortCore> port_;
  bool waiting_ = false;
};

}  // namespace internal

// A port underneath: RawReceivePort and ReceivePort share all but the way messages are taken.
// Everything here may be called only in the isolate that created the port (else: StateError),
// except the destructor of a port that has ended. A port closes when its object is destroyed. An
// object that was moved from has no port: it is closed, and everything else throws StateError.
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

  // Refuses further messages. Those that were accepted are destroyed and counted as dead letters;
  // or they are received first, if the port's ClosePolicy is kDrain. Of a port that drains already:
  // drops the rest now.
  void Close() {
    if (core_ == nullptr || core_->ended()) return;
    core_->CheckOwner();
    if (core_->closed()) {
      core_->Close();
    } else {
      core_->CloseByPolicy();
    }
  }
  // Messages are accepted.
  bool is_open() const noexcept { return core_ != nullptr && !core_->closed(); }
  // No message is there and none will ever be: the port has closed and, if it drains, is empty.
  bool ended() const noexcept { return core_ == nullptr || core_->ended(); }
  // What has become of the messages. Any thread.
  PortCounters counters() const { return RequireCore().counters(); }
  // As long as the port is there.
  std::string_view debug_name() const { return RequireCore().debug_name(); }

  // Whether the isolate stays alive while this port is open and listened to. True unless set.
  bool keep_isolate_alive() const { return RequireOwned().keep_alive(); }
  void set_keep_isolate_alive(bool keep_alive) { RequireOwned().set_keep_alive(keep_alive); }

 protected:
  friend struct internal::PortAccess;

  explicit PortBase(internal::Ref<internal::PortCore> core, bool owns) noexcept
      : core_(std::move(core)), owns_(owns) {}

  internal::PortCore& RequireCore() const {
    if (core_ == nullptr) throw StateError("this ReceivePort was moved from");
    return *core_;
  }
  internal::PortCore& RequireOwned() const {
    RequireCore().CheckOwner();
    return *core_;
  }
  void CloseIfOwned() noexcept {
    if (!owns_ || core_ == nullptr || core_->ended()) return;
    ISOLATES_CHECK(internal::current_host == &core_->host(),
                   "an open ReceivePort was destroyed outside of its isolate");
    core_->Close();
  }
  template <class Function>
  void SetFunction(Function function) {
    RequireOwned().SetHandler(
        std::make_unique<internal::TypedHandler<T, Function>>(std::move(function)));
  }
  static PortOptions Named(std::string_view debug_name) {
    return PortOptions().DebugName(debug_name);
  }

  internal::Ref<internal::PortCore> core_;
  bool owns_ = false;
};

// A port that gives each message to a handler, which may be set and replaced at any time. Unlike
// Dart's, messages that arrive before a handler is set wait for it.
template <class T>
class RawReceivePort : public PortBase<T> {
 public:
  // A new port of the calling isolate; a plain thread becomes one.
  explicit RawReceivePort(std::string_view debug_name = {})
      : RawReceivePort(PortBase<T>::Named(debug_name)) {}
  explicit RawReceivePort(const PortOptions& options)
      : PortBase<T>(internal::PortCore::Create(options, internal::kMessageType<T>), true) {}

  SendPort<T> send_port() const {
    this->RequireOwned();
    return SendPort<T>(this->core_);
  }

  // Called with each message, in a turn of the isolate: handler(T) or handler(ReceivePort<T>&, T).
  template <class Handler>
  void set_handler(Handler handler) {
    this->SetFunction(std::move(handler));
  }
  // Messages wait again.
  void clear_handler() { this->RequireOwned().SetHandler(nullptr); }

 private:
  friend class ReceivePort<T>;
};

// A finite sequence of messages, which ends when the port closes. Messages are taken either by one
// listener or by receiving them, not both.
template <class T>
class ReceivePort : public PortBase<T> {
 public:
  // A new port of the calling isolate; a plain thread becomes one.
  explicit ReceivePort(std::string_view debug_name = {})
      : ReceivePort(PortBase<T>::Named(debug_name)) {}
  // Throws StateError if the options do not fit each other.
  explicit ReceivePort(const PortOptions& options)
      : PortBase<T>(internal::PortCore::Create(options, internal::kMessageType<T>), true) {}

  // Goes on with the port of a raw one: same SendPorts, no message lost. Its handler is gone.
  // (Dart's ReceivePort.fromRawReceivePort.)
  explicit ReceivePort(RawReceivePort<T>&& raw) : PortBase<T>(std::move(raw)) {
    this->RequireOwned().SetHandler(nullptr);
  }

  SendPort<T> send_port() const {
    this->RequireOwned();
    return SendPort<T>(this->core_);
  }

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
    this->SetFunction(std::move(listener));
    this->owns_ = false;
  }

  // Calls listener(T, bool end_of_batch) with each message, many in one turn if they are there;
  // end_of_batch: nothing more is there for now, or others want to go on. For work that is cheaper
  // for many at once (a write, a flush). The last of a batch comes without it if the listener
  // closes the port or throws: then nothing, or the rest in another batch, follows. The listener is
  // an ordinary function. Else as Listen.
  template <std::invocable<T, bool> Listener>
  void ListenBatch(Listener listener) & {
    RequireNoListener();
    static_assert(std::is_void_v<std::invoke_result_t<Listener&, T, bool>>,
                  "isolates: a listener of batches returns void");
    this->core_->SetHandler(
        std::make_unique<internal::BatchHandler<T, Listener>>(std::move(listener)));
  }
  template <std::invocable<T, bool> Listener>
  void ListenBatch(Listener listener) && {
    ListenBatch(std::move(listener));
    this->owns_ = false;
  }

  // co_await port.Receive(): the next message, or nothing once the port has ended.
  [[nodiscard]] internal::ReceiveAwaiter<T> Receive() {
    RequireNoListener();
    return internal::ReceiveAwaiter<T>(this->core_);
  }

  // Blocks the calling thread until a message is there (returned), the port has ended (nothing), or
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
    this->RequireOwned().host().CheckStop();
    return internal::ReceiveAwaiter<T>::Open(this->core_->TryReceive());
  }

  // Appends what is there now to `into`, `most` messages at most. Returns how many. One turn of the
  // loop around it is one batch.
  std::size_t TryReceiveBatch(std::vector<T>& into, std::size_t most) {
    RequireNoListener();
    std::size_t count = 0;
    for (; count < most; ++count) {
      // Before one is taken: if there is no memory, none is lost.
      if (into.size() == into.capacity()) into.reserve(2 * into.size() + 1);
      internal::ReceivedMessage received = this->core_->TryReceive();
      if (!received) break;
      into.push_back(std::move(received).template Take<T>());
    }
    return count;
  }

 private:
  template <class, class>
  friend class internal::TypedHandler;

  struct View {};
  ReceivePort(View, internal::Ref<internal::PortCore> core) : PortBase<T>(std::move(core), false) {}

  void RequireNoListener() const {
    this->RequireOwned().host().CheckStop();
    if (this->core_->taken()) throw StateError("this port is listened to already");
  }
};

template <class T, class Function>
void internal::TypedHandler<T, Function>::Handle(PortCore& port, ReceivedMessage received, bool) {
  TakenMessage taken;
  T message = std::move(received).template Take<T>();
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

}  // namespace isolates

#endif  // ISOLATES_RECEIVE_PORT_H_
