#ifndef ISOLATES_TESTS_TRANSFER_TRANSFER_TEST_UTIL_H_
#define ISOLATES_TESTS_TRANSFER_TRANSFER_TEST_UTIL_H_

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/transfer_seal.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "isolates/transfer.h"

// The allocator's own list of blocks. Weak: with plain malloc they are not there.
extern "C" {
struct mi_heap_s;
using TestBlockVisitor = bool(const mi_heap_s* heap, const void* area, void* block,
                              std::size_t block_size, void* target);
bool mi_heap_visit_blocks(mi_heap_s* heap, bool visit_blocks, TestBlockVisitor* visitor,
                          void* target) __attribute__((weak));
mi_heap_s* mi_heap_of(const void* block) __attribute__((weak));
}

// Visible in the results and counted there.
#define SKIP_ON_PLAIN_MALLOC()                                       \
  do {                                                               \
    if (::isolates::allocator() == ::isolates::Allocator::kMalloc) { \
      GTEST_SKIP() << "needs the mimalloc back end";                 \
    }                                                                \
  } while (false)

namespace isolates::internal {

inline const std::string kLongText = "a text that is too long for the short string buffer";

inline std::string LongText(std::size_t number) { return kLongText + std::to_string(number); }

// The size of a variable's symbol. clang's AddressSanitizer makes it larger by a red zone: to 32
// bytes, or by at least 32 to a multiple of that. (For variables up to 255 bytes.)
template <class T>
constexpr std::size_t SymbolBytes(const T&) {
#if defined(__clang__) && defined(__SANITIZE_ADDRESS__)
  return sizeof(T) <= 16 ? 32 : (sizeof(T) + 63) / 32 * 32;
#else
  return sizeof(T);
#endif
}

// The live blocks of the heap in which `any_block` lives, sorted.
inline std::vector<const void*> LiveBlocks(const void* any_block) {
  const MainHeapScope scope;
  std::vector<const void*> blocks;
  mi_heap_visit_blocks(
      mi_heap_of(any_block), true,
      [](const mi_heap_s*, const void*, void* block, std::size_t, void* target) {
        if (block != nullptr) static_cast<std::vector<const void*>*>(target)->push_back(block);
        return true;
      },
      &blocks);
  std::sort(blocks.begin(), blocks.end());
  return blocks;
}

// A worker's view of one builder: a fresh parcel heap and what was built in it.
class TransferHeapTest : public testing::Test {
 protected:
  // Each heap is for a builder of its own: a builder whose parcels could not be dropped would be
  // given pooled heaps for a while.
  Heap* FreshHeap() {
    static std::uintptr_t builder = 0;
    return worker_.AcquireParcelHeap(++builder);
  }

  template <class Build>
  auto* BuildIn(Heap* heap, Build&& build) {
    using T = std::decay_t<decltype(build())>;
    const HeapScope scope(heap);
    return new T(build());
  }

  // What remains in the heap after the value was deleted must be nothing; then the heap goes.
  void ExpectEmptyAndDestroy(Heap* heap) {
    if (allocator() == Allocator::kMalloc) {
      RetireHeap(heap);
      return;
    }
    EXPECT_EQ(heap->Census().blocks, 0U) << "leaked";
    DestroyParcelHeap(heap);
  }

  // What build() returns is made in a heap of its own: the blocks that the walk meets must be
  // exactly the live blocks of that heap, address by address (rule H5a). Needs mimalloc.
  template <class Build>
  void ExpectExact(Build&& build) {
    Heap* const heap = FreshHeap();
    ASSERT_TRUE(heap->is_parcel());
    auto* const root = BuildIn(heap, build);
    using T = std::remove_reference_t<decltype(*root)>;
    const testing::ScopedTrace trace(__FILE__, __LINE__, TypeNameOf<T>());
    ExpectOwned(heap, root, OwnedBlocks(*root), RewalkOf<T>(root));
    delete root;
    ExpectEmptyAndDestroy(heap);
  }
  void ExpectOwned(Heap* heap, const void* root, const std::vector<BlockRange>& blocks,
                   const CensusSum& census) {
    std::vector<const void*> owned{root};
    for (const BlockRange& block : blocks) {
      owned.push_back(block.start);
      EXPECT_EQ(OwnerOf(block.start).heap, heap);
      // The walk never claims more bytes than the block has.
      EXPECT_LE(block.bytes, malloc_usable_size(const_cast<std::byte*>(block.start)));
    }
    std::sort(owned.begin(), owned.end());
    EXPECT_EQ(owned, LiveBlocks(root));
    EXPECT_EQ(std::adjacent_find(owned.begin(), owned.end()), owned.end()) << "met twice";
    EXPECT_TRUE(census.SameSet(heap->Census()));
  }

  WorkerHeaps worker_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_TESTS_TRANSFER_TRANSFER_TEST_UTIL_H_
