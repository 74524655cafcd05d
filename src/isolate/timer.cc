#include "isolates/timer.h"

#include "src/isolate/core.h"
#include "src/isolate/scheduler.h"
#include "src/isolate/timer_node.h"

namespace isolates::internal {

DelayAwaiter::~DelayAwaiter() {
  if (timer_ == nullptr) return;
  timer_->Cancel();
  timer_->Release();
}

bool DelayAwaiter::await_ready() const {
  RequireHost().CheckStop();
  return false;
}

void DelayAwaiter::await_suspend(std::coroutine_handle<> waiter) {
  const MainHeapScope main_heap;
  Scheduler& scheduler = GetScheduler();
  timer_ = new TimerNode(RequireHost(), scheduler.clock().Now() + delay_, waiter);
  timer_->AddRef();  // the scheduler's
  scheduler.AddTimer(timer_);
}

void DelayAwaiter::await_resume() { RequireHost().CheckStop(); }

}  // namespace isolates::internal
