#include "isolates/timer.h"

#include <utility>

#include "src/isolate/core.h"
#include "src/isolate/scheduler.h"
#include "src/isolate/timer_node.h"

namespace isolates::internal {

void PendingTimer::Start(Duration delay, std::coroutine_handle<> waiter) {
  const MainHeapScope main_heap;
  Scheduler& scheduler = GetScheduler();
  const TimePoint now = scheduler.clock().Now();
  const TimePoint when = delay < TimePoint::max() - now ? now + delay : TimePoint::max();
  auto timer = MakeRef<TimerNode>(RequireHost(), when, waiter);
  timer->AddRef();  // the scheduler's, which it may give back at once (a shutdown)
  try {
    scheduler.AddTimer(timer.get());
  } catch (...) {
    timer->Cancel();
    timer->Release();
    throw;
  }
  timer_ = timer.Detach();
}

TimePoint TimerNow() { return GetScheduler().clock().Now(); }

bool PendingTimer::waits() const noexcept { return timer_ != nullptr && timer_->waits(); }

void PendingTimer::Cancel() noexcept {
  if (timer_ == nullptr) return;
  if (timer_->waits()) {
    timer_->Cancel();
    GetScheduler().RemoveTimer(*timer_);
  }
  std::exchange(timer_, nullptr)->Release();
}

bool DelayAwaiter::await_ready() const {
  RequireHost().CheckStop();
  return false;
}

void DelayAwaiter::await_resume() { RequireHost().CheckStop(); }

}  // namespace isolates::internal
