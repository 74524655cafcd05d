#ifndef ISOLATES_SRC_HEAP_BACKEND_H_
#define ISOLATES_SRC_HEAP_BACKEND_H_

// The thin interface over the allocator. Two implementations; the build links one of them. Nothing
// outside this folder knows which.

#include <cstddef>

#include "isolates/detail/census.h"
#include "isolates/detail/heap.h"
#include "isolates/heap.h"

namespace isolates::internal::backend {

// Checks, once, that the allocator in the process is the one that the library was built for. Every
// other function may be called without it.
void CheckAllocator() noexcept;

// False: heaps are tokens only; no census, no drop as a whole, HeapOf knows nothing.
bool HasHeaps() noexcept;

// A new heap, or nullptr. Called with the main heap as the default.
RawHeap* HeapNew() noexcept;

// Frees all blocks and the heap. Called by DestroyParcelHeap and by nothing else (a test of the
// sources enforces it: any other use needs a proof that no thread frees a block of the heap).
void HeapDestroy(RawHeap* heap) noexcept;

// Owner of the live block that starts at `block_start`: nullptr for the main heap with `*main` set,
// or for unknown memory.
RawHeap* RawHeapOf(const void* block_start, bool* main) noexcept;

// False if `address`, which lies in a live block, is certainly not where the block starts. An
// address that an over-aligned block could start at passes: the allocator cannot tell these from
// interior ones.
bool MayBeBlockStart(const void* address) noexcept;

// The distance between the starts of the blocks around `block_start`, the start of a live one:
// those in the same piece of memory (kOwnerGrainBits) are exactly the addresses that lie a multiple
// of it apart, but for over-aligned blocks. 0 if that is not known.
std::size_t BlockSpacing(const void* block_start) noexcept;

// Visits every live block. No thread may touch the heap meanwhile.
CensusSum VisitBlocks(RawHeap* heap);
// The same sizes from the areas alone, in time proportional to their number: no hash.
CensusSum MeasureAreas(RawHeap* heap);

// What the allocator knows of the heap, without a visit: any thread that keeps it from going.
// Blocks that were made or freed lately may not be counted yet; nothing where the allocator does
// not tell.
HeapUse UseOf(RawHeap* heap) noexcept;

// Visits the places where the allocator has made blocks, live or not: at least one for each live
// block. As VisitBlocks.
void VisitAreas(RawHeap* heap, void (*visit)(const void* begin, std::size_t bytes, void* target),
                void* target);

// The calling thread's allocation state ("theap") for `heap` (nullptr: the main heap).
void TheapTouch(RawHeap* heap) noexcept;    // makes it
void TheapDelete(RawHeap* heap) noexcept;   // gives it up; live blocks stay
void TheapCollect(RawHeap* heap) noexcept;  // gives its free memory back to the system

AllocatorReport Report();

}  // namespace isolates::internal::backend

#endif  // ISOLATES_SRC_HEAP_BACKEND_H_
