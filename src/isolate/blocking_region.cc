#include "isolates/detail/cpu.h"
#include "src/isolate/scheduler.h"

namespace isolates::internal {

BlockingRegion::BlockingRegion() noexcept {
  const Duration window = GetScheduler().SpinWindow();
  spin_until_ = window > Duration::zero() ? DeadlineAfter(window) : TimePoint::min();
}

BlockingRegion::~BlockingRegion() {
  if (entered_) GetScheduler().EndBlocking();
}

bool BlockingRegion::Spin() noexcept {
  if (spin_until_ == TimePoint::min()) return false;
  for (int i = 0; i < 8; ++i) CpuPause();
  return std::chrono::steady_clock::now() < spin_until_;
}

void BlockingRegion::Enter() {
  GetScheduler().BeginBlocking();
  entered_ = true;
}

}  // namespace isolates::internal
