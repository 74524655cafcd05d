#ifndef ISOLATES_TESTS_HEAP_HEAP_TEST_UTIL_H_
#define ISOLATES_TESTS_HEAP_HEAP_TEST_UTIL_H_

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/detail/census.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "isolates/parcel.h"

// Visible in the results and counted there.
#define SKIP_ON_PLAIN_MALLOC()                                       \
  do {                                                               \
    if (::isolates::allocator() == ::isolates::Allocator::kMalloc) { \
      GTEST_SKIP() << "needs the mimalloc back end";                 \
    }                                                                \
  } while (false)

namespace isolates::internal {

// malloc that the compiler cannot pair with its free and drop.
inline void* Allocate(std::size_t bytes) {
  void* block = std::malloc(bytes);
  asm volatile("" : "+r"(block) : : "memory");
  return block;
}

// A type of the tests: two levels of blocks, easy to count.
struct Document {
  std::vector<std::string> lines;
  std::uintptr_t kind = 0;
};

inline const std::string kLongText(100, 'x');

inline void Fill(Document* document, std::size_t lines) {
  document->lines.reserve(lines);
  for (std::size_t i = 0; i < lines; ++i) {
    document->lines.emplace_back(60 + i % 50, static_cast<char>('a' + i % 26));
  }
}

// The kind of parcel that BuildParcel builds. A test that depends on fresh heaps takes a new one:
// it is not to be distrusted for what the tests before it did.
inline thread_local std::uintptr_t parcel_kind = 0;

// What the transfer room does for real types.
inline CensusSum WalkDocument(const void* root) {
  const auto& document = *static_cast<const Document*>(root);
  CensusCounter counter;
  counter.Add(&document, sizeof(document));
  if (document.lines.capacity() > 0) {
    counter.Add(document.lines.data(), document.lines.capacity() * sizeof(std::string));
  }
  for (const std::string& line : document.lines) {
    if (line.capacity() > 15) {
      counter.Add(line.data(), line.capacity() + 1);
    }
  }
  return counter.sum();
}

// Decides on the drop as the transfer room does; settles the heap if the parcel does not own it.
inline Parcel<Document> Seal(WorkerHeaps* worker, Heap* heap, Document* root) {
  Receipt receipt;
  const CensusSum owned = WalkDocument(root);
  CensusSum live;
  if (allocator() == Allocator::kMalloc) {
    receipt.reason = DropReason::kPlainMalloc;
  } else if (!heap->is_parcel()) {
    receipt.reason = DropReason::kPooledHeap;
  } else if (heap->shared()) {
    receipt.reason = DropReason::kSharedHeap;
  } else {
    live = heap->Census();
    receipt.droppable = live.SameSet(owned);
    receipt.reason = receipt.droppable ? DropReason::kDroppable : DropReason::kStrays;
    receipt.stray_blocks = live.blocks - owned.blocks;
    WorkerHeaps::NoteCensus(receipt.droppable, parcel_kind);
  }
  receipt.reachable_blocks = owned.blocks;
  receipt.heap_blocks = live.blocks;
  Parcel<Document> parcel = ParcelAccess::Make(root, heap, receipt, live, &WalkDocument);
  if (!receipt.droppable) {
    heap->is_parcel() ? RetireHeap(heap) : worker->ReleasePooled(heap);
  }
  return parcel;
}

// Builds a parcel; `extra` runs last inside the heap.
template <class Extra>
Parcel<Document> BuildParcel(WorkerHeaps* worker, std::size_t lines, Extra extra) {
  Heap* const heap = worker->AcquireParcelHeap(parcel_kind);
  Document* root = nullptr;
  {
    const HeapScope scope(heap);
    root = new Document;
    Fill(root, lines);
    root->kind = parcel_kind;
    extra();
  }
  return Seal(worker, heap, root);
}

inline Parcel<Document> BuildParcel(WorkerHeaps* worker, std::size_t lines) {
  return BuildParcel(worker, lines, [] {});
}

inline std::size_t ResidentBytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  std::size_t total = 0;
  std::size_t resident = 0;
  const int fields = std::fscanf(file, "%zu %zu", &total, &resident);
  std::fclose(file);
  return fields == 2 ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

template <>
struct ParcelTraits<Document> {
  static constexpr bool kTakeable = true;
};

}  // namespace isolates::internal

#endif  // ISOLATES_TESTS_HEAP_HEAP_TEST_UTIL_H_
