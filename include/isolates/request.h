// Requests and their replies.
//
// In the isolate that answers:
//   RequestPort<std::string, Document> port;
//   port.Handle([](std::string text) { return Parse(text); });    // or a coroutine
//   out.Send(port.requester());
// In those that ask:
//   Document document = co_await requester.Call(text, std::chrono::seconds(1));
//
// Every call ends: with the response, with what the handler threw (RemoteError), with a RemoteError
// if the request is dropped unanswered (its port closes, its isolate ends, its Reply is destroyed),
// or with a TimeoutError if a limit was given. A reply that comes later is discarded and counted.

#ifndef ISOLATES_REQUEST_H_
#define ISOLATES_REQUEST_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "isolates/clock.h"
#include "isolates/detail/future_state.h"
#include "isolates/detail/parcel_destination.h"
#include "isolates/detail/request_call.h"
#include "isolates/detail/transfer_leaving.h"
#include "isolates/detail/transfer_moves.h"
#include "isolates/error.h"
#include "isolates/future.h"
#include "isolates/port.h"
#include "isolates/task.h"
#include "isolates/transfer.h"

namespace isolates {

template <class Request, class Response>
class Requester;

namespace internal {
template <class Request, class Response, class Function>
class RequestHandler;
}  // namespace internal

// The right and the duty to answer one call. It may be kept for later and sent to another isolate,
// which then answers. Destroyed unanswered, it fails the call. (One that is leaked leaves the call
// to its time limit.)
template <class Response>
class [[nodiscard]] Reply {
 public:
  // Moved from: answered by nobody.
  Reply(Reply&&) noexcept = default;
  Reply& operator=(Reply&& other) noexcept {
    if (this != &other) {
      Drop();
      call_ = std::move(other.call_);
      sink_.emplace(std::move(*other.sink_));
    }
    return *this;
  }
  ~Reply() { Drop(); }

  // Hands the response over, without a copy, after its verification where its type needs one.
  // False: the asker has given up; the response is destroyed. Throws TransferError (the response
  // may not be sent; the call is still open), StateError (answered before, or moved from).
  template <class... Value>
    requires(std::is_void_v<Response>
                 ? sizeof...(Value) == 0
                 : sizeof...(Value) == 1 && (std::constructible_from<Response, Value> && ...))
  bool Answer(Value&&... value) {
    RequireOpen();
    if constexpr (std::is_void_v<Response>) {
      if (const auto call = std::move(call_); !call->Answer()) return false;
      sink_->Succeed();
    } else {
      const internal::HandOverTo to("the reply of a request");
      return AnswerWith(Response(std::forward<Value>(value)...));
    }
    return true;
  }

  // The call throws the error.
  void Fail(const RemoteError& error) {
    RequireOpen();
    Fail(internal::InMainHeap(error), true);
  }

  // The asker has given up (its time is over): an answer would be discarded.
  bool expired() const noexcept { return call_ && call_->ended(); }
  // Answer or Fail was called, or it was moved from.
  bool answered() const noexcept { return !call_; }
  // A number that no other call has, for reports; 0 once answered.
  std::uint64_t id() const noexcept { return call_ ? call_->id() : 0; }

 private:
  template <class, class>
  friend class Requester;
  template <class, class, class>
  friend class internal::RequestHandler;

  using Sink = internal::ResultSink<Response>;

  Reply(internal::Ref<internal::RequestCall> call, Sink sink)
      : call_(std::move(call)), sink_(std::move(sink)) {}

  void RequireOpen() const {
    if (!call_) throw StateError("this Reply was used already: a request is answered once");
  }
  bool AnswerWith(internal::OrNothing<Response> response) {
    internal::VerifyForSend(response, "response", VerifyLevel::kDefault);
    internal::MarkLeaving(response);
    internal::OrNothing<Response> moved(std::move(response));
    internal::VerifyMoved(moved, "response", VerifyLevel::kDefault);
    if (const auto call = std::move(call_); !call->Answer()) return false;
    sink_->Succeed(std::move(moved));
    return true;
  }
  void Fail(RemoteError error, bool report_if_dropped) noexcept {
    if (const auto call = std::move(call_); !call->Answer()) return;
    sink_->FailRemotely(std::move(error), report_if_dropped);
  }
  void Drop() noexcept {
    if (call_) Fail(internal::UnansweredError(), false);
  }
  // Takes the duty back: the request was not sent.
  Sink Withdraw() noexcept {
    call_ = nullptr;
    return std::move(*sink_);
  }

  internal::Ref<internal::RequestCall> call_;
  std::optional<Sink> sink_;
};

template <class Response>
struct TransferTraits<Reply<Response>> : internal::HandleTraits {};

// A request as it arrives.
template <class Request, class Response>
struct IncomingRequest {
  Request request;        // what is asked
  Reply<Response> reply;  // by which it is answered
};

// The asking end: a cheap value, like a SendPort: copy it, send it. One thread at a time may use
// one Requester. Works in isolates and on plain threads.
template <class Request, class Response>
class Requester {
 public:
  // Connected to nothing: Call throws StateError until a connected one is assigned.
  Requester() = default;

  // Sends the request; its response comes in the future. With a limit, TimeoutError once that time
  // is over by the clock of the runtime; the limit needs the isolate's events, so that such a
  // future is awaited, or waited for outside of its turns. The future fails with StateError if the
  // request was not accepted; it stays with the caller then, unchanged. Throws TransferError (the
  // request may not be sent; it stays too), StateError (no port).
  Future<Response> Call(Request&& request, Duration timeout = kForever) const {
    auto answer = internal::MakeRef<internal::FutureState<Response>>(nullptr);
    auto call = internal::MakeRef<internal::RequestCall>(Counters());
    Incoming incoming{std::move(request),
                      Reply<Response>(call, internal::ResultSink<Response>(answer))};
    SendResult sent = SendResult::kClosed;
    try {
      sent = port_.Send(std::move(incoming));
    } catch (...) {
      GiveBack(incoming, request);
      throw;
    }
    // Of a request that was dropped, the reply has said so.
    if (sent == SendResult::kFull || sent == SendResult::kClosed) {
      GiveBack(incoming, request).FailLocally(internal::RefusedError(sent == SendResult::kClosed));
    }
    if (timeout == kForever || answer->done()) return Future<Response>(std::move(answer));
    auto state = internal::MakeRef<internal::FutureState<Response>>(&internal::RequireHost());
    Future<Response> future(state);
    internal::AwaitAnswer<Response>(std::move(answer), std::move(call), timeout,
                                    internal::ResultSink<Response>(std::move(state)));
    return future;
  }
  // The same with a copy of the request.
  Future<Response> Call(const Request& request, Duration timeout = kForever) const
    requires std::copy_constructible<Request>
  {
    Request copy(request);
    return Call(std::move(copy), timeout);
  }

  // True if a request would not be accepted. A port that is open may close at any moment.
  bool closed() const { return port_.closed(); }
  // Replies, to all Requesters of the port, that came after their time and were discarded.
  std::uint64_t late_replies() const {
    return Counters()->late_replies.load(std::memory_order_relaxed);  // relaxed - a counter
  }

  // Same port?
  friend bool operator==(const Requester& a, const Requester& b) noexcept {
    return a.port_ == b.port_;
  }

 private:
  template <class, class>
  friend class RequestPort;
  using Incoming = IncomingRequest<Request, Response>;

  Requester(SendPort<Incoming> port, internal::Ref<internal::RequestCounters> counters)
      : port_(std::move(port)), counters_(std::move(counters)) {}

  const internal::Ref<internal::RequestCounters>& Counters() const {
    if (!counters_) throw StateError("this Requester is empty: it was never connected");
    return counters_;
  }
  // Undoes what Call has put together.
  static internal::ResultSink<Response> GiveBack(Incoming& from, Request& to) {
    auto sink = from.reply.Withdraw();
    std::destroy_at(&to);
    std::construct_at(&to, std::move(from.request));
    return sink;
  }

  SendPort<Incoming> port_;
  internal::Ref<internal::RequestCounters> counters_;
};

template <class Request, class Response>
struct TransferTraits<Requester<Request, Response>> : internal::HandleTraits {};

namespace internal {

// Calls a handler with each request and answers with what it makes of it.
template <class Request, class Response, class Function>
class RequestHandler {
 public:
  using Incoming = IncomingRequest<Request, Response>;

  explicit RequestHandler(Function function) : function_(std::move(function)) {}

  // A listener of a ReceivePort, which keeps it alive while its coroutines run.
  auto operator()(Incoming incoming) {
    if constexpr (std::invocable<Function&, Request, Reply<Response>>) {
      return std::invoke(function_, std::move(incoming.request), std::move(incoming.reply));
    } else {
      static_assert(std::invocable<Function&, Request>,
                    "isolates: a handler is called with the request, or with it and its Reply");
      if constexpr (kIsAsynchronous<std::decay_t<std::invoke_result_t<Function&, Request>>>) {
        return AnswerLater(std::move(incoming));
      } else {
        AnswerNow(std::move(incoming));
      }
    }
  }

 private:
  void AnswerNow(Incoming incoming) {
    Reply<Response>& reply = incoming.reply;
    try {
      if constexpr (std::is_void_v<Response>) {
        std::invoke(function_, std::move(incoming.request));
        reply.Answer();
      } else {
        reply.Answer(std::invoke(function_, std::move(incoming.request)));
      }
    } catch (...) {
      AnswerWithError(reply);
    }
  }
  Task<void> AnswerLater(Incoming incoming) {
    Reply<Response>& reply = incoming.reply;
    try {
      if constexpr (std::is_void_v<Response>) {
        co_await std::invoke(function_, std::move(incoming.request));
        reply.Answer();
      } else {
        reply.Answer(co_await std::invoke(function_, std::move(incoming.request)));
      }
    } catch (...) {
      AnswerWithError(reply);
    }
  }
  // In a handler of exceptions. The signal that ends an isolate passes on.
  static void AnswerWithError(Reply<Response>& reply) {
    if (IsolateIsEnding()) throw;
    reply.Fail(DescribeHandledException(), true);
  }

  Function function_;
};

}  // namespace internal

// The answering end. It belongs to the isolate that created it; the rules are those of ReceivePort.
template <class Request, class Response>
class RequestPort {
 public:
  // A request as it arrives.
  using Incoming = IncomingRequest<Request, Response>;
  using IsolatesUnsendable = void;
  static constexpr std::string_view kIsolatesRemedy =
      "keep it in its isolate and send its requester";

  // A new port of the calling isolate; a plain thread becomes one.
  explicit RequestPort(std::string_view debug_name = {}) : port_(debug_name) {}
  // Requests beyond the capacity fail at the caller, by StateError.
  explicit RequestPort(const PortOptions& options) : port_(options) {}

  Requester<Request, Response> requester() const {
    return Requester<Request, Response>(port_.send_port(), counters_);
  }

  // Answers each request, in turns of this isolate, with what the handler makes of it:
  //   Response handler(Request)          what it throws is the caller's error, not the isolate's
  //   Task<Response> handler(Request)    the same for a coroutine; several may be under way
  //   void handler(Request, Reply<Response>)    or Task<>: answers by itself, now or later; what it
  //                                             throws is an uncaught error of the isolate
  // Throws StateError if the port is handled already.
  template <class Handler>
  void Handle(Handler handler) & {
    port_.Listen(internal::RequestHandler<Request, Response, Handler>(std::move(handler)));
  }
  // The same, and the isolate takes over the port: it stays open until the isolate ends.
  template <class Handler>
  void Handle(Handler handler) && {
    std::move(port_).Listen(
        internal::RequestHandler<Request, Response, Handler>(std::move(handler)));
  }

  // Instead of a handler: the next request, as ReceivePort tells.
  //   co_await port.Receive(), port.Receive(timeout), port.TryReceive()
  [[nodiscard]] auto Receive() { return port_.Receive(); }
  [[nodiscard]] std::optional<Incoming> Receive(Duration timeout) { return port_.Receive(timeout); }
  // What is there now, or nothing.
  [[nodiscard]] std::optional<Incoming> TryReceive() { return port_.TryReceive(); }

  // Refuses further requests. Those that wait are dropped, which fails their calls; those whose
  // Reply somebody holds may still be answered.
  void Close() { port_.Close(); }
  bool is_open() const noexcept { return port_.is_open(); }
  std::string_view debug_name() const noexcept { return port_.debug_name(); }

  bool keep_isolate_alive() const noexcept { return port_.keep_isolate_alive(); }
  void set_keep_isolate_alive(bool keep_alive) { port_.set_keep_isolate_alive(keep_alive); }

  // Replies that came after their time and were discarded.
  std::uint64_t late_replies() const noexcept {
    return counters_->late_replies.load(std::memory_order_relaxed);  // relaxed - a counter
  }

 private:
  ReceivePort<Incoming> port_;
  internal::Ref<internal::RequestCounters> counters_ =
      internal::MakeRef<internal::RequestCounters>();
};

}  // namespace isolates

#endif  // ISOLATES_REQUEST_H_
