#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "tests/heap/heap_test_util.h"

namespace isolates::internal {
namespace {

TEST(HeapOwnerTest, EachBlockNamesItsHeap) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  std::vector<Heap*> heaps;
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 60; ++i) {
    heaps.push_back(worker.AcquirePooled());
    const HeapScope scope(heaps.back());
    void* const block = Allocate(i % 7 == 0 ? 3'000'000 : 16 + i * 40);
    const MainHeapScope main;
    blocks.push_back(block);
  }
  for (std::size_t i = 0; i < heaps.size(); ++i) {
    EXPECT_EQ(HeapOf(blocks[i]), heaps[i]);
    EXPECT_EQ(OwnerOf(blocks[i]).owner, BlockOwner::kHeap);
    std::free(blocks[i]);
    worker.ReleasePooled(heaps[i]);
  }
}

TEST(HeapOwnerTest, TheMainHeapHasNoHeapObject) {
  const auto block = std::make_unique<std::string>();
  EXPECT_EQ(HeapOf(block.get()), nullptr);
  EXPECT_EQ(OwnerOf(block.get()).owner, BlockOwner::kMain);
}

TEST(HeapOwnerTest, WhatIsNoBlockIsUnknown) {
  SKIP_ON_PLAIN_MALLOC();
  int local = 0;
  static int global = 0;
  EXPECT_EQ(OwnerOf(&local).owner, BlockOwner::kUnknown);
  EXPECT_EQ(OwnerOf(&global).owner, BlockOwner::kUnknown);
  EXPECT_EQ(OwnerOf(nullptr).owner, BlockOwner::kUnknown);
}

TEST(HeapOwnerTest, AHeapMadeAtTheAddressOfADestroyedOneAnswersForItself) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  for (int round = 0; round < 500; ++round) {
    Heap* const heap = worker.AcquireParcelHeap();
    ASSERT_TRUE(heap->is_parcel());
    void* block = nullptr;
    {
      const HeapScope scope(heap);
      block = Allocate(100);
    }
    ASSERT_EQ(HeapOf(block), heap);
    DestroyParcelHeap(heap);
  }
}

TEST(HeapOwnerTest, AnyThreadMayAskWhileOthersMakeAndDropHeaps) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  Heap* const mine = worker.AcquirePooled();
  std::string* text = nullptr;
  {
    const HeapScope scope(mine);
    text = new std::string(kLongText);
  }
  std::atomic<bool> stop{false};
  std::thread churn([&] {
    WorkerHeaps other;
    while (!stop.load(std::memory_order_relaxed)) {  // ends the loop only
      Heap* const heap = other.AcquireParcelHeap();
      {
        const HeapScope scope(heap);
        Allocate(64);
      }
      DestroyParcelHeap(heap);
    }
  });
  std::size_t wrong = 0;
  for (int i = 0; i < 300'000; ++i) {
    wrong += HeapOf(text->data()) == mine ? 0 : 1;
  }
  stop.store(true, std::memory_order_relaxed);  // ends the loop only
  churn.join();
  EXPECT_EQ(wrong, 0U);
  delete text;
  worker.ReleasePooled(mine);
}

// What the verification walk relies on when it does not ask for each block.
TEST(HeapOwnerTest, BlocksOfOnePieceOfMemoryHaveOneOwner) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  const std::array<Heap*, 3> heaps = {nullptr, worker.AcquirePooled(), worker.AcquirePooled()};
  std::vector<void*> blocks;
  std::map<std::uintptr_t, Heap*> owner_of_piece;
  std::set<Heap*> owners;
  for (std::size_t i = 0; i < 30'000; ++i) {
    Heap* const heap = heaps[i % heaps.size()];
    const HeapScope scope(heap);
    // From 8 bytes to 256 KiB, large ones rarely.
    void* const block = Allocate(std::size_t{8} << (i % 97 == 0 ? i % 16 : i % 7));
    ASSERT_EQ(HeapOf(block), heap);
    const auto piece = reinterpret_cast<std::uintptr_t>(block) >> kOwnerGrainBits;
    const auto known = owner_of_piece.emplace(piece, heap).first;
    ASSERT_EQ(known->second, heap);
    owners.insert(heap);
    blocks.push_back(block);
  }
  EXPECT_EQ(owners.size(), heaps.size());
  EXPECT_LT(owner_of_piece.size(), blocks.size() / 10);  // pieces are shared by many blocks
  for (void* const block : blocks) std::free(block);
  worker.ReleasePooled(heaps[1]);
  worker.ReleasePooled(heaps[2]);
}

TEST(HeapOwnerTest, OwnerNameIsCutToWhatFits) {
  WorkerHeaps worker;
  Heap* const heap = worker.AcquirePooled();
  heap->set_owner_name("parser");
  EXPECT_EQ(heap->owner_name(), "parser");
  heap->set_owner_name(std::string(200, 'n'));
  EXPECT_EQ(heap->owner_name(), std::string(48, 'n'));
  heap->set_owner_name("");
  EXPECT_EQ(heap->owner_name(), "");
  worker.ReleasePooled(heap);
}

TEST(HeapReportTest, SaysWhatIsInForce) {
  const AllocatorReport report = allocator_report();
  EXPECT_EQ(report.heap_limit, kDefaultHeapLimit);
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_EQ(report.version.rfind("mimalloc 3.", 0), 0U) << report.version;
    EXPECT_GT(report.arena_reserve_bytes, 0U);
  } else {
    EXPECT_EQ(report.version, "malloc");
  }
}

}  // namespace
}  // namespace isolates::internal
