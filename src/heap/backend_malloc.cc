// Back end for plain malloc: no heaps. Everything works by moves and destructors; heaps are tokens
// that the pool hands around, so that its logic is the same (and can be watched by sanitizers).

#include <cstdlib>
#include <new>

#include "isolates/detail/main_heap.h"
#include "isolates/heap.h"
#include "src/heap/allocation_faults.h"
#include "src/heap/backend.h"

// Provided by the sanitizers' runtimes; absent otherwise.
extern "C" {
[[gnu::weak]] int __sanitizer_get_ownership(const volatile void* block);
[[gnu::weak]] const void* __sanitizer_get_allocated_begin(const void* block);
}

namespace isolates {

Allocator allocator() noexcept { return Allocator::kMalloc; }

namespace internal {

void* MainAllocate(std::size_t bytes, std::size_t align) {
  AllocationFaults::Check();
  void* const block = align <= alignof(std::max_align_t)
                          ? std::malloc(bytes)
                          : std::aligned_alloc(align, (bytes + align - 1) / align * align);
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  return block;
}

void MainFree(void* block) noexcept { std::free(block); }

namespace backend {

struct RawHeap : MainHeapObject {};

void CheckAllocator() noexcept {}
bool HasHeaps() noexcept { return false; }

RawHeap* HeapNew() noexcept {
  try {
    return new RawHeap;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void HeapDestroy(RawHeap* heap) noexcept { delete heap; }

RawHeap* RawHeapOf(const void* block_start, bool* main) noexcept {
  if (&__sanitizer_get_ownership == nullptr) {
    *main = true;
  } else {
    *main = __sanitizer_get_ownership(block_start) != 0 &&
            (&__sanitizer_get_allocated_begin == nullptr ||
             __sanitizer_get_allocated_begin(block_start) == block_start);
  }
  return nullptr;
}

// What can be known, RawHeapOf has said.
bool MayBeBlockStart(const void*) noexcept { return true; }
std::size_t BlockSpacing(const void*) noexcept { return 0; }

CensusSum VisitBlocks(RawHeap*) { return {}; }
void VisitAreas(RawHeap*, void (*)(const void*, std::size_t, void*), void*) {}
CensusSum MeasureAreas(RawHeap*) { return {}; }
HeapUse UseOf(RawHeap*) noexcept { return {}; }
void SwitchDefault(RawHeap*) noexcept {}
void TheapTouch(RawHeap*) noexcept {}
void TheapDelete(RawHeap*) noexcept {}
void TheapCollect(RawHeap*) noexcept {}

AllocatorReport Report() {
  AllocatorReport report;
  report.version = "malloc";
  return report;
}

}  // namespace backend
}  // namespace internal
}  // namespace isolates
