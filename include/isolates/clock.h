// The clock that timers and the deadlines of waits go by. Programs use the machine's monotonic
// clock; tests put a ManualClock in its place (RuntimeOptions::clock), so that no test has to wait
// for time to pass.

#ifndef ISOLATES_CLOCK_H_
#define ISOLATES_CLOCK_H_

#include <atomic>
#include <chrono>
#include <functional>

namespace isolates {

using Duration = std::chrono::nanoseconds;
// Time since an arbitrary start. Only differences have a meaning.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// Waits without end, where a call takes a timeout.
inline constexpr Duration kForever = Duration::max();

// What timers and deadlines go by. Any object of such a class outlives the runtime.
class Clock {
 public:
  virtual ~Clock() = default;
  // May be called from any thread.
  virtual TimePoint Now() const noexcept = 0;
  // Registers the one function that is called after time was moved by hand. A clock that runs by
  // itself never calls it.
  virtual void SetAdvanceListener(std::function<void()> listener) = 0;
};

// The machine's monotonic clock.
class SteadyClock final : public Clock {
 public:
  TimePoint Now() const noexcept override { return std::chrono::steady_clock::now(); }
  void SetAdvanceListener(std::function<void()>) override {}
};

// A clock that stands still until it is told to move.
class ManualClock final : public Clock {
 public:
  // acquire - pairs with Advance: what was done before time was moved is visible.
  TimePoint Now() const noexcept override {
    return TimePoint(Duration(now_.load(std::memory_order_acquire)));
  }
  // Moves time forward; timers that are due fire before or soon after the call returns. Any thread.
  void Advance(Duration by);
  // Before the clock is given to the runtime, or by the runtime itself.
  void SetAdvanceListener(std::function<void()> listener) override {
    listener_ = std::move(listener);
  }

 private:
  std::atomic<Duration::rep> now_{0};
  std::function<void()> listener_;
};

namespace internal {

// The clock of waits on this thread, where it is not the program's (simulations).
extern thread_local constinit const Clock* thread_clock;
// The program's, where it is not the machine's; nullptr otherwise. Set before the library is used
// (RuntimeOptions::clock); the clock then lives as long as the program.
extern constinit std::atomic<const Clock*> program_clock;

inline TimePoint WaitNow() noexcept {
  if (thread_clock != nullptr) return thread_clock->Now();
  // acquire - pairs with ConfigureRuntime.
  const Clock* const clock = program_clock.load(std::memory_order_acquire);
  return clock != nullptr ? clock->Now() : TimePoint(std::chrono::steady_clock::now());
}
// For a deadline of a wait on this thread.
inline bool HasPassed(TimePoint deadline) noexcept {
  return deadline != TimePoint::max() && WaitNow() >= deadline;
}
// How long a thread that waits until `deadline` may sleep at once, by the machine's clock. No other
// clock can be slept by: there it looks again every millisecond.
TimePoint SleepLimit(TimePoint deadline) noexcept;

}  // namespace internal

// The instant at which a wait of that length, begun now on the clock of waits (the machine's, or
// RuntimeOptions::clock, or a simulation's), is over; TimePoint::max(), which means never, for
// kForever and for whatever does not fit.
inline TimePoint DeadlineAfter(Duration timeout) noexcept {
  const TimePoint now = internal::WaitNow();
  return timeout < TimePoint::max() - now ? now + timeout : TimePoint::max();
}

}  // namespace isolates

#endif  // ISOLATES_CLOCK_H_
