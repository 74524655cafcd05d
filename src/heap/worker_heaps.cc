#include "isolates/detail/worker_heaps.h"

#include <new>

#include "isolates/detail/check.h"
#include "src/heap/backend.h"
#include "src/heap/heap_book.h"

namespace isolates::internal {

namespace {

// Outlives the lease, whose destructor sets it.
thread_local constinit bool lease_ended = false;

// The heaps of a plain thread. They go with the thread's other thread_locals: before the allocator
// ends what the thread has of it, as for a worker.
struct Lease {
  WorkerHeaps* heaps = nullptr;
  ~Lease() {
    delete heaps;
    lease_ended = true;
  }
};

}  // namespace

thread_local constinit WorkerHeaps* WorkerHeaps::current_ = nullptr;

WorkerHeaps* WorkerHeaps::OfThisThread() {
  if (current_ != nullptr) return current_;
  if (lease_ended) return nullptr;
  const MainHeapScope main_heap;  // the C library notes the destructor below
  thread_local Lease lease;
  lease.heaps = new WorkerHeaps;
  return current_;
}

WorkerHeaps::WorkerHeaps() {
  ISOLATES_CHECK(current_ == nullptr, "a thread has one WorkerHeaps at most");
  current_ = this;
}

WorkerHeaps::~WorkerHeaps() {
  ISOLATES_CHECK(current_ == this, "WorkerHeaps is destroyed by the thread that made it");
  HeapBook::Get().EndWorker(*this);
  current_ = nullptr;
  while (kept_count_ > 0) {
    HeapBook::Get().PushIdle(kept_[--kept_count_]);
  }
}

Heap* WorkerHeaps::AcquirePooledSlow() {
  HeapBook& book = HeapBook::Get();
  Heap* heap = book.PopIdle();
  if (heap == nullptr) {
    heap = book.CreateWithinLimit(/*parcel=*/false);
  }
  if (heap == nullptr) {
    heap = book.JoinAsGuest();
    if (heap != nullptr) {
      return heap;  // at home where its first user is
    }
    // The limit is used up by parcels: isolates must go on nevertheless.
    heap = book.Create(/*parcel=*/false);
  }
  if (heap == nullptr) {
    throw std::bad_alloc();
  }
  Arrive(heap);
  return heap;
}

void WorkerHeaps::ReleasePooled(Heap* heap) noexcept {
  ISOLATES_CHECK(!heap->is_parcel(), "a parcel's heap is dropped or retired, not released");
  heap->MarkShared();  // its isolate has ended; blocks of it may live on anywhere
  if (!HeapBook::ReleaseHold(heap)) {
    return;  // a guest; it may even be the heap of the isolate that goes on here
  }
  ISOLATES_CHECK(!HeapScope::Uses(heap), "a heap is released inside its own HeapScope");
  if (kept_count_ < kKept) {
    Arrive(heap);
    kept_[kept_count_++] = heap;
    return;
  }
  Leave(heap);
  HeapBook::Get().PushIdle(heap);
}

Heap* WorkerHeaps::AcquireParcelHeap(std::uintptr_t builder) {
  HeapBook& book = HeapBook::Get();
  if (backend::HasHeaps() && book.trust().MayHaveFresh(builder)) {
    if (Heap* const heap = book.CreateWithinLimit(/*parcel=*/true)) {
      heap->builder_ = builder;
      Arrive(heap);
      book.CountParcel(/*fresh=*/true);
      return heap;
    }
  }
  Heap* const heap = AcquirePooled();
  book.CountParcel(/*fresh=*/false);
  return heap;
}

void WorkerHeaps::NoteCensus(bool ok, std::uintptr_t builder) noexcept {
  HeapBook& book = HeapBook::Get();
  if (ok && book.idle() < kIdleLimit) {
    book.trust().Forgive(builder);
  }
}

void WorkerHeaps::Arrive(Heap* heap) noexcept {
  // relaxed - see Heap::home_: written by the holder; Retire and EndWorker read it after the heap
  // was handed on, or under the teardown lock.
  heap->home_.store(this, std::memory_order_relaxed);
}

void WorkerHeaps::Leave(Heap* heap) noexcept {
  ISOLATES_CHECK(!HeapScope::Uses(heap), "a worker leaves a heap inside its HeapScope");
  const MainHeapScope main_heap;
  backend::TheapDelete(heap->raw_);
  WorkerHeaps* self = this;
  // relaxed - as in Arrive; the exchange keeps a worker that took the heap over meanwhile.
  heap->home_.compare_exchange_strong(self, nullptr, std::memory_order_relaxed,
                                      std::memory_order_relaxed);
}

void WorkerHeaps::RequestLeave(Heap* heap) noexcept {
  // From now on the heap is not at home here, unless this worker takes it again (Arrive): that
  // makes the request void. relaxed - see Arrive.
  WorkerHeaps* self = this;
  heap->home_.compare_exchange_strong(self, nullptr, std::memory_order_relaxed,
                                      std::memory_order_relaxed);
  const std::lock_guard lock(leaves_mutex_);
  // relaxed - ours is written under this mutex only; another worker's value is no match.
  if (heap->leave_asked_.load(std::memory_order_relaxed) == this) {
    return;
  }
  try {
    leaves_.push_back(heap);
  } catch (const std::bad_alloc&) {
    return;  // then some free memory stays with this worker for a while
  }
  heap->leave_asked_.store(this, std::memory_order_relaxed);
  // relaxed - ServiceLeaves takes the mutex before it reads the list.
  leaves_pending_.store(true, std::memory_order_relaxed);
}

void WorkerHeaps::ServiceLeavesSlow() noexcept {
  decltype(leaves_) now;
  {
    // Leaving a big heap takes a while: those who ask do not wait for it.
    const std::lock_guard lock(leaves_mutex_);
    now.swap(leaves_);
    leaves_pending_.store(false, std::memory_order_relaxed);  // written under the mutex
    for (Heap* const heap : now) {
      WorkerHeaps* self = this;
      // relaxed - under the mutex; a later request to another worker stands.
      heap->leave_asked_.compare_exchange_strong(self, nullptr, std::memory_order_relaxed,
                                                 std::memory_order_relaxed);
    }
  }
  for (Heap* const heap : now) {
    if (HeapScope::Uses(heap)) {
      RequestLeave(heap);  // later
      // relaxed - ours only if this worker took the heap again since: then it needs the state.
    } else if (heap->home_.load(std::memory_order_relaxed) != this) {
      Leave(heap);
    }
  }
}

void WorkerHeaps::Collect() noexcept {
  ServiceLeaves();
  HeapBook::Get().CollectHome(*this);
}

}  // namespace isolates::internal
