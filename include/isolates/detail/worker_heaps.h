#ifndef ISOLATES_DETAIL_WORKER_HEAPS_H_
#define ISOLATES_DETAIL_WORKER_HEAPS_H_

// The heaps of one worker thread: a few idle pooled heaps kept ready (warm, no lock), the policy
// that decides when a parcel gets a heap of its own, and the duty to give up allocator state that
// this thread holds for heaps which others use now.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "isolates/detail/heap.h"
#include "isolates/detail/main_heap.h"

namespace isolates::internal {

// Made, used and destroyed by one thread, at most one at a time on it; RequestLeave is the only
// function for others.
class WorkerHeaps : public MainHeapObject {
 public:
  // Idle pooled heaps kept by the worker; what comes back beyond them goes to the common pool.
  static constexpr std::size_t kKept = 4;
  // While so many retired heaps lie idle, the failures of builders are not forgiven.
  static constexpr std::size_t kIdleLimit = 64;

  WorkerHeaps();
  ~WorkerHeaps();
  WorkerHeaps(const WorkerHeaps&) = delete;
  WorkerHeaps& operator=(const WorkerHeaps&) = delete;

  // The calling thread's, or nullptr.
  static WorkerHeaps* Current() noexcept { return current_; }
  // The same; a thread that is no worker gets one that ends with it. nullptr if that has ended
  // already, and the thread is about to.
  static WorkerHeaps* OfThisThread();

  // A heap for one isolate. Past the limit of live heaps it may be one in use. Throws bad_alloc
  // if no heap can be had at all.
  Heap* AcquirePooled() {
    if (kept_count_ == 0) {
      return AcquirePooledSlow();
    }
    return kept_[--kept_count_];
  }
  // Gives it back, on the worker where its isolate ended (blocks in it may still be held).
  void ReleasePooled(Heap* heap) noexcept;

  // A heap for a parcel: fresh (Heap::is_parcel) unless the limit of live heaps is reached or this
  // builder is distrusted; then a pooled one, to be given back by ReleasePooled. `builder` is any
  // number that identifies the kind of parcel.
  //
  // Each fresh heap that cannot be dropped in the end (census failed, value taken out) becomes one
  // more retired heap for ever. So after each such failure a builder gets pooled heaps for a while,
  // twice as long as the last time, and then one more try. A success makes a clean slate only while
  // few retired heaps lie idle. That bounds them by kIdleLimit plus a logarithm for each builder,
  // and never costs a builder whose parcels are always dropped as a whole.
  Heap* AcquireParcelHeap(std::uintptr_t builder = 0);
  // Tells how the census of a fresh parcel heap ended: a success may be forgiving. A failure counts
  // when the heap is retired, so it need not be told (and is counted once).
  static void NoteCensus(bool ok, std::uintptr_t builder = 0) noexcept;

  // Gives up this thread's allocator state for `heap`: before its isolate moves to another worker
  // (rule H10), which then calls Arrive. The heap must not be in a scope of this thread.
  void Leave(Heap* heap) noexcept;
  void Arrive(Heap* heap) noexcept;
  // Any thread: asks this worker to leave `heap` at its next ServiceLeaves. The caller knows that
  // the worker lives.
  void RequestLeave(Heap* heap) noexcept;
  void ServiceLeaves() noexcept {
    // relaxed - a hint; the list is read under its mutex, and a request that is missed now is
    // seen by the next call.
    if (leaves_pending_.load(std::memory_order_relaxed)) {
      ServiceLeavesSlow();
    }
  }

  // Gives free memory of the heaps that this worker used since the last call back to the system.
  // Costs some microseconds for each, and the memory must be touched anew: for a worker that has
  // nothing to do.
  void Collect() noexcept;

 private:
  friend class HeapBook;

  Heap* AcquirePooledSlow();
  void ServiceLeavesSlow() noexcept;

  // Owner only.
  std::array<Heap*, kKept> kept_{};
  std::size_t kept_count_ = 0;

  // Any thread, under the mutex.
  std::mutex leaves_mutex_;
  std::vector<Heap*, MainAllocator<Heap*>> leaves_;
  // Written under the mutex; read by the owner as a hint.
  std::atomic<bool> leaves_pending_{false};

  static thread_local constinit WorkerHeaps* current_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_WORKER_HEAPS_H_
