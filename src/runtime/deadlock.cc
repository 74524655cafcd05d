// Notices that nothing can happen any more while somebody waits for ever.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <optional>
#include <utility>

#include "isolates/detail/heap.h"
#include "src/base/thread_state.h"
#include "src/runtime/runtime_impl.h"

namespace isolates {
namespace {

void WriteDeadlock(const DeadlockReport& report) {
  std::string text =
      "isolates: nothing can happen any more, unless a thread that the library does not know sends "
      "something. Who is left:\n";
  for (const std::string& line : report.waiting) text += "  " + line + "\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}

std::atomic<DeadlockHandler> deadlock_handler{&WriteDeadlock};

}  // namespace

DeadlockHandler SetDeadlockHandler(DeadlockHandler new_handler) noexcept {
  if (new_handler == nullptr) new_handler = &WriteDeadlock;
  // acq_rel - pairs with LookForDeadlock: what was done before the handler was set is visible to
  // it.
  return deadlock_handler.exchange(new_handler, std::memory_order_acq_rel);
}

namespace internal {

std::optional<Runtime::Standstill> Runtime::LookForStandstill() {
  using Activity = IsolateState<StdAtomics>::Activity;
  using Kind = BlockedWait::Kind;
  const MainHeapScope main_heap;
  // acquire - pairs with Stop: it ends what waits.
  if (phase_.load(std::memory_order_acquire) != Phase::kOpen || keeper_->HasTimers()) {
    return std::nullopt;
  }
  const auto waits = BlockedWait::All(*this);
  bool for_ever = false;
  bool main_waits = false;
  for (const auto& wait : waits.waits) {
    if (wait.kind == Kind::kDeadline || wait.over) return std::nullopt;
    for_ever = for_ever || wait.kind == Kind::kForEver;
    main_waits = main_waits || wait.thread == main_thread_;
  }
  if (!for_ever) return std::nullopt;
  if (!main_waits && StateOfThread(main_tid_) != ThreadState::kGone) return std::nullopt;
  Standstill look;
  look.wait_changes = waits.changes;
  bool still = true;
  ForEachLive([&](IsolateCore& core) {
    const IsolateCore::Progress progress = core.progress();
    ++look.live;
    look.steps += progress.steps;
    // What a thread of the program runs, that thread may go on with, for whatever reason.
    const bool idle = progress.activity == Activity::kIdle && !core.attached() && !core.hosted();
    if (!idle && progress.activity != Activity::kWaits) still = false;
  });
  look.started =
      started_.load(std::memory_order_relaxed);  // relaxed - ordered by the shards' locks
  return still ? std::optional(look) : std::nullopt;
}

std::vector<std::string> Runtime::DescribeWaits() {
  std::vector<std::string> lines;
  for (const LiveIsolate& isolate : DescribeLive()) lines.push_back(ToString(isolate));
  for (std::string& wait : DescribeThreadWaits()) lines.push_back(std::move(wait));
  return lines;
}

std::vector<std::string> Runtime::DescribeThreadWaits() {
  std::vector<std::string> lines;
  for (const auto& wait : BlockedWait::All(*this).waits) {
    if (wait.isolate != 0) continue;
    const char* const who = wait.thread == main_thread_ ? "the main thread" : "a thread";
    lines.push_back(std::string(who) + " (blocked), in a wait for " + wait.subject);
  }
  return lines;
}

// On the keeper's thread. True: look again.
bool Runtime::LookForDeadlock() {
  std::optional<Standstill> look;
  try {
    look = LookForStandstill();
  } catch (const std::bad_alloc&) {
    return true;
  }
  standstill_looks_.fetch_add(1, std::memory_order_relaxed);  // relaxed - a counter
  const bool same = look.has_value() && look == last_standstill_;
  last_standstill_ = look;
  if (!same) return look.has_value();
  if (look == reported_standstill_) return false;
  reported_standstill_ = look;
  const MainHeapScope main_heap;
  try {
    // acquire - pairs with SetDeadlockHandler.
    deadlock_handler.load(std::memory_order_acquire)({DescribeWaits()});
  } catch (...) {  // NOLINT(bugprone-empty-catch): there is nobody left to tell
  }
  return false;
}

}  // namespace internal
}  // namespace isolates
