// When a parcel gets a heap of its own (H3), in a process of its own: the counts depend on what
// lies idle.

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "isolates/parcel.h"
#include "tests/heap/heap_test_util.h"

namespace isolates::internal {
namespace {

// A heap for one parcel of `builder`, whose census ends as told. True if it was fresh.
bool TryParcel(WorkerHeaps* worker, std::uintptr_t builder, bool ok) {
  Heap* const heap = worker->AcquireParcelHeap(builder);
  const bool fresh = heap->is_parcel();
  if (!fresh) {
    worker->ReleasePooled(heap);
    return false;
  }
  worker->NoteCensus(ok, builder);
  ok ? DestroyParcelHeap(heap) : RetireHeap(heap);
  return true;
}

TEST(ParcelPolicyTest, ABuilderThatFailedIsTriedAgainNowAndThen) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  EXPECT_TRUE(TryParcel(&worker, 1, true));
  EXPECT_TRUE(TryParcel(&worker, 1, false));
  int pooled = 0;
  while (!TryParcel(&worker, 1, false)) {
    ++pooled;
  }
  EXPECT_EQ(pooled, 8);
  int more = 0;
  while (!TryParcel(&worker, 1, true)) {
    ++more;
  }
  EXPECT_EQ(more, 16);
  EXPECT_TRUE(TryParcel(&worker, 1, true)) << "a success ends the distrust";
}

TEST(ParcelPolicyTest, OtherBuildersAreNotDistrusted) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  EXPECT_TRUE(TryParcel(&worker, 1, false));
  EXPECT_FALSE(TryParcel(&worker, 1, true));
  EXPECT_TRUE(TryParcel(&worker, 2, true));
}

TEST(ParcelPolicyTest, RetiredHeapsAreUsedUpBeforeFreshOnesAreMade) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  std::vector<Heap*> heaps;
  for (std::uintptr_t builder = 100; heap_counters().pooled_idle < WorkerHeaps::kIdleLimit;
       ++builder) {
    Heap* const heap = worker.AcquireParcelHeap(builder);
    ASSERT_TRUE(heap->is_parcel());
    RetireHeap(heap);
  }
  Heap* const heap = worker.AcquireParcelHeap(99);
  EXPECT_FALSE(heap->is_parcel());
  worker.ReleasePooled(heap);
  // Isolates that take retired heaps make room for fresh ones.
  std::vector<Heap*> taken;
  for (std::size_t i = 0; i < WorkerHeaps::kKept + 1; ++i) {
    taken.push_back(worker.AcquirePooled());
  }
  EXPECT_TRUE(TryParcel(&worker, 99, true));
  for (Heap* const pooled : taken) {
    worker.ReleasePooled(pooled);
  }
}

TEST(ParcelPolicyTest, AHundredThousandFailingParcelsLeaveHeapsAndMemoryFlat) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  std::vector<std::string*> strays;
  strays.reserve(100'000);
  auto fail = [&] {
    std::string* stray = nullptr;
    Parcel<Document> parcel = BuildParcel(&worker, 20, [&] { stray = new std::string(kLongText); });
    ASSERT_FALSE(parcel.receipt().droppable);
    strays.push_back(stray);
  };
  auto free_strays = [&] {
    for (std::string* const stray : strays) {
      ASSERT_EQ(*stray, kLongText);
      delete stray;
    }
    strays.clear();
  };
  for (int i = 0; i < 2000; ++i) {
    fail();
  }
  free_strays();
  const HeapCounters warm = heap_counters();
  const std::size_t resident = ResidentBytes();
  for (int i = 0; i < 100'000; ++i) {
    fail();
    if (strays.size() == 1000) {
      free_strays();
    }
  }
  free_strays();
  EXPECT_LE(heap_counters().live, WorkerHeaps::kIdleLimit + 10);
  EXPECT_LE(heap_counters().created, warm.created + 120) << "one try in 1024, at most";
  EXPECT_LT(ResidentBytes(), resident + 16'000'000);
}

TEST(ParcelPolicyTest, ParcelsThatAreKeptAlthoughTheyFailedHoldNoHeap) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  std::vector<std::string*> strays;
  std::vector<Parcel<Document>> kept;
  const std::size_t live = heap_counters().live;
  for (int i = 0; i < 2000; ++i) {
    kept.push_back(BuildParcel(&worker, 5, [&] { strays.push_back(new std::string(kLongText)); }));
  }
  EXPECT_LE(heap_counters().live, live + 10);
  kept.clear();
  for (std::string* const stray : strays) {
    delete stray;
  }
}

TEST(ParcelPolicyTest, DroppedParcelsLeaveNothing) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  std::vector<Heap*> taken;  // room for fresh heaps
  while (heap_counters().pooled_idle > 0) {
    taken.push_back(worker.AcquirePooled());
  }
  auto drop = [&](int parcels) {
    for (int i = 0; i < parcels; ++i) {
      Parcel<Document> parcel = BuildParcel(&worker, 50);
      ASSERT_TRUE(parcel.receipt().droppable) << ToString(parcel.receipt().reason);
      ASSERT_EQ(parcel.receipt().reachable_blocks, parcel.receipt().heap_blocks);
    }
  };
  drop(1000);
  const HeapCounters before = heap_counters();
  const std::size_t resident = ResidentBytes();
  drop(20'000);
  EXPECT_EQ(heap_counters().live, before.live);
  EXPECT_EQ(heap_counters().destroyed, before.destroyed + 20'000);
  EXPECT_LT(ResidentBytes(), resident + 4'000'000);
  for (Heap* const heap : taken) {
    worker.ReleasePooled(heap);
  }
}

}  // namespace
}  // namespace isolates::internal
