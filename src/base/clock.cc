#include "isolates/clock.h"

namespace isolates {

namespace internal {
thread_local constinit const Clock* thread_clock = nullptr;
}  // namespace internal

void ManualClock::Advance(Duration by) {
  // release - pairs with Now.
  now_.fetch_add(by.count(), std::memory_order_release);
  if (listener_) listener_();
}

}  // namespace isolates
