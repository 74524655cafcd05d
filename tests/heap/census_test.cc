#include "isolates/detail/census.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"
#include "tests/heap/heap_test_util.h"

namespace isolates::internal {
namespace {

class CensusTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_ON_PLAIN_MALLOC();
    heap_ = worker_.AcquireParcelHeap();
    ASSERT_TRUE(heap_->is_parcel());
  }
  void TearDown() override {
    if (heap_ != nullptr) {
      heap_->shared() ? RetireHeap(heap_) : DestroyParcelHeap(heap_);
    }
  }

  WorkerHeaps worker_;
  Heap* heap_ = nullptr;
};

TEST_F(CensusTest, AnUntouchedHeapIsEmpty) {
  EXPECT_EQ(heap_->Census().blocks, 0U);
  EXPECT_EQ(heap_->Census().hash, 0U);
}

TEST_F(CensusTest, CountsExactlyTheLiveBlocksOfEverySize) {
  CensusCounter known;
  {
    const HeapScope scope(heap_);
    unsigned random = 1;
    for (int i = 0; i < 5000; ++i) {
      random = random * 1664525U + 1013904223U;
      std::size_t bytes = 1 + (random >> 8) % 2000;
      if (i % 500 == 0) {
        bytes = 200'000 + bytes;
      }
      if (i == 2500) {
        bytes = 40'000'000;
      }
      void* const block = Allocate(bytes);
      if (random % 3 == 0) {
        std::free(block);
      } else {
        known.Add(block, bytes);
      }
    }
  }
  const CensusSum live = heap_->Census();
  EXPECT_EQ(live.blocks, known.sum().blocks);
  EXPECT_TRUE(live.SameSet(known.sum()));
  EXPECT_GE(live.bytes, known.sum().bytes);
}

TEST_F(CensusTest, OneStrayMakesTheSetsDiffer) {
  CensusCounter owned;
  void* stray = nullptr;
  {
    const HeapScope scope(heap_);
    for (int i = 0; i < 100; ++i) {
      void* const block = Allocate(48);
      owned.Add(block, 48);
    }
    stray = Allocate(48);
  }
  EXPECT_FALSE(heap_->Census().SameSet(owned.sum()));
  std::free(stray);
  EXPECT_TRUE(heap_->Census().SameSet(owned.sum()));
}

TEST_F(CensusTest, SameNumberOfOtherBlocksDiffers) {
  std::vector<void*> blocks;
  blocks.reserve(100);
  {
    const HeapScope scope(heap_);
    for (int i = 0; i < 100; ++i) {
      blocks.push_back(Allocate(48));
    }
  }
  CensusCounter claimed;  // 100 blocks, but one of them twice and one not
  for (std::size_t i = 0; i < 99; ++i) {
    claimed.Add(blocks[i], 48);
  }
  claimed.Add(blocks[0], 48);
  EXPECT_EQ(heap_->Census().blocks, claimed.sum().blocks);
  EXPECT_FALSE(heap_->Census().SameSet(claimed.sum()));
}

TEST_F(CensusTest, RefusesASharedHeap) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  heap_->MarkShared();
  EXPECT_DEATH((void)heap_->Census(), "census of a shared heap");
}

TEST(CensusMixTest, SumsOfPairsOfRegularAddressesDoNotCollide) {
  // 1200 blocks of 48 bytes as in one page of the allocator: all 720,000 pair sums differ.
  std::vector<std::uint64_t> mixes;
  for (std::uint64_t i = 0; i < 1200; ++i) {
    mixes.push_back(CensusMix(0x20000010000ULL + i * 48, CensusKey()));
  }
  std::vector<std::uint64_t> sums;
  for (std::size_t i = 0; i < mixes.size(); ++i) {
    for (std::size_t j = i; j < mixes.size(); ++j) {
      sums.push_back(mixes[i] + mixes[j]);
    }
  }
  std::sort(sums.begin(), sums.end());
  EXPECT_EQ(std::adjacent_find(sums.begin(), sums.end()), sums.end());
}

TEST(CensusMixTest, TheKeyStaysTheSame) {
  EXPECT_EQ(CensusKey(), CensusKey());
  EXPECT_NE(CensusMix(64, 1), CensusMix(64, 2));
}

}  // namespace
}  // namespace isolates::internal
