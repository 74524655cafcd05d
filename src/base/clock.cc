#include "isolates/clock.h"

namespace isolates {

namespace internal {

thread_local constinit const Clock* thread_clock = nullptr;
constinit std::atomic<const Clock*> program_clock{nullptr};

TimePoint SleepLimit(TimePoint deadline) noexcept {
  if (deadline == TimePoint::max()) return deadline;
  // A simulation wakes its isolates itself. acquire - pairs with ConfigureRuntime.
  if (thread_clock != nullptr || program_clock.load(std::memory_order_acquire) == nullptr) {
    return deadline;
  }
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
}

}  // namespace internal

void ManualClock::Advance(Duration by) {
  // release - pairs with Now.
  now_.fetch_add(by.count(), std::memory_order_release);
  if (listener_) listener_();
}

}  // namespace isolates
