#ifndef ISOLATES_SRC_HEAP_HEAP_BOOK_H_
#define ISOLATES_SRC_HEAP_HEAP_BOOK_H_

// The process-wide book of heaps: which exist, which lie idle, who has allocator state for them.
// Off the hot path: a worker comes here only when the heaps that it keeps do not do.
//
// Locks, in this order: teardown_ > list_mutex_ > a worker's leaves mutex; teardown_ > the
// quarantine's > the trap's; pool_mutex_ and BuilderTrust's are leaves.
// - teardown_ is held shared by whoever destroys a parcel heap or asks a home worker for something,
//   and exclusively by a worker that ends and gives up all its allocator state. mimalloc has been
//   seen to lock in a circle when threads exit while heaps are destroyed; a worker that ends in
//   this order has no state left that its thread's exit would have to clean up against a destroy.
// - Heaps of kind pooled are never freed, so a pointer to one stays good without a lock.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <string_view>

#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "src/heap/builder_trust.h"
#include "src/heap/heap_registry.h"
#include "src/heap/quarantine.h"
#include "src/heap/trap.h"

namespace isolates::internal {

class HeapBook {
 public:
  constexpr HeapBook() noexcept = default;

  static HeapBook& Get() noexcept { return instance_; }

  // A new heap, first touched by this thread; nullptr if the allocator refuses.
  Heap* Create(bool parcel);
  // A new heap if fewer than the limit live, else nullptr.
  Heap* CreateWithinLimit(bool parcel);
  // An idle pooled heap, or nullptr.
  Heap* PopIdle() noexcept;
  // A pooled heap that somebody else uses or keeps ready, as a guest; nullptr if there is none.
  Heap* JoinAsGuest() noexcept;
  // Gives back one hold. True: the caller has the pool position and must put the heap somewhere.
  static bool ReleaseHold(Heap* heap) noexcept;
  void PushIdle(Heap* heap) noexcept;

  // The parts of RetireHeap and DestroyParcelHeap.
  void Retire(Heap* heap) noexcept;
  void Destroy(Heap* heap, std::string_view story) noexcept;

  // Checked builds. The calling thread, which built in the heap, gives up its allocator state.
  void LeaveSealed(Heap* heap) noexcept;
  // Guards a parcel heap (trap.h). nullptr if it cannot be guarded: above all while another thread
  // has allocator state for it.
  trap::Guard* Guard(Heap* heap, TrapKind kind, std::string_view text) noexcept;

  // A worker that ends gives up everything that it has.
  void EndWorker(WorkerHeaps& worker) noexcept;
  // Collects what `worker`, on its own thread, has used since the last time.
  void CollectHome(WorkerHeaps& worker) noexcept;

  // Counters only; relaxed throughout.
  std::size_t idle() const noexcept { return idle_.load(std::memory_order_relaxed); }
  std::size_t live() const noexcept { return live_.load(std::memory_order_relaxed); }
  std::size_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
  void set_limit(std::size_t limit) noexcept { limit_.store(limit, std::memory_order_relaxed); }
  void CountParcel(bool fresh) noexcept {
    (fresh ? parcels_fresh_ : parcels_pooled_).fetch_add(1, std::memory_order_relaxed);
  }
  HeapCounters Counters() const noexcept;

  BuilderTrust& trust() noexcept { return trust_; }
  const HeapRegistry& registry() const noexcept { return registry_; }
  static backend::RawHeap* Raw(const Heap* heap) noexcept { return heap->raw_; }

 private:
  // Takes over a heap that nobody knows yet. Throws std::bad_alloc; the heap is freed then.
  void Insert(Heap* heap);
  // Under the teardown lock. False if another thread has allocator state for the heap.
  static bool LeaveHome(Heap* heap) noexcept;
  // Frees what Destroy has taken out of the book (under the teardown lock), or nobody knows yet.
  static void Free(Heap* heap) noexcept;
  // Instead of Free at once. False: not possible.
  bool Detain(Heap* heap, std::string_view story) noexcept;

  static constinit HeapBook instance_;

  std::shared_mutex teardown_;

  std::mutex list_mutex_;
  Heap* first_ = nullptr;         // list mutex
  Heap* guest_cursor_ = nullptr;  // list mutex: pooled heaps are joined in turn

  std::mutex pool_mutex_;
  Heap* idle_head_ = nullptr;  // pool mutex; the last one retired is the warmest

  HeapRegistry registry_;
  BuilderTrust trust_;
  Quarantine quarantine_;  // checked builds

  // Counters: no other memory depends on their values.
  std::atomic<std::uint64_t> created_{0};
  std::atomic<std::uint64_t> destroyed_{0};
  std::atomic<std::size_t> live_{0};
  std::atomic<std::size_t> idle_{0};
  std::atomic<std::size_t> parcels_fresh_{0};
  std::atomic<std::size_t> parcels_pooled_{0};
  std::atomic<std::size_t> guests_{0};
  std::atomic<std::size_t> limit_{kDefaultHeapLimit};
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_HEAP_HEAP_BOOK_H_
