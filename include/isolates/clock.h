// The clock that timers run on. Programs use the machine's monotonic clock; tests put a ManualClock
// in its place (RuntimeOptions::clock), so that no test has to wait for time to pass.

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

// The clock of waits on this thread, where it is not the machine's (simulations).
extern thread_local constinit const Clock* thread_clock;

inline TimePoint WaitNow() noexcept {
  return thread_clock != nullptr ? thread_clock->Now()
                                 : TimePoint(std::chrono::steady_clock::now());
}
// For a deadline of a wait on this thread.
inline bool HasPassed(TimePoint deadline) noexcept {
  return deadline != TimePoint::max() && WaitNow() >= deadline;
}

}  // namespace internal

// The instant at which a wait of that length, begun now on the machine's clock (in a simulation: on
// its clock), is over; TimePoint::max(), which means never, for kForever and for whatever does not
// fit.
inline TimePoint DeadlineAfter(Duration timeout) noexcept {
  const TimePoint now = internal::WaitNow();
  return timeout < TimePoint::max() - now ? now + timeout : TimePoint::max();
}

}  // namespace isolates

#endif  // ISOLATES_CLOCK_H_
