#include "src/heap/heap_book.h"

#include <array>
#include <memory>
#include <new>

#include "isolates/detail/check.h"
#include "isolates/detail/main_heap.h"
#include "src/heap/backend.h"

namespace isolates::internal {

constinit HeapBook HeapBook::instance_;

Heap* HeapBook::Create(bool parcel) {
  backend::CheckAllocator();
  const MainHeapScope main_heap;  // H7: creation and first touch
  try {
    auto memory = std::unique_ptr<void, decltype(&MainFree)>(MainAllocate(sizeof(Heap)), &MainFree);
    backend::RawHeap* const raw = backend::HeapNew();
    if (raw == nullptr) {
      return nullptr;
    }
    // relaxed - a number that is only taken once.
    const std::uint64_t id = created_.fetch_add(1, std::memory_order_relaxed) + 1;
    auto* const heap = new (memory.release()) Heap(id, raw, parcel);
    Insert(heap);
    return heap;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void HeapBook::Insert(Heap* heap) {
  {
    const std::lock_guard lock(list_mutex_);
    if (backend::HasHeaps()) {
      try {
        registry_.Insert(heap->raw_, heap);
      } catch (const std::bad_alloc&) {
        destroyed_.fetch_add(1, std::memory_order_relaxed);  // a count
        Free(heap);
        throw;
      }
    }
    heap->next_ = first_;
    if (first_ != nullptr) {
      first_->prev_ = heap;
    }
    first_ = heap;
  }
  live_.fetch_add(1, std::memory_order_relaxed);  // a count
  backend::TheapTouch(heap->raw_);
}

Heap* HeapBook::CreateWithinLimit(bool parcel) {
  return live() < limit() ? Create(parcel) : nullptr;
}

Heap* HeapBook::PopIdle() noexcept {
  if (idle() == 0) {  // a hint; a miss costs a fresh heap
    return nullptr;
  }
  const std::lock_guard lock(pool_mutex_);
  Heap* const heap = idle_head_;
  if (heap != nullptr) {
    idle_head_ = heap->next_idle_;
    idle_.fetch_sub(1, std::memory_order_relaxed);
  }
  return heap;
}

void HeapBook::PushIdle(Heap* heap) noexcept {
  const std::lock_guard lock(pool_mutex_);
  heap->next_idle_ = idle_head_;
  idle_head_ = heap;
  idle_.fetch_add(1, std::memory_order_relaxed);
}

Heap* HeapBook::JoinAsGuest() noexcept {
  const std::lock_guard lock(list_mutex_);
  Heap* const start = guest_cursor_ != nullptr ? guest_cursor_ : first_;
  for (Heap* heap = start; heap != nullptr;) {
    Heap* const next = heap->next_ != nullptr ? heap->next_ : first_;
    // relaxed - a heap that was a parcel stays pooled once it is; a stale "parcel" only skips it.
    if (!heap->is_parcel()) {
      guest_cursor_ = next;
      heap->MarkShared();
      // relaxed - holds are only counted; what was built in the heap moves by its own hand-over.
      heap->holders_.fetch_add(1, std::memory_order_relaxed);
      guests_.fetch_add(1, std::memory_order_relaxed);
      return heap;
    }
    heap = next == start ? nullptr : next;
  }
  return nullptr;
}

bool HeapBook::ReleaseHold(Heap* heap) noexcept {
  // relaxed - as in JoinAsGuest. The last holder finds 1 and keeps it as the pool position.
  int holders = heap->holders_.load(std::memory_order_relaxed);
  while (holders > 1) {
    if (heap->holders_.compare_exchange_weak(holders, holders - 1, std::memory_order_relaxed,
                                             std::memory_order_relaxed)) {
      return false;
    }
  }
  return true;
}

void HeapBook::Retire(Heap* heap) noexcept {
  if (heap->is_parcel()) {
    trust_.NoteFailure(heap->builder_);
  }
  heap->MarkShared();
  // relaxed - the holder gives the heap up here; PushIdle's mutex carries it to the next.
  heap->parcel_.store(false, std::memory_order_relaxed);
  {
    const std::shared_lock lock(teardown_);
    // relaxed - EndWorker, which clears it, excludes this by the lock.
    WorkerHeaps* const home = heap->home_.load(std::memory_order_relaxed);
    if (home != nullptr && home == WorkerHeaps::Current()) {
      home->Leave(heap);
    } else if (home != nullptr) {
      home->RequestLeave(heap);
    }
  }
  PushIdle(heap);
}

void HeapBook::Destroy(Heap* heap, std::string_view story) noexcept {
  const MainHeapScope main_heap;  // nothing of the allocator's own may land in the dropper's heap
  const std::shared_lock teardown(teardown_);
  {
    const std::lock_guard lock(list_mutex_);
    if (heap->prev_ != nullptr) {
      heap->prev_->next_ = heap->next_;
    } else {
      first_ = heap->next_;
    }
    if (heap->next_ != nullptr) {
      heap->next_->prev_ = heap->prev_;
    }
    if (guest_cursor_ == heap) {
      guest_cursor_ = heap->next_;
    }
    if (backend::HasHeaps()) {
      registry_.Erase(heap->raw_);  // before the address can belong to a new heap
    }
  }
  destroyed_.fetch_add(1, std::memory_order_relaxed);
  live_.fetch_sub(1, std::memory_order_relaxed);
  if constexpr (kCheckedBuild) {
    if (Detain(heap, story)) {
      return;
    }
  }
  Free(heap);
}

void HeapBook::Free(Heap* heap) noexcept {
  backend::HeapDestroy(heap->raw_);
  delete heap;
}

void HeapBook::EndWorker(WorkerHeaps& worker) noexcept {
  const MainHeapScope main_heap;
  const std::lock_guard teardown(teardown_);
  {
    const std::lock_guard lock(worker.leaves_mutex_);
    for (Heap* const heap : worker.leaves_) {
      // relaxed - under the mutex.
      heap->leave_asked_.store(nullptr, std::memory_order_relaxed);
      backend::TheapDelete(heap->raw_);
    }
    worker.leaves_.clear();
  }
  const std::lock_guard lock(list_mutex_);
  for (Heap* heap = first_; heap != nullptr; heap = heap->next_) {
    // relaxed - written by this worker; others that could write it ask under the teardown lock.
    if (heap->home_.load(std::memory_order_relaxed) == &worker) {
      heap->home_.store(nullptr, std::memory_order_relaxed);
      backend::TheapDelete(heap->raw_);
    }
  }
}

void HeapBook::CollectHome(WorkerHeaps& worker) noexcept {
  const MainHeapScope main_heap;
  std::array<Heap*, 32> batch;
  std::size_t count = 0;
  do {
    count = 0;
    {
      // Collecting can take milliseconds: not under the mutex that every drop takes.
      const std::lock_guard lock(list_mutex_);
      for (Heap* heap = first_; heap != nullptr && count < batch.size(); heap = heap->next_) {
        // A parcel in the hands of another thread may be destroyed at any moment: not touched. The
        // others live for ever. relaxed - home_ and touched_ are written by this worker, or hints.
        if (heap->home_.load(std::memory_order_relaxed) == &worker && !heap->is_parcel() &&
            heap->touched_.exchange(false, std::memory_order_relaxed)) {
          batch[count++] = heap;
        }
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      backend::TheapCollect(batch[i]->raw_);
    }
  } while (count == batch.size());
  backend::TheapCollect(nullptr);
}

HeapCounters HeapBook::Counters() const noexcept {
  HeapCounters counters;
  counters.created = created_.load(std::memory_order_relaxed);
  counters.destroyed = destroyed_.load(std::memory_order_relaxed);
  counters.live = live();
  counters.pooled_idle = idle();
  counters.parcels_fresh = parcels_fresh_.load(std::memory_order_relaxed);
  counters.parcels_pooled = parcels_pooled_.load(std::memory_order_relaxed);
  counters.guests = guests_.load(std::memory_order_relaxed);
  return counters;
}

}  // namespace isolates::internal
