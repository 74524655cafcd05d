// Waiting for time to pass, in the event loop of an isolate, by the clock of the runtime.

#ifndef ISOLATES_TIMER_H_
#define ISOLATES_TIMER_H_

#include <algorithm>
#include <concepts>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "isolates/clock.h"
#include "isolates/detail/port_host.h"
#include "isolates/detail/ref.h"
#include "isolates/stream.h"
#include "isolates/task.h"

namespace isolates {

namespace internal {

class TimerNode;

// One timer that resumes a coroutine of this isolate, once. For the isolate's thread.
class PendingTimer {
 public:
  PendingTimer() = default;
  PendingTimer(const PendingTimer&) = delete;
  PendingTimer& operator=(const PendingTimer&) = delete;
  ~PendingTimer() { Cancel(); }

  void Start(Duration delay, std::coroutine_handle<> waiter);
  // False if it has resumed the coroutine, or was cancelled.
  bool waits() const noexcept;
  // The scheduler forgets it at once.
  void Cancel() noexcept;

 private:
  TimerNode* timer_ = nullptr;  // owns a reference
};

class DelayAwaiter {
 public:
  explicit DelayAwaiter(Duration delay) noexcept : delay_(delay) {}
  bool await_ready() const;
  void await_suspend(std::coroutine_handle<> waiter) { timer_.Start(delay_, waiter); }
  void await_resume();

 private:
  Duration delay_;
  PendingTimer timer_;
};

}  // namespace internal

namespace internal {

// By the runtime's clock.
TimePoint TimerNow();

struct TimerState {
  bool active = true;
  std::int64_t tick = 0;
  std::coroutine_handle<> waiter;  // while it waits for its time
  PendingTimer pending;
};

// Until its time, or until the timer is cancelled.
class TimerAwaiter {
 public:
  TimerAwaiter(TimerState& state, Duration delay) noexcept : state_(state), delay_(delay) {}
  TimerAwaiter(const TimerAwaiter&) = delete;
  TimerAwaiter& operator=(const TimerAwaiter&) = delete;
  ~TimerAwaiter() { await_resume(); }  // the isolate may end while it waits
  bool await_ready() const noexcept { return !state_.active; }
  void await_suspend(std::coroutine_handle<> waiter) {
    state_.pending.Start(delay_, waiter);
    state_.waiter = waiter;
  }
  void await_resume() noexcept {
    state_.waiter = nullptr;
    state_.pending.Cancel();
  }

 private:
  TimerState& state_;
  const Duration delay_;
};

// Fires once, or after each period of that length.
template <class Callback>
Root RunTimer(std::shared_ptr<TimerState> state, Duration delay, bool periodic, Callback callback) {
  struct Active {
    TimerState& state;
    ~Active() { state.active = false; }
  } const active{*state};
  const TimePoint start = TimerNow();
  Duration wait = delay;
  do {
    co_await TimerAwaiter(*state, wait);
    if (!state->active) break;
    RequireHost().CheckStop();
    ++state->tick;
    if (periodic && delay > Duration::zero()) {
      // Ticks that were missed are counted, not made up for.
      state->tick = std::max<std::int64_t>(state->tick, (TimerNow() - start) / delay);
    }
    if (!periodic) state->active = false;
    if constexpr (kIsTask<std::invoke_result_t<Callback&>>) {
      co_await std::invoke(callback);
    } else {
      std::invoke(callback);
    }
    wait = std::max(start + delay * (state->tick + 1) - TimerNow(), Duration::zero());
  } while (state->active);
}

}  // namespace internal

// Calls a function when its time has come, in a turn of the isolate that made it, by the runtime's
// clock; keeps that isolate alive until then. The function may be a coroutine (Task<>). What it
// throws is an uncaught error of the isolate, and the end of the timer. A timer is cancelled when
// its object is destroyed, unless it was detached. For the isolate's thread. (Dart's Timer.)
class [[nodiscard]] Timer {
 public:
  using IsolatesUnsendable = void;

  // Once.
  template <class Callback>
    requires std::invocable<Callback&>
  Timer(Duration delay, Callback callback) : Timer(delay, false, std::move(callback)) {}
  // After each period, until it is cancelled. Ticks that come too late are left out.
  template <class Callback>
    requires std::invocable<Callback&>
  static Timer Periodic(Duration period, Callback callback) {
    return Timer(period, true, std::move(callback));
  }

  Timer(Timer&&) noexcept = default;
  Timer& operator=(Timer&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Timer() { Cancel(); }

  // The function will not be called (again), and is destroyed, unless it is running. May be called
  // by the function itself.
  void Cancel() noexcept {
    if (state_ == nullptr) return;
    const auto state = std::move(state_);
    state->active = false;
    if (state->waiter) std::exchange(state->waiter, nullptr).resume();  // to its end
  }
  // It goes on without this object.
  void Detach() && noexcept { state_ = nullptr; }
  // True if the function will be called (again).
  bool active() const noexcept { return state_ != nullptr && state_->active; }
  // Periods that have passed; of a timer that fires once, whether it has fired. 0 when cancelled.
  std::int64_t tick() const noexcept { return state_ != nullptr ? state_->tick : 0; }

 private:
  template <class Callback>
  Timer(Duration delay, bool periodic, Callback callback)
      : state_(std::make_shared<internal::TimerState>()) {
    internal::RequireHost().CheckStop();
    internal::RunTimer(state_, delay, periodic, std::move(callback));
  }

  std::shared_ptr<internal::TimerState> state_;
};

// co_await Delay(std::chrono::seconds(1)): resumes after that time, in a turn of this isolate,
// which it keeps alive meanwhile. (Dart's Future.delayed.)
[[nodiscard]] inline internal::DelayAwaiter Delay(Duration delay) {
  return internal::DelayAwaiter(delay);
}

// Yields make(0), make(1), … one after each period, without end. (Dart's Stream.periodic.)
template <class Make>
Stream<std::invoke_result_t<Make&, int>> PeriodicStream(Duration period, Make make) {
  for (int i = 0;; ++i) {
    co_await Delay(period);
    co_yield make(i);
  }
}

}  // namespace isolates

#endif  // ISOLATES_TIMER_H_
