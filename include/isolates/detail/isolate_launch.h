// The computations behind Run, RunParcel, Spawn and Exit.

#ifndef ISOLATES_DETAIL_ISOLATE_LAUNCH_H_
#define ISOLATES_DETAIL_ISOLATE_LAUNCH_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "isolates/detail/computation.h"
#include "isolates/detail/isolate_control.h"
#include "isolates/detail/parcel_destination.h"
#include "isolates/detail/parcel_transit.h"
#include "isolates/detail/transfer_moves.h"
#include "isolates/detail/transfer_seal.h"
#include "isolates/future.h"
#include "isolates/parcel.h"
#include "isolates/transfer.h"

namespace isolates::internal {

// Creates an isolate for the computation and makes it ready. Throws StateError if the runtime is
// shut down.
Ref<PortHost> Launch(const LaunchOptions& options, std::unique_ptr<Computation> computation);

// The terminal error of a future: what ended the isolate, or that it ended without a result.
RemoteError TerminalError(const RemoteError* error) noexcept;
RemoteError DescribeCurrentException() noexcept;

template <class Function, class... Args>
class Callable {
 public:
  using Raw = std::invoke_result_t<Function, Args...>;
  using Result = UnwrappedType<std::decay_t<Raw>>;

  // Refuses, in the sender, what may not be sent.
  static void Check(VerifyLevel level, const Function& function, const Args&... args) {
    (RequireTransferable<Args>(), ...);
    CheckClosure(function, "function", level);
    (VerifyForSend(args, "argument", level), ...);
    MarkLeaving<Function>(function);
    (MarkLeaving<Args>(args), ...);
  }

  template <class F, class... A>
  explicit Callable(F&& function, A&&... args)
      : call_(std::in_place, std::forward<F>(function), std::forward<A>(args)...) {}

  // Once the parts have come to lie here, and before anybody else knows of them.
  void CheckMoved(VerifyLevel level) const {
    VerifyMoved(call_->function, "function", level);
    std::apply([level](const auto&... arg) { (VerifyMoved(arg.peek(), "argument", level), ...); },
               call_->args);
  }

  // Once. The callable and its arguments stay alive until Drop, because a coroutine may refer to
  // them.
  Raw operator()() {
    return std::apply(
        [this](InTransit<Args>&... args) -> Raw {
          return std::invoke(std::move(call_->function), std::move(args.Arrive())...);
        },
        call_->args);
  }
  void Drop() noexcept { call_.reset(); }
  std::uintptr_t kind() const noexcept { return BuilderKindOf(call_->function); }

 private:
  struct Call {
    template <class F, class... A>
    explicit Call(F&& f, A&&... a) : function(std::forward<F>(f)), args(std::forward<A>(a)...) {}
    Function function;
    std::tuple<InTransit<Args>...> args;
  };
  std::optional<Call> call_;
};

// Run and RunParcel up to the point where there is a value.
template <class Derived, class Function, class... Args>
class ResultComputation : public Computation {
 public:
  using Call = Callable<Function, Args...>;
  using Result = typename Call::Result;

  template <class F, class... A>
  explicit ResultComputation(F&& function, A&&... args)
      : call_(std::forward<F>(function), std::forward<A>(args)...) {}

  VerifyLevel verify_level = VerifyLevel::kDefault;

  void CheckMoved() const { call_.CheckMoved(verify_level); }
  std::uintptr_t BuilderKind() const noexcept { return call_.kind(); }
  bool takes_error() const noexcept override { return true; }
  bool complete() const noexcept override { return complete_; }
  void DropCallable() noexcept override { call_.Drop(); }

  void Start() override {
    if constexpr (kIsAsynchronous<std::decay_t<typename Call::Raw>>) {
      Await(*this, call_());
    } else if constexpr (std::is_void_v<Result>) {
      call_();
      complete_ = true;
    } else {
      static_cast<Derived*>(this)->Store(call_());
      complete_ = true;
    }
  }

 private:
  // An error of the task unwinds into the event that resumed it, and so ends the isolate.
  template <class Pending>
  static Root Await(ResultComputation& self, Pending pending) {
    if constexpr (std::is_void_v<Result>) {
      co_await std::move(pending);
    } else {
      static_cast<Derived&>(self).Store(co_await std::move(pending));
    }
    self.complete_ = true;
  }

  Call call_;
  bool complete_ = false;
};

template <class Function, class... Args>
class RunComputation final
    : public ResultComputation<RunComputation<Function, Args...>, Function, Args...> {
  using Base = ResultComputation<RunComputation, Function, Args...>;

 public:
  using Result = typename Base::Result;
  using Delivered = Result;

  template <class... A>
  explicit RunComputation(Ref<FutureState<Result>> state, A&&... call)
      : Base(std::forward<A>(call)...), sink_(std::move(state)) {
    if constexpr (!std::is_void_v<Result>) RequireTransferable<Result>();
  }

  template <class U>
  void Store(U&& value) {
    if constexpr (kHandsOverACopy<U>) {
      Store(Result(std::forward<U>(value)));  // what is handed over is the copy
    } else {
      VerifyForSend<Result>(value, "result", this->verify_level);
      MarkLeaving<Result>(value);
      try {
        result_.emplace(std::forward<U>(value));
        VerifyMoved<Result>(*result_, "result", this->verify_level);
      } catch (...) {
        result_.reset();
        throw;
      }
    }
  }

  bool Conclude(const RemoteError* error, Heap*) noexcept override {
    if (!this->complete()) {
      // An isolate that was told to end has no error that could go unnoticed.
      sink_.FailRemotely(TerminalError(error), error != nullptr);
    } else if constexpr (std::is_void_v<Result>) {
      sink_.Succeed();
    } else {
      std::optional<RemoteError> refused;
      try {
        sink_.Succeed(std::move(*result_));
      } catch (...) {  // the value's move has thrown
        refused = DescribeCurrentException();
      }
      result_.reset();
      if (refused) sink_.FailRemotely(std::move(*refused));
    }
    return false;
  }

 private:
  ResultSink<Result> sink_;
  std::optional<OrNothing<Result>> result_;
};

template <class Function, class... Args>
class ParcelComputation final
    : public ResultComputation<ParcelComputation<Function, Args...>, Function, Args...> {
  using Base = ResultComputation<ParcelComputation, Function, Args...>;

 public:
  using Result = typename Base::Result;
  using Delivered = Parcel<Result>;

  template <class F, class... A>
  explicit ParcelComputation(Ref<FutureState<Delivered>> state, F&& function, A&&... args)
      : Base(std::forward<F>(function), std::forward<A>(args)...),
        sink_(std::move(state)),
        builder_kind_(this->BuilderKind()) {
    RequireTransferable<Result>();
  }
  ~ParcelComputation() override = default;

  CarryPolicy carry_policy = CarryPolicy::kCarry;

  bool builds_parcel() const noexcept override { return true; }
  std::uintptr_t builder_kind() const noexcept override { return builder_kind_; }

  // In the parcel's heap: the root becomes a block of it.
  template <class U>
  void Store(U&& value) {
    root_ = std::make_unique<Result>(std::forward<U>(value));
  }

  void DropCallable() noexcept override {
    Base::DropCallable();
    if (!this->complete()) root_ = nullptr;
  }

  bool Conclude(const RemoteError* error, Heap* heap) noexcept override {
    if (!this->complete()) {
      // An isolate that was told to end has no error that could go unnoticed.
      sink_.FailRemotely(TerminalError(error), error != nullptr);
      return false;
    }
    std::optional<RemoteError> refused;
    const bool own_heap = heap != nullptr && heap->is_parcel();
    try {
      sink_.Succeed(FinishParcel<Result>(heap, root_.release(), {this->verify_level, carry_policy},
                                         builder_kind()));
    } catch (...) {
      refused = DescribeCurrentException();
    }
    if (refused) sink_.FailRemotely(std::move(*refused));
    return own_heap;
  }

 private:
  ResultSink<Delivered> sink_;
  std::unique_ptr<Result> root_;
  const std::uintptr_t builder_kind_;
};

template <class Job, class... Parts>
Future<typename Job::Delivered> LaunchJob(const LaunchOptions& options, Parts&&... call) {
  Job::Call::Check(options.verify, call...);
  auto state = MakeRef<FutureState<typename Job::Delivered>>(nullptr);
  Future<typename Job::Delivered> future(state);
  const HandOverTo to("isolate", options.name);
  auto job = std::make_unique<Job>(std::move(state), std::forward<Parts>(call)...);
  job->verify_level = options.verify;
  job->CheckMoved();
  if constexpr (requires { job->carry_policy; }) job->carry_policy = options.carry;
  Launch(options, std::move(job));
  return future;
}

template <class Entry, class Message>
class SpawnComputation final : public Computation {
  using Call = Callable<Entry, Message>;

 public:
  template <class E, class M>
  explicit SpawnComputation(E&& entry, M&& message)
      : call_(std::forward<E>(entry), std::forward<M>(message)) {}

  static void Check(VerifyLevel level, const Entry& entry, const Message& message) {
    Call::Check(level, entry, message);
  }
  void CheckMoved(VerifyLevel level) const { call_.CheckMoved(level); }

  void Start() override {
    if constexpr (kIsAsynchronous<std::decay_t<typename Call::Raw>>) {
      Await(call_());
    } else {
      call_();
    }
  }
  void DropCallable() noexcept override { call_.Drop(); }
  bool Conclude(const RemoteError*, Heap*) noexcept override { return false; }

 private:
  template <class Pending>
  static Root Await(Pending pending) {
    co_await std::move(pending);
  }

  Call call_;
};

template <class T>
class TypedFinalMessage final : public FinalMessage {
 public:
  template <class U>
  TypedFinalMessage(SendPort<T> port, U&& message)
      : port_(std::move(port)), message_(std::forward<U>(message)) {}
  void Deliver() override {
    struct Letter {
      const PortCore& port;
      bool accepted = false;
      ~Letter() {
        if (!accepted) CountDeadLetter(port, typeid(T));
      }
    } letter{*PortAccess::CoreOf(port_)};
    letter.accepted = PortAccess::SendNotice(port_, std::move(message_)) == SendResult::kAccepted;
  }
  const T& message() const noexcept { return message_; }

 private:
  SendPort<T> port_;
  T message_;
};

// Throws StateError if the caller cannot exit: not in a turn, or while an exception is in flight.
void CheckExit();
[[noreturn]] void ExitCurrent(std::unique_ptr<FinalMessage> message);

template <class T, class U>
[[noreturn]] void ExitWith(const SendPort<T>& port, U&& message) {
  RequireTransferable<T>();
  VerifyForSend<T>(message, "message", VerifyLevel::kDefault);
  if (port.closed()) throw StateError("Isolate::Exit: the port is closed");
  CheckExit();
  auto last = std::make_unique<TypedFinalMessage<T>>(port, std::forward<U>(message));
  VerifyMoved(last->message(), "message", VerifyLevel::kDefault);
  ExitCurrent(std::move(last));
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_ISOLATE_LAUNCH_H_
