#include <sched.h>

#include <utility>

#include "isolates/blocking.h"
#include "isolates/detail/cpu.h"
#include "isolates/detail/heap.h"
#include "src/isolate/scheduler.h"
#include "src/isolate/thread_context.h"

namespace isolates::internal {
namespace {

const IdleStrategy& StrategyOf(const ThreadContext& context) noexcept {
  return context.idle_strategy != nullptr ? *context.idle_strategy : GetScheduler().idle_strategy();
}

}  // namespace

IdleWait::IdleWait() : context_(ThisThread()) {}

IdleWait::~IdleWait() {
  if (!learn_ || begin_ == kNever) return;
  StrategyOf(context_).Learn(context_.idle_memory, std::chrono::steady_clock::now() - begin_);
}

IdleStrategy::Step::Kind IdleWait::NextStep() noexcept {
  const bool first = std::exchange(first_, false);
  const TimePoint now = first ? kNever : std::chrono::steady_clock::now();
  if (begin_ == kNever) begin_ = now;
  waited_ = now - begin_;
  const bool crowded = !context_.has_processor && GetScheduler().Crowded();
  const IdleStrategy::Step step = StrategyOf(context_).Next(context_.idle_memory, waited_, crowded);
  if (step.kind == IdleStrategy::Step::Kind::kSleep) {
    if (begin_ == kNever) begin_ = std::chrono::steady_clock::now();
    const TimePoint from = first ? begin_ : now;
    sleep_until_ = step.at_most < TimePoint::max() - from ? from + step.at_most : TimePoint::max();
  }
  return step.kind;
}

void IdleWait::Yield() noexcept { sched_yield(); }

BlockingRegion::~BlockingRegion() {
  if (entered_) GetScheduler().EndBlocking();
}

// What was just made ready, perhaps by this thread, has a worker on its way: some microseconds.
void BlockingRegion::EnterIfOthersWait() {
  constexpr int kSteps = 32;
  if (entered_) return;
  others_wait_ = GetScheduler().OthersWait() ? others_wait_ + 1 : 0;
  if (others_wait_ == kSteps) Enter();
}

void BlockingRegion::Enter() {
  if (entered_) return;
  GetScheduler().BeginBlocking();
  entered_ = true;
}

ForeignCall::ForeignCall() {
  const MainHeapScope main_heap;  // a thread may be started
  GetScheduler().BeginBlocking();
}

ForeignCall::~ForeignCall() { GetScheduler().EndBlocking(); }

}  // namespace isolates::internal
