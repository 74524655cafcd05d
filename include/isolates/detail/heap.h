#ifndef ISOLATES_DETAIL_HEAP_H_
#define ISOLATES_DETAIL_HEAP_H_

// A Heap wraps one heap of the allocator; a HeapScope makes it the place where `new`, `malloc` and
// every container of the calling thread allocate.
//
// Two kinds (rule H3): a *pooled* heap serves one isolate at a time and is handed to the next with
// whatever blocks others still hold in it; it lives as long as the process. A *parcel* heap is
// fresh; while nothing in it was shared it can be dropped as a whole, by DestroyParcelHeap. A
// parcel heap that may not be dropped is retired, which makes it a pooled one.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "isolates/detail/census.h"
#include "isolates/detail/main_heap.h"

namespace isolates::internal {

class WorkerHeaps;

namespace backend {
struct RawHeap;  // the allocator's own heap
// Makes `raw` (nullptr: the main heap) the calling thread's default and checks that it became it.
void SwitchDefault(RawHeap* raw) noexcept;
}  // namespace backend

struct HeapUse {
  std::size_t live_bytes = 0;  // of blocks
  std::size_t committed_bytes = 0;
};

class Heap : public MainHeapObject {
 public:
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // Number in the order of creation; never used twice.
  std::uint64_t id() const noexcept { return id_; }

  // True until the heap is retired. Only the holder of the parcel may draw conclusions from it.
  bool is_parcel() const noexcept {
    return parcel_.load(std::memory_order_relaxed);  // changed by the holder only
  }

  // Shared (rule H4): blocks of it may be in the hands of others. Once set it stays set.
  // relaxed - whoever decides on it (the census, the drop) holds the heap by a hand-over, which
  // orders all marks made before.
  bool shared() const noexcept { return shared_.load(std::memory_order_relaxed); }
  void MarkShared() noexcept {
    if (!shared()) {
      shared_.store(true, std::memory_order_relaxed);
    }
  }

  // Name of the isolate that uses the heap, for the wording of errors (cut to what fits). A name
  // that is read while it changes may come out mixed.
  void set_owner_name(std::string_view name) noexcept;
  std::string owner_name() const;

  // Adds up every live block. Only for a heap that is not shared, on the worker that built in it: a
  // free by any thread meanwhile would hang the visit. Plain malloc: returns nothing counted.
  CensusSum Census() const;

  // The same without the hash, in time proportional to the heap's areas.
  CensusSum Measure() const;

  // About how much memory it takes, in constant time. The holder of the heap.
  HeapUse Use() const noexcept;

  // As Census, for any heap of which the caller knows that no thread touches it now (tests). Of
  // blocks that others have freed, only the number is right.
  CensusSum CensusQuiescent() const;

 private:
  friend class HeapBook;
  friend class HeapScope;
  friend class WorkerHeaps;

  static constexpr std::size_t kNameWords = 6;

  Heap(std::uint64_t id, backend::RawHeap* raw, bool parcel) noexcept
      : id_(id), raw_(raw), parcel_(parcel) {}
  ~Heap() = default;

  const std::uint64_t id_;
  backend::RawHeap* const raw_;
  std::atomic<bool> parcel_;
  std::atomic<bool> shared_{false};

  // Pool position plus guests. The position (an idle place, or the isolate that took it from
  // there) counts one; each isolate that shares the heap because of the limit counts one more.
  std::atomic<int> holders_{1};
  // Set by each scope, cleared by Collect of the home worker: a hint that there is free memory.
  std::atomic<bool> touched_{false};
  // The worker that has allocator state for this heap. Written by the holder of the heap and, at
  // its end, by that worker; read under HeapBook's teardown lock.
  std::atomic<WorkerHeaps*> home_{nullptr};
  // The worker that was asked to leave and has not yet done so. Written under its mutex.
  std::atomic<WorkerHeaps*> leave_asked_{nullptr};

  std::uintptr_t builder_ = 0;  // written by the worker that made the heap for a parcel

  Heap* next_idle_ = nullptr;  // HeapBook's pool mutex
  Heap* prev_ = nullptr;       // HeapBook's list mutex
  Heap* next_ = nullptr;       // HeapBook's list mutex

  std::array<std::atomic<std::uint64_t>, kNameWords> name_{};
};

// The heap whose block starts at `block_start`; nullptr for the main heap or memory that is not
// ours. Takes no lock. Ask only for starts of live owned blocks.
Heap* HeapOf(const void* block_start) noexcept;

enum class BlockOwner {
  kMain,     // the main heap (plain malloc: the allocator)
  kHeap,     // an isolate's or a parcel's heap
  kUnknown,  // not a block of the allocator: a stack, a static, foreign memory
};

struct OwnerInfo {
  BlockOwner owner = BlockOwner::kUnknown;
  Heap* heap = nullptr;
};

// While a block lives, OwnerOf answers the same for the start of every block in the same aligned
// piece of this size: mimalloc's pages are made of whole slices of 64 KiB, and a page belongs to
// one heap. Half of it, so that a build with smaller slices does no harm.
inline constexpr unsigned kOwnerGrainBits = 15;

// The allocator cannot tell the start of an over-aligned block, which has at least this alignment,
// from an interior address.
inline constexpr std::size_t kOverAlignment = 2 * alignof(std::max_align_t);

// Who owns the live block that starts at `block_start`. Plain malloc: under AddressSanitizer an
// exact answer for blocks, elsewhere always kMain.
OwnerInfo OwnerOf(const void* block_start) noexcept;

// Gives up a heap that may not be dropped: marks it shared, asks the worker that built in it to
// leave it, and puts it into the common pool. For a fresh parcel heap it counts against its
// builder, see WorkerHeaps::AcquireParcelHeap. Any thread; the heap must not be current on it.
void RetireHeap(Heap* heap) noexcept;

// Frees every block of a parcel heap at once, without destructors, and the heap. Any thread. The
// caller vouches that the census allowed it. A checked build keeps the addresses inaccessible for a
// while; `story` is what it says to who touches them ("a parcel that ...").
void DestroyParcelHeap(Heap* heap, std::string_view story = "a heap that was dropped") noexcept;

// The builder has ended, and the calling thread, where it ran, is not needed any more to guard the
// heap (checked builds).
void LeaveSealedHeap(Heap* heap) noexcept;

// While alive, `new` on this thread allocates in `heap` (nullptr: the main heap). Scopes nest; each
// belongs on the stack of the code that runs a turn, never in a coroutine frame.
class HeapScope {
 public:
  explicit HeapScope(Heap* heap) noexcept : heap_(heap), outer_(innermost_) {
    Heap* const before = outer_ == nullptr ? nullptr : outer_->heap_;
    if (heap != before) {
      if (heap == nullptr) {
        backend::SwitchDefault(nullptr);
      } else {
        if (before != nullptr) {
          // The allocator's bookkeeping for a first touch of `heap` must not land in `before`.
          backend::SwitchDefault(nullptr);
        }
        backend::SwitchDefault(heap->raw_);
        heap->touched_.store(true, std::memory_order_relaxed);  // a hint for Collect
      }
    }
    innermost_ = this;
  }
  ~HeapScope() {
    innermost_ = outer_;
    Heap* const before = outer_ == nullptr ? nullptr : outer_->heap_;
    if (heap_ != before) {
      backend::SwitchDefault(before == nullptr ? nullptr : before->raw_);
    }
  }
  HeapScope(const HeapScope&) = delete;
  HeapScope& operator=(const HeapScope&) = delete;

  // The heap of the innermost scope on this thread; nullptr: the main heap.
  static Heap* Current() noexcept { return innermost_ == nullptr ? nullptr : innermost_->heap_; }
  // True if any scope on this thread uses `heap`.
  static bool Uses(const Heap* heap) noexcept;
  // True if a scope on this thread uses the heap of a parcel in the making.
  static bool BuildsParcel() noexcept {
    for (const HeapScope* scope = innermost_; scope != nullptr; scope = scope->outer_) {
      if (scope->heap_ != nullptr && scope->heap_->is_parcel()) return true;
    }
    return false;
  }
  // Marks the heaps of all scopes on this thread shared: those of one isolate and the parcels that
  // it is building.
  static void MarkAllShared() noexcept {
    for (const HeapScope* scope = innermost_; scope != nullptr; scope = scope->outer_) {
      if (scope->heap_ != nullptr) scope->heap_->MarkShared();
    }
  }

 private:
  Heap* const heap_;
  const HeapScope* const outer_;

  static thread_local constinit const HeapScope* innermost_;
};

inline Heap* CurrentHeap() noexcept { return HeapScope::Current(); }

// Gives the free memory that the calling thread holds back to the system.
void TrimThisThread() noexcept;

// For code that starts threads: the C library frees what they leave from other threads, so what is
// being built on this thread must not be dropped as a whole.
inline void MarkCurrentHeapNotDroppable() noexcept { HeapScope::MarkAllShared(); }

class MainHeapScope : public HeapScope {
 public:
  MainHeapScope() noexcept : HeapScope(nullptr) {}
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_HEAP_H_
