// Waiting for time to pass, in the event loop of an isolate, by the clock of the runtime.

#ifndef ISOLATES_TIMER_H_
#define ISOLATES_TIMER_H_

#include <concepts>
#include <coroutine>
#include <functional>
#include <type_traits>
#include <utility>

#include "isolates/clock.h"
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
