// Futures: results that come later.
//
// A Future is awaited in an isolate (co_await) or waited for on any thread (Get). It belongs to
// whoever holds it, is used by one thread at a time and cannot be sent. Its value can be taken
// once.
//
// Memory order: what the producer did before the result is visible to whoever has the result.

#ifndef ISOLATES_FUTURE_H_
#define ISOLATES_FUTURE_H_

#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "isolates/clock.h"
#include "isolates/detail/future_state.h"
#include "isolates/task.h"

namespace isolates {

// The result of something that goes on: a value, or an error, of type T in the end.
template <class T>
class [[nodiscard]] Future {
 public:
  using Value = T;
  using IsolatesUnsendable = void;
  static constexpr std::string_view kIsolatesRemedy = "await it and send the value";

  Future(Future&&) noexcept = default;
  Future& operator=(Future&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }

  // True if Get would not wait.
  bool ready() const { return State().done(); }

  // Waits and takes the value; throws the error: RemoteError for one of another isolate.
  // On a plain thread this blocks the thread; if the thread is an isolate (main), it handles its
  // events meanwhile. In a turn of an isolate it blocks the isolate, while its worker's other
  // isolates go on; StateError if the wait could never end. Prefer co_await there.
  T Get() { return Get(kForever); }

  // The same with a time limit by the machine's clock: TimeoutError, and the future can be waited
  // for again.
  T Get(Duration timeout) {
    if (!WaitFor(timeout)) throw TimeoutError("the result did not come in time");
    const auto state = std::move(state_);
    return state->Take();
  }

  // True when the result is there, false if it did not come in time. The result stays.
  bool WaitFor(Duration timeout) { return State().Wait(DeadlineAfter(timeout)); }

  // co_await future: the value or the error, in a turn of this isolate.
  auto operator co_await() {
    struct Awaiter {
      explicit Awaiter(internal::Ref<internal::FutureState<T>> from) : state(std::move(from)) {}
      Awaiter(const Awaiter&) = delete;
      Awaiter& operator=(const Awaiter&) = delete;
      ~Awaiter() {
        if (waiting) state->CancelAwait();  // the coroutine is destroyed while it waits
      }
      bool await_ready() const {
        internal::RequireHost().CheckStop();
        return state->done();
      }
      bool await_suspend(std::coroutine_handle<> waiter) {
        waiting = state->Await(waiter);
        return waiting;
      }
      T await_resume() {
        waiting = false;
        internal::RequireHost().CheckStop();
        return state->Take();
      }
      internal::Ref<internal::FutureState<T>> state;
      bool waiting = false;
    };
    State();
    return Awaiter(state_);
  }

  // A future of what `function` makes of the value: function(T), which may be a coroutine. An error
  // passes by. The function runs in a turn of this isolate; a plain thread becomes one.
  template <class Function>
  auto Then(Function function) &&;

  // For the library and its adapters.
  explicit Future(internal::Ref<internal::FutureState<T>> state) noexcept
      : state_(std::move(state)) {}
  internal::Ref<internal::FutureState<T>> shared_state() const {
    State();
    return state_;
  }

 private:
  internal::FutureState<T>& State() const {
    if (!state_)
      throw StateError("this Future is empty: its value was taken, or it was moved from");
    return *state_;
  }

  internal::Ref<internal::FutureState<T>> state_;
};

// Starts a task: it runs until it waits for the first time, then in turns of this isolate. If its
// future is dropped, the task goes on; an error that nobody takes is reported as unhandled.
template <class T>
Future<T> Start(Task<T> task) {
  auto state = internal::MakeRef<internal::FutureState<T>>(&internal::RequireHost());
  Future<T> future(state);
  internal::RunIntoSink<T>(std::move(task), internal::ResultSink<T>(std::move(state)));
  return future;
}

namespace internal {

template <class T>
struct Unwrapped {
  using Type = T;
};
template <class T>
struct Unwrapped<Task<T>> {
  using Type = T;
};
template <class T>
struct Unwrapped<Future<T>> {
  using Type = T;
};
// What a computation gives in the end: T for T, Task<T> and Future<T>.
template <class T>
using UnwrappedType = typename Unwrapped<T>::Type;

template <class T>
inline constexpr bool kIsFuture = false;
template <class T>
inline constexpr bool kIsFuture<Future<T>> = true;
template <class T>
inline constexpr bool kIsAsynchronous = kIsTask<T> || kIsFuture<T>;

template <class T, class Function, class Result>
Task<UnwrappedType<Result>> ThenTask(Future<T> future, Function function) {
  if constexpr (std::is_void_v<T>) {
    co_await future;
    if constexpr (kIsAsynchronous<Result>) {
      co_return co_await std::invoke(function);
    } else {
      co_return std::invoke(function);
    }
  } else {
    T value = co_await future;
    if constexpr (kIsAsynchronous<Result>) {
      co_return co_await std::invoke(function, std::move(value));
    } else {
      co_return std::invoke(function, std::move(value));
    }
  }
}

template <class T>
Future<T> AsFuture(Future<T> future) {
  return future;
}
template <class T>
Future<T> AsFuture(Task<T> task) {
  return Start(std::move(task));
}

// A value, or a stand-in where there is none.
struct Nothing {};
template <class T>
using OrNothing = std::conditional_t<std::is_void_v<T>, Nothing, T>;

template <class T>
Task<OrNothing<T>> ValueOf(Future<T>& future) {
  if constexpr (std::is_void_v<T>) {
    co_await future;
    co_return Nothing{};
  } else {
    co_return co_await future;
  }
}

// Takes one value; the first error of several is kept.
template <class T>
Task<std::optional<OrNothing<T>>> Collect(Future<T>& future, std::exception_ptr& first_error) {
  try {
    co_return co_await ValueOf(future);
  } catch (...) {
    if (IsolateIsEnding()) throw;
    if (!first_error) first_error = std::current_exception();
  }
  co_return std::nullopt;
}

template <class T>
using AllOf = std::conditional_t<std::is_void_v<T>, void, std::vector<OrNothing<T>>>;

template <class T>
Task<AllOf<T>> WhenAllTask(std::vector<Future<T>> futures) {
  std::exception_ptr first_error;
  std::vector<OrNothing<T>> values;
  values.reserve(futures.size());
  for (Future<T>& future : futures) {
    auto value = co_await Collect(future, first_error);
    if (value.has_value()) values.push_back(std::move(*value));
  }
  if (first_error) std::rethrow_exception(first_error);
  if constexpr (!std::is_void_v<T>) co_return values;
}

template <class... T>
Task<std::tuple<OrNothing<T>...>> WhenAllTask(Future<T>... futures) {
  std::exception_ptr first_error;
  std::tuple<std::optional<OrNothing<T>>...> values{co_await Collect(futures, first_error)...};
  if (first_error) std::rethrow_exception(first_error);
  co_return std::apply(
      [](auto&... value) { return std::tuple<OrNothing<T>...>(std::move(*value)...); }, values);
}

}  // namespace internal

template <class T>
template <class Function>
auto Future<T>::Then(Function function) && {
  State();
  if constexpr (std::is_void_v<T>) {
    using Result = std::invoke_result_t<Function&>;
    return Start(internal::ThenTask<T, Function, Result>(std::move(*this), std::move(function)));
  } else {
    using Result = std::invoke_result_t<Function&, T>;
    return Start(internal::ThenTask<T, Function, Result>(std::move(*this), std::move(function)));
  }
}

// A future of all values, in the order of the arguments, once all are there. If any fails, it fails
// with the first error in that order, after all have ended. (Dart's Future.wait.)
template <class T>
auto WhenAll(std::vector<Future<T>> futures) {
  return Start(internal::WhenAllTask<T>(std::move(futures)));
}
// The same for futures and tasks of any types, as a tuple; the tasks are started.
template <class... Awaitable>
  requires(internal::kIsAsynchronous<Awaitable> && ...)
auto WhenAll(Awaitable... awaitables) {
  return Start(internal::WhenAllTask(internal::AsFuture(std::move(awaitables))...));
}

// Makes futures that its owner completes by hand, once. All its futures get the result (so a second
// one needs a type that can be copied). Used in one isolate; if it is destroyed first, its futures
// fail.
template <class T = void>
class Completer {
 public:
  using IsolatesUnsendable = void;

  Completer() = default;
  Completer(Completer&&) noexcept = default;
  Completer& operator=(Completer&&) noexcept = default;

  // A future of the result. Throws StateError on the second call if T cannot be copied.
  Future<T> future() {
    auto state = internal::MakeRef<internal::FutureState<T>>(&internal::RequireHost());
    Future<T> future(state);
    if constexpr (!kMany) {
      if (std::exchange(given_out_, true)) {
        throw StateError("a Completer whose value cannot be copied gives out one Future");
      }
    }
    internal::ResultSink<T> sink(std::move(state));
    if (error_) {
      sink.FailLocally(error_);
    } else if (completed_) {
      Fulfil(sink);
    } else {
      waiting_.push_back(std::move(sink));
    }
    return future;
  }

  bool is_completed() const noexcept { return completed_; }

  // Throws StateError if it was completed before.
  template <class... Value>
    requires(std::is_void_v<T> ? sizeof...(Value) == 0 : sizeof...(Value) == 1)
  void Complete(Value&&... value) {
    SetCompleted();
    if constexpr (!std::is_void_v<T>) value_.emplace(std::forward<Value>(value)...);
    for (auto& sink : std::exchange(waiting_, {})) Fulfil(sink);
  }
  // The futures throw this error. StateError on the second completion.
  void CompleteError(std::exception_ptr error) {
    SetCompleted();
    error_ = std::move(error);
    for (auto& sink : std::exchange(waiting_, {})) sink.FailLocally(error_);
  }
  template <class Exception>
    requires std::derived_from<Exception, std::exception>
  void CompleteError(Exception error) {
    CompleteError(std::make_exception_ptr(std::move(error)));
  }

 private:
  static constexpr bool kMany =
      std::is_void_v<T> || std::copy_constructible<internal::OrNothing<T>>;

  void SetCompleted() {
    if (std::exchange(completed_, true)) throw StateError("this Completer was completed already");
  }
  void Fulfil(internal::ResultSink<T>& sink) {
    if constexpr (std::is_void_v<T>) {
      sink.Succeed();
    } else if constexpr (kMany) {
      sink.Succeed(*value_);
    } else {
      sink.Succeed(std::move(*value_));
    }
  }

  std::vector<internal::ResultSink<T>> waiting_;
  std::optional<internal::OrNothing<T>> value_;
  std::exception_ptr error_;
  bool completed_ = false;
  bool given_out_ = false;
};

}  // namespace isolates

#endif  // ISOLATES_FUTURE_H_
