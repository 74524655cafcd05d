// Waiting for the first of several results.

#ifndef ISOLATES_WHEN_ANY_H_
#define ISOLATES_WHEN_ANY_H_

#include <coroutine>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "isolates/clock.h"
#include "isolates/detail/future_state.h"
#include "isolates/error.h"
#include "isolates/future.h"
#include "isolates/timer.h"

namespace isolates {

namespace internal {

// Resumes a coroutine when one of several results is there, or a time by the runtime's clock has
// passed. Gives the number of the first result that is there, or how many there are.
class AnyAwaiter {
 public:
  using States = std::vector<Ref<FutureStateBase>>;

  explicit AnyAwaiter(States states, Duration timeout = kForever)
      : states_(std::move(states)), timeout_(timeout) {
    if (states_.empty()) throw StateError("there is no Future to wait for");
  }
  AnyAwaiter(const AnyAwaiter&) = delete;
  AnyAwaiter& operator=(const AnyAwaiter&) = delete;
  ~AnyAwaiter() { Cancel(); }  // the coroutine may be destroyed while it waits

  bool await_ready() const {
    RequireHost().CheckStop();
    return First() != states_.size();
  }
  bool await_suspend(std::coroutine_handle<> waiter) {
    try {
      for (const auto& state : states_) {
        if (!state->Await(waiter)) {
          Cancel();
          return false;
        }
        ++awaited_;
      }
      if (timeout_ != kForever) timer_.Start(timeout_, waiter);
    } catch (...) {  // one of them is awaited already
      Cancel();
      throw;
    }
    return true;
  }
  std::size_t await_resume() {
    Cancel();
    RequireHost().CheckStop();
    return First();
  }

 private:
  std::size_t First() const noexcept {
    std::size_t index = 0;
    while (index < states_.size() && !states_[index]->done()) ++index;
    return index;
  }
  void Cancel() noexcept {
    while (awaited_ > 0) states_[--awaited_]->CancelAwait();
    timer_.Cancel();
  }

  const States states_;
  const Duration timeout_;
  std::size_t awaited_ = 0;  // the first so many have this coroutine as their waiter
  PendingTimer timer_;
};

template <class T>
AnyAwaiter::States StatesOf(const std::vector<Future<T>>& futures) {
  AnyAwaiter::States states;
  for (const auto& future : futures) states.push_back(future.shared_state());
  return states;
}
template <class... T>
AnyAwaiter::States StatesOf(const Future<T>&... futures) {
  AnyAwaiter::States states;
  (states.push_back(futures.shared_state()), ...);
  return states;
}

// The value of a future that is ready.
template <class T>
OrNothing<T> TakeReady(Future<T>& future) {
  if constexpr (std::is_void_v<T>) {
    future.Get();
    return Nothing{};
  } else {
    return future.Get();
  }
}

}  // namespace internal

// co_await FirstReady(a, b): the number, from 0, of a future whose result is there, a value or an
// error; if several are, of the first of them in this order. All futures stay with the caller and
// can be waited for again. They must live until then. StateError if one is empty or awaited
// already.
template <class... T>
[[nodiscard]] internal::AnyAwaiter FirstReady(Future<T>&... futures) {
  return internal::AnyAwaiter(internal::StatesOf(futures...));
}
template <class T>
[[nodiscard]] internal::AnyAwaiter FirstReady(std::vector<Future<T>>& futures) {
  return internal::AnyAwaiter(internal::StatesOf(futures));
}

// What WhenAny gives: which future it was, and its value.
template <class T>
struct FirstValue {
  std::size_t index;             // of the future, from 0
  internal::OrNothing<T> value;  // its value
};

namespace internal {

template <class T>
Task<FirstValue<T>> WhenAnyTask(std::vector<Future<T>> futures) {
  const std::size_t index = co_await FirstReady(futures);
  FirstValue<T> any{index, TakeReady(futures[index])};
  co_return std::move(any);
}

template <class... T>
Task<std::variant<OrNothing<T>...>> WhenAnyTask(Future<T>... futures) {
  const std::size_t index = co_await FirstReady(futures...);
  const auto all = std::tie(futures...);
  std::optional<std::variant<OrNothing<T>...>> any;
  [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    ((kIndex == index
          ? void(any.emplace(std::in_place_index<kIndex>, TakeReady(std::get<kIndex>(all))))
          : void()),
     ...);
  }(std::index_sequence_for<T...>());
  co_return std::move(*any);
}

}  // namespace internal

// A future of the first result, value or error; the variant's index tells whose. The losers are
// not cancelled: what was to produce them goes on, their values are dropped, and an error of theirs
// that nobody looks at is reported as unhandled. To keep them, use FirstReady. (Dart's Future.any.)
template <class T>
auto WhenAny(std::vector<Future<T>> futures) {
  return Start(internal::WhenAnyTask<T>(std::move(futures)));
}
// The same for futures and tasks of any types; the tasks are started.
template <class... Awaitable>
  requires(sizeof...(Awaitable) > 0 && (internal::kIsAsynchronous<Awaitable> && ...))
auto WhenAny(Awaitable... awaitables) {
  return Start(internal::WhenAnyTask(internal::AsFuture(std::move(awaitables))...));
}

}  // namespace isolates

#endif  // ISOLATES_WHEN_ANY_H_
