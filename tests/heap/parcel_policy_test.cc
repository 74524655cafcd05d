// When a parcel gets a heap of its own (H3), in a process of its own: the counts depend on what
// lies idle.

#include <cstdint>
#include <string>
#include <thread>
#include <utility>
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
  ++parcel_kind;
  WorkerHeaps worker;
  EXPECT_TRUE(TryParcel(&worker, 1000, true));
  EXPECT_TRUE(TryParcel(&worker, 1000, false));
  int pooled = 0;
  while (!TryParcel(&worker, 1000, false)) {
    ++pooled;
  }
  EXPECT_EQ(pooled, 8);
  int more = 0;
  while (!TryParcel(&worker, 1000, true)) {
    ++more;
  }
  EXPECT_EQ(more, 16);
  EXPECT_TRUE(TryParcel(&worker, 1000, true)) << "a success ends the distrust";
}

TEST(ParcelPolicyTest, OtherBuildersAreNotDistrusted) {
  SKIP_ON_PLAIN_MALLOC();
  ++parcel_kind;
  WorkerHeaps worker;
  EXPECT_TRUE(TryParcel(&worker, 1001, false));
  EXPECT_FALSE(TryParcel(&worker, 1001, true));
  EXPECT_TRUE(TryParcel(&worker, 1002, true));
}

// Retires heaps until so many lie idle that failures are not forgiven.
void FillThePool(WorkerHeaps* worker) {
  for (std::uintptr_t builder = 2000; heap_counters().pooled_idle < WorkerHeaps::kIdleLimit;
       ++builder) {
    Heap* const heap = worker->AcquireParcelHeap(builder);
    ASSERT_TRUE(heap->is_parcel());
    RetireHeap(heap);
  }
}

// Number of pooled parcels until the next fresh one, whose census ends as told.
int PooledUntilFresh(WorkerHeaps* worker, std::uintptr_t builder, bool ok) {
  int pooled = 0;
  while (!TryParcel(worker, builder, ok)) {
    ++pooled;
  }
  return pooled;
}

TEST(ParcelPolicyTest, ASuccessForgivesOnlyWhileFewHeapsLieIdle) {
  SKIP_ON_PLAIN_MALLOC();
  ++parcel_kind;
  WorkerHeaps worker;
  if (heap_counters().pooled_idle < WorkerHeaps::kIdleLimit - 10) {
    EXPECT_EQ(PooledUntilFresh(&worker, 1003, false), 0);
    EXPECT_EQ(PooledUntilFresh(&worker, 1003, true), 8);
    EXPECT_EQ(PooledUntilFresh(&worker, 1003, false), 0);
    EXPECT_EQ(PooledUntilFresh(&worker, 1003, true), 8);
  }
  FillThePool(&worker);
  EXPECT_EQ(PooledUntilFresh(&worker, 1004, false), 0);
  EXPECT_EQ(PooledUntilFresh(&worker, 1004, true), 8);
  EXPECT_EQ(PooledUntilFresh(&worker, 1004, false), 0);
  EXPECT_EQ(PooledUntilFresh(&worker, 1004, true), 16);
  EXPECT_EQ(PooledUntilFresh(&worker, 1004, false), 0);
  EXPECT_EQ(PooledUntilFresh(&worker, 1004, true), 32);
}

TEST(ParcelPolicyTest, ABuilderWithoutFailuresAlwaysGetsFreshHeaps) {
  SKIP_ON_PLAIN_MALLOC();
  ++parcel_kind;
  WorkerHeaps worker;
  FillThePool(&worker);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(TryParcel(&worker, 1005, true));
  }
}

TEST(ParcelPolicyTest, ParcelsThatAreAlwaysTakenApartCostFewHeaps) {
  SKIP_ON_PLAIN_MALLOC();
  ++parcel_kind;
  WorkerHeaps worker;
  FillThePool(&worker);
  const std::size_t created = heap_counters().created;
  for (int i = 0; i < 20'000; ++i) {
    Parcel<Document> parcel = BuildParcel(&worker, 3);
    if (i % 2 == 0) {
      (void)std::move(parcel).Take();
    } else {  // by a receiver, now and then
      parcel.Mutable().lines.clear();
      if (i % 99 == 0) {
        std::thread([taken = std::move(parcel)]() mutable { taken.Drop(); }).join();
      }
    }
  }
  EXPECT_LT(heap_counters().created, created + 30);
}

TEST(ParcelPolicyTest, AHundredThousandFailingParcelsLeaveHeapsAndMemoryFlat) {
  SKIP_ON_PLAIN_MALLOC();
  ++parcel_kind;
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
  EXPECT_LE(heap_counters().live, warm.live + 10);
  EXPECT_LE(heap_counters().created, warm.created + 10) << "tries become rare";
  EXPECT_LT(ResidentBytes(), resident + 16'000'000);
}

TEST(ParcelPolicyTest, DistrustOutlivesTheWorker) {
  SKIP_ON_PLAIN_MALLOC();
  ++parcel_kind;
  const std::size_t created = heap_counters().created;
  for (int i = 0; i < 500; ++i) {
    std::thread([] {
      WorkerHeaps worker;
      std::string* stray = nullptr;
      BuildParcel(&worker, 3, [&] { stray = new std::string(kLongText); }).Drop();
      delete stray;
    }).join();
  }
  EXPECT_LT(heap_counters().created, created + 10);
}

TEST(ParcelPolicyTest, ParcelsThatAreKeptAlthoughTheyFailedHoldNoHeap) {
  SKIP_ON_PLAIN_MALLOC();
  ++parcel_kind;
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
  ++parcel_kind;
  WorkerHeaps worker;
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
}

}  // namespace
}  // namespace isolates::internal
