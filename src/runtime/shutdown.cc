// Who is alive, and the end of all.

#include <time.h>

#include <algorithm>
#include <utility>

#include "isolates/detail/heap.h"
#include "src/runtime/runtime_impl.h"

namespace isolates::internal {
namespace {

// Between two looks of a shutdown, which is no time-critical path.
void ShortPause() {
  const timespec pause{0, 100'000};
  nanosleep(&pause, nullptr);
}

// By the machine's clock, whatever clock the program's waits go by.
TimePoint MachineDeadline(Duration timeout) {
  const TimePoint now = std::chrono::steady_clock::now();
  return timeout < TimePoint::max() - now ? now + timeout : TimePoint::max();
}

bool PassedByMachine(TimePoint deadline) { return std::chrono::steady_clock::now() >= deadline; }

}  // namespace

std::vector<Ref<IsolateCore>> Runtime::Live() {
  std::vector<Ref<IsolateCore>> cores;
  ForEachLive([&](IsolateCore& core) { cores.emplace_back(&core); });
  std::sort(cores.begin(), cores.end(),
            [](const auto& a, const auto& b) { return a->id() < b->id(); });
  return cores;
}

std::vector<LiveIsolate> Runtime::Describe(const std::vector<Ref<IsolateCore>>& cores) {
  auto timers = keeper_->CountTimers();
  const auto waits = BlockedWait::All(*this);
  std::vector<LiveIsolate> described;
  for (const auto& core : cores) {
    if (!core->dead()) described.push_back(core->DescribeLife(waits, timers[core->id()]));
  }
  return described;
}

std::vector<LiveIsolate> Runtime::DescribeLive() {
  const MainHeapScope main_heap;
  return Describe(Live());
}

// Why two equal looks suffice: a message comes from an isolate that makes a step. Say that one was
// on its way unseen. Its sender was found asleep twice without a step in between, so it sent before
// the first look at it (or after the second, then because of an earlier such message; take the
// earliest). That send comes before the second look at the receiver, which was then found running,
// or has made a step.
std::optional<Runtime::Standstill> Runtime::LookForQuiet() {
  using Activity = IsolateState<StdAtomics>::Activity;
  Standstill look;
  bool quiet = true;
  ForEachLive([&](IsolateCore& core) {
    if (core.attached()) return;
    const IsolateCore::Progress progress = core.progress();
    ++look.live;
    look.steps += progress.steps;
    if (progress.activity != Activity::kIdle && progress.activity != Activity::kWaits) {
      quiet = false;
    }
  });
  look.started =
      started_.load(std::memory_order_relaxed);  // relaxed - ordered by the shards' locks
  return quiet ? std::optional(look) : std::nullopt;
}

std::vector<LiveIsolate> Runtime::Drain(TimePoint deadline) {
  std::optional<Standstill> last;
  while (!PassedByMachine(deadline)) {
    const auto look = LookForQuiet();
    if (look.has_value() && look == last) return {};
    last = look;
    ShortPause();
  }
  std::vector<Ref<IsolateCore>> busy = Live();
  std::erase_if(busy, [](const auto& core) {
    return core->attached() ||
           core->progress().activity != IsolateState<StdAtomics>::Activity::kRuns;
  });
  return Describe(busy);
}

ShutdownReport Runtime::Stop(ShutdownMode mode, Duration timeout) {
  const MainHeapScope main_heap;
  ShutdownReport report;
  Phase open = Phase::kOpen;
  const Phase first = mode == ShutdownMode::kDrain ? Phase::kDraining : Phase::kClosed;
  // release - pairs with IsolateStarted; relaxed on failure: somebody else does it.
  if (!phase_.compare_exchange_strong(open, first, std::memory_order_release,
                                      std::memory_order_relaxed)) {
    return report;
  }
  // Where there is no memory for it, the call may be repeated.
  struct Repeatable {
    ~Repeatable() {
      // release - as above.
      if (failed) phase.store(Phase::kOpen, std::memory_order_release);
    }
    std::atomic<Phase>& phase;
    bool failed = true;
  } attempt{phase_};
  if (mode == ShutdownMode::kDrain) {
    report.not_drained = Drain(MachineDeadline(timeout));
    // release - pairs with IsolateStarted.
    phase_.store(Phase::kClosed, std::memory_order_release);
  }
  const TimePoint deadline = MachineDeadline(timeout);
  std::vector<Ref<IsolateCore>> left = Live();
  std::erase_if(left, [](const auto& core) { return core->attached(); });
  for (const auto& core : left) {
    core->RequestKill(ExitReason::kShutdown, "the runtime shuts down");
  }
  for (;;) {
    // In the list until all has been told of the end, which is a little longer than alive.
    bool any = false;
    ForEachLive([&](IsolateCore& core) { any = any || !core.attached(); });
    if (!any) break;
    if (PassedByMachine(deadline)) {
      left = Live();
      std::erase_if(left, [](const auto& core) { return core->attached(); });
      report.still_running = Describe(left);
      break;
    }
    ShortPause();
  }
  left.clear();
  attempt.failed = false;
  // relaxed - published by the store that follows.
  overdue_.store(!report.still_running.empty(), std::memory_order_relaxed);
  // release - pairs with Schedule and the workers' loops.
  stopped_.store(true, std::memory_order_release);
  keeper_->Stop();
  std::vector<std::unique_ptr<Worker>> workers;
  {
    const std::lock_guard lock(spares_mutex_);
    workers.swap(workers_);
  }
  for (const auto& worker : workers) worker->context->parker.Unpark();
  for (auto& worker : workers) {
    // A worker that is still in a turn cannot be joined; neither can a worker that itself stops us.
    // acquire - pairs with WorkerMain.
    while (!worker->exited.load(std::memory_order_acquire) && worker.get() != current_worker &&
           !PassedByMachine(deadline)) {
      ShortPause();
    }
    if (worker->exited.load(std::memory_order_acquire)) {
      worker->thread.join();
    } else {
      worker->thread.detach();
    }
  }
  // Never freed: places, isolates and wakers that are late still refer to them.
  const std::lock_guard lock(spares_mutex_);
  ended_workers_ = std::move(workers);
  return report;
}

}  // namespace isolates::internal

namespace isolates {

std::vector<LiveIsolate> LiveIsolates() { return internal::Runtime::Get().DescribeLive(); }

ShutdownReport Shutdown(ShutdownMode mode, Duration deadline) {
  const internal::IsolateCore* const core = internal::CurrentCore();
  if (core != nullptr && !core->attached()) {
    throw StateError("Shutdown cannot be called from an event of an isolate that it would end");
  }
  return internal::Runtime::Get().Stop(mode, deadline);
}

}  // namespace isolates
