#include "src/isolate/blocked_wait.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "src/isolate/core.h"
#include "src/isolate/scheduler.h"

namespace isolates::internal {
namespace {

// Taken before and after a sleep, which costs far more.
constinit std::mutex waits_mutex;  // guards the two that follow, and the nodes of the list
constinit RingNode wait_list;      // never destroyed: threads may wait until the very end
std::uint64_t wait_changes = 0;
// relaxed - a hint.
constinit std::atomic<int> for_ever_count{0};

}  // namespace

BlockedWait::BlockedWait(Scheduler& scheduler, const IsolateCore* isolate,
                         const WaitSubject& subject, TimePoint deadline, bool (*ready)(const void*),
                         const void* argument) noexcept
    : scheduler_(scheduler),
      isolate_(isolate),
      subject_(subject),
      kind_(deadline == TimePoint::max() ? Kind::kForEver : Kind::kDeadline),
      ready_(ready),
      argument_(argument) {}

BlockedWait::BlockedWait(Scheduler& scheduler, const IsolateCore& isolate) noexcept
    : scheduler_(scheduler),
      isolate_(&isolate),
      subject_{"events"},
      kind_(Kind::kEvents),
      ready_(nullptr),
      argument_(nullptr) {}

void BlockedWait::Begin() noexcept {
  if (std::exchange(listed_, true)) return;
  {
    const std::lock_guard lock(waits_mutex);
    InsertBefore(wait_list);
    ++wait_changes;
  }
  if (kind_ == Kind::kForEver) for_ever_count.fetch_add(1, std::memory_order_relaxed);
  // Also a thread that comes to wait for events beside one that waits for ever.
  if (kind_ != Kind::kDeadline && AnyForEver()) scheduler_.WaitsForEver();
}

void BlockedWait::End() noexcept {
  if (!std::exchange(listed_, false)) return;
  if (kind_ == Kind::kForEver) for_ever_count.fetch_sub(1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(waits_mutex);
    Unlink();
    ++wait_changes;
  }
  // Its deadline kept who looked before from seeing that the others wait for ever.
  if (kind_ == Kind::kDeadline && AnyForEver()) scheduler_.WaitsForEver();
}

BlockedWait::Snapshot BlockedWait::All(const Scheduler& scheduler) {
  const MainHeapScope main_heap;
  Snapshot snapshot;
  const std::lock_guard lock(waits_mutex);
  snapshot.changes = wait_changes;
  for (RingNode* node = wait_list.next; node != &wait_list; node = node->next) {
    const auto& wait = *static_cast<const BlockedWait*>(node);
    if (&wait.scheduler_ != &scheduler) continue;
    std::string subject = wait.subject_.what;
    if (wait.subject_.port != nullptr) subject += " " + wait.subject_.port->Describe();
    snapshot.waits.push_back({wait.isolate_ != nullptr ? wait.isolate_->id() : 0, wait.thread_,
                              wait.kind_, wait.ready_ != nullptr && wait.ready_(wait.argument_),
                              std::move(subject)});
  }
  return snapshot;
}

bool BlockedWait::AnyForEver() noexcept {
  return for_ever_count.load(std::memory_order_relaxed) > 0;
}

}  // namespace isolates::internal
