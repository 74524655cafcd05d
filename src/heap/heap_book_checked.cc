// What only checked builds do with heaps. In others nothing refers to this file, and it is not
// linked.

#include <mutex>
#include <shared_mutex>
#include <string_view>

#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"
#include "src/heap/heap_book.h"
#include "src/heap/quarantine.h"
#include "src/heap/trap.h"

namespace isolates::internal {

bool HeapBook::Detain(Heap* heap, std::string_view story) noexcept {
  if (!LeaveHome(heap)) {
    return false;
  }
  trap::Discard(heap->raw_);
  trap::Guard* const guard = trap::Protect(heap->raw_, TrapKind::kDrop, story);
  if (guard == nullptr) {
    return false;
  }
  quarantine_.Push({heap, guard, trap::Bytes(guard)}, [](const Quarantine::Entry& oldest) {
    trap::Unprotect(oldest.guard);
    Free(oldest.heap);
  });
  return true;
}

bool HeapBook::LeaveHome(Heap* heap) noexcept {
  // relaxed - written by the holder of the heap, who is the caller, or under the teardown lock.
  WorkerHeaps* const home = heap->home_.load(std::memory_order_relaxed);
  if (home == nullptr) {
    return true;
  }
  if (home != WorkerHeaps::Current() || HeapScope::Uses(heap)) {
    return false;
  }
  home->Leave(heap);
  return true;
}

void HeapBook::LeaveSealed(Heap* heap) noexcept {
  const std::shared_lock teardown(teardown_);
  LeaveHome(heap);
}

trap::Guard* HeapBook::Guard(Heap* heap, TrapKind kind, std::string_view text) noexcept {
  const MainHeapScope main_heap;
  // A worker that ends has no state for the heap any more only when it has given the lock back.
  const std::shared_lock teardown(teardown_);
  return LeaveHome(heap) ? trap::Protect(heap->raw_, kind, text) : nullptr;
}

void LeaveSealedHeap(Heap* heap) noexcept { HeapBook::Get().LeaveSealed(heap); }

}  // namespace isolates::internal
