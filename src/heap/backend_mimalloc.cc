// Back end for mimalloc's first-class heaps.

#include <mimalloc-stats.h>
#include <mimalloc.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>

#include "isolates/detail/check.h"
#include "isolates/detail/main_heap.h"
#include "isolates/heap.h"
#include "src/heap/allocation_faults.h"
#include "src/heap/backend.h"

#if MI_MALLOC_VERSION < 30600
#error \
    "isolates needs mimalloc 3.6 or newer: only there may one thread build in a heap and another destroy it"
#endif

namespace isolates {

Allocator allocator() noexcept { return Allocator::kMimalloc; }

namespace internal {
namespace {

constexpr int kOldestVersion = 30600;

mi_heap_t* Mi(backend::RawHeap* heap) noexcept { return reinterpret_cast<mi_heap_t*>(heap); }
backend::RawHeap* Raw(mi_heap_t* heap) noexcept {
  return reinterpret_cast<backend::RawHeap*>(heap);
}

// The thread's theap of the main heap lives as long as the thread: nothing deletes it.
thread_local constinit mi_theap_t* main_theap = nullptr;

mi_theap_t* MainTheap() noexcept {
  if (main_theap == nullptr) {
    main_theap = mi_heap_theap(mi_heap_main());
  }
  return main_theap;
}

mi_theap_t* TheapOf(backend::RawHeap* heap) noexcept {
  return heap == nullptr ? MainTheap() : mi_heap_theap(Mi(heap));
}

// Each area is announced by a call without a block.
bool VisitOne(const mi_heap_t*, const mi_heap_area_t* area, void* block, std::size_t block_size,
              void* target) {
  auto* const counter = static_cast<CensusCounter*>(target);
  if (block != nullptr) {
    counter->Add(block, block_size);
  } else {
    counter->AddArea(area->committed);
  }
  return true;
}

struct AreaVisit {
  void (*visit)(const void* begin, std::size_t bytes, void* target);
  void* target;
};

bool VisitArea(const mi_heap_t*, const mi_heap_area_t* area, void*, std::size_t, void* argument) {
  const auto& visit = *static_cast<const AreaVisit*>(argument);
  visit.visit(area->blocks, area->committed, visit.target);
  return true;
}

bool MeasureArea(const mi_heap_t*, const mi_heap_area_t* area, void*, std::size_t, void* target) {
  auto* const sum = static_cast<CensusSum*>(target);
  sum->blocks += area->used;
  sum->bytes += area->used * area->block_size;
  sum->committed += area->committed;
  return true;
}

bool IsMainBlock(void* block) noexcept { return mi_heap_of(block) == mi_heap_main(); }

void CheckAllocatorOnce() noexcept {
  ISOLATES_CHECK(mi_version() >= kOldestVersion,
                 "the loaded libmimalloc is older than 3.6; install libmimalloc 3.6 or newer");
  const MainHeapScope main_heap;
  // volatile: a compiler may drop a malloc that it can pair with its free.
  void* (*volatile allocate)(std::size_t) = &std::malloc;
  void* const block = allocate(64);
  const bool malloc_ok = IsMainBlock(block);
  std::free(block);
  ISOLATES_CHECK(malloc_ok,
                 "malloc does not go through mimalloc: link libmimalloc before libc, and do not "
                 "preload another allocator");
  void* (*volatile make)(std::size_t) = &::operator new;
  void* const object = make(64);
  const bool new_ok = IsMainBlock(object);
  ::operator delete(object);
  ISOLATES_CHECK(new_ok,
                 "operator new does not go through mimalloc: the program replaces it, so objects "
                 "would not be built in the heap of their isolate");
}

}  // namespace

void* MainAllocate(std::size_t bytes, std::size_t align) {
  AllocationFaults::Check();
  mi_theap_t* const theap = MainTheap();
  void* const block = align <= alignof(std::max_align_t)
                          ? mi_theap_malloc(theap, bytes)
                          : mi_theap_malloc_aligned(theap, bytes, align);
  if (block == nullptr) [[unlikely]] {
    throw std::bad_alloc();
  }
  return block;
}

void MainFree(void* block) noexcept { mi_free(block); }

namespace backend {

void CheckAllocator() noexcept {
  [[maybe_unused]] static const bool checked = (CheckAllocatorOnce(), true);
}

bool HasHeaps() noexcept { return true; }

RawHeap* HeapNew() noexcept { return Raw(mi_heap_new()); }

void HeapDestroy(RawHeap* heap) noexcept { mi_heap_destroy(Mi(heap)); }

RawHeap* RawHeapOf(const void* block_start, bool* main) noexcept {
  mi_heap_t* const heap = mi_heap_of(block_start);
  *main = heap == mi_heap_main();
  return *main ? nullptr : Raw(heap);
}

bool MayBeBlockStart(const void* address) noexcept {
  // The allocator says how many bytes are left of the block around an address. One word further
  // down there is one word more in the same block, but never in another. (The first address of a
  // slice is not asked: what lies below it may belong to another page.)
  constexpr std::uintptr_t kSlice = std::uintptr_t{64} * 1024;
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  if (at % kSlice < sizeof(void*) || at % kOverAlignment == 0) return true;
  const void* const below = static_cast<const std::byte*>(address) - sizeof(void*);
  const std::size_t left = mi_usable_size(address);
  // Far inside of a big block it says that nothing is left.
  return left != 0 && mi_usable_size(below) != left + sizeof(void*);
}

std::size_t BlockSpacing(const void* block_start) noexcept {
  constexpr std::uintptr_t kPiece = std::uintptr_t{1} << kOwnerGrainBits;
  const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(block_start) % kPiece;
  const std::size_t bytes = mi_usable_size(block_start);
  // Only what lies in the same piece is certainly in the same page, whose blocks are all of one
  // size. The word below must be the last one of the block before, and the next block as long as
  // this one: that is not so at an over-aligned start, nor with an allocator that pads its blocks.
  if (offset < sizeof(void*) || bytes == 0 || offset + bytes + sizeof(void*) > kPiece) return 0;
  const auto* const start = static_cast<const std::byte*>(block_start);
  const bool even = mi_usable_size(start - sizeof(void*)) == sizeof(void*) &&
                    mi_usable_size(start + bytes) == bytes;
  return even ? bytes : 0;
}

CensusSum VisitBlocks(RawHeap* heap) {
  CensusCounter counter;
  ISOLATES_CHECK(mi_heap_visit_blocks(Mi(heap), true, &VisitOne, &counter),
                 "mimalloc could not visit the blocks of a heap");
  return counter.sum();
}

void VisitAreas(RawHeap* heap, void (*visit)(const void* begin, std::size_t bytes, void* target),
                void* target) {
  AreaVisit argument{visit, target};
  ISOLATES_CHECK(mi_heap_visit_blocks(Mi(heap), false, &VisitArea, &argument),
                 "mimalloc could not visit the areas of a heap");
}

HeapUse UseOf(RawHeap* heap) noexcept {
  HeapUse use;
#if MI_MALLOC_VERSION >= 30700
  mi_stats_t stats;
  stats.size = sizeof(stats);
  stats.version = MI_STAT_VERSION;
  if (!mi_heap_stats_get(Mi(heap), &stats)) return use;
  const auto positive = [](std::int64_t bytes) {
    return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
  };
  use.live_bytes = positive(stats.malloc_normal.current) + positive(stats.malloc_huge.current);
  use.committed_bytes = positive(stats.page_committed.current);
#else
  static_cast<void>(heap);
#endif
  return use;
}

CensusSum MeasureAreas(RawHeap* heap) {
  CensusSum sum;
  ISOLATES_CHECK(mi_heap_visit_blocks(Mi(heap), false, &MeasureArea, &sum),
                 "mimalloc could not visit the areas of a heap");
  return sum;
}

void SwitchDefault(RawHeap* raw) noexcept {
  mi_theap_t* const theap = TheapOf(raw);
  mi_theap_set_default(theap);
  // set_default ignores a theap that could not be made; going on would build in a foreign heap.
  ISOLATES_CHECK(mi_theap_get_default() == theap,
                 "mimalloc could not make a heap the thread's default (out of memory?)");
}

void TheapTouch(RawHeap* heap) noexcept { (void)TheapOf(heap); }
void TheapDelete(RawHeap* heap) noexcept { mi_theap_delete(TheapOf(heap)); }
void TheapCollect(RawHeap* heap) noexcept { mi_theap_collect(TheapOf(heap), true); }

AllocatorReport Report() {
  const int version = mi_version();
  AllocatorReport report;
  report.version = "mimalloc " + std::to_string(version / 10000) + "." +
                   std::to_string(version / 100 % 100) + "." + std::to_string(version % 100);
  report.thp_allowed = mi_option_is_enabled(mi_option_allow_thp);
  report.arena_reserve_bytes = mi_option_get_size(mi_option_arena_reserve);
  return report;
}

}  // namespace backend
}  // namespace internal
}  // namespace isolates
