#include "isolates/parcel.h"

#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "tests/heap/heap_test_util.h"

namespace isolates::internal {

struct Counted {
  explicit Counted(int* count) : destroyed(count) {}
  Counted(Counted&& other) noexcept : destroyed(std::exchange(other.destroyed, nullptr)) {}
  ~Counted() {
    if (destroyed != nullptr) {
      ++*destroyed;
    }
  }
  int* destroyed;
};

template <>
struct ParcelTraits<Counted> {
  static constexpr bool kTakeable = true;
};

namespace {

static_assert(!std::is_copy_constructible_v<Parcel<Document>>);
static_assert(std::is_nothrow_move_constructible_v<Parcel<Document>>);
static_assert(sizeof(Parcel<Document>) == sizeof(void*));

class ParcelTest : public testing::Test {
 protected:
  void SetUp() override { ++parcel_kind; }

  // The heap of a parcel that can be dropped (mimalloc only).
  static Heap* HeapOfParcel(const Parcel<Document>& parcel) { return ParcelAccess::HeapOf(parcel); }

  WorkerHeaps worker_;
};

TEST_F(ParcelTest, IsReadInPlace) {
  const Parcel<Document> parcel = BuildParcel(&worker_, 10);
  EXPECT_EQ(parcel->lines.size(), 10U);
  EXPECT_EQ((*parcel).lines[3], std::string(63, 'd'));
  EXPECT_FALSE(parcel.empty());
  EXPECT_EQ(parcel.receipt().reachable_blocks, 12U);
}

TEST_F(ParcelTest, SaysInTheReceiptWhatItIs) {
  const Parcel<Document> parcel = BuildParcel(&worker_, 10);
  if (allocator() == Allocator::kMalloc) {
    EXPECT_FALSE(parcel.receipt().droppable);
    EXPECT_EQ(parcel.receipt().reason, DropReason::kPlainMalloc);
    EXPECT_EQ(HeapOfParcel(parcel), nullptr);
  } else {
    EXPECT_TRUE(parcel.receipt().droppable);
    EXPECT_EQ(parcel.receipt().reason, DropReason::kDroppable);
    EXPECT_EQ(parcel.receipt().heap_blocks, 12U);
    EXPECT_EQ(HeapOf(&*parcel), HeapOfParcel(parcel));
  }
}

TEST_F(ParcelTest, MovesAndEnds) {
  Parcel<Document> first = BuildParcel(&worker_, 10);
  Parcel<Document> second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT: what a moved-from parcel is
  first = BuildParcel(&worker_, 5);
  EXPECT_EQ(second->lines.size(), 10U);
  second = std::move(first);
  EXPECT_EQ(second->lines.size(), 5U);
  second.Drop();
  EXPECT_TRUE(second.empty());
  second.Drop();
  EXPECT_FALSE(static_cast<bool>(second));
}

TEST_F(ParcelTest, ADroppableParcelEndsWithItsHeapOnAnyThread) {
  SKIP_ON_PLAIN_MALLOC();
  const HeapCounters before = heap_counters();
  Parcel<Document> here = BuildParcel(&worker_, 100);
  Parcel<Document> there = BuildParcel(&worker_, 100);
  here.Drop();
  std::thread([parcel = std::move(there)]() mutable { parcel.Drop(); }).join();
  EXPECT_EQ(heap_counters().destroyed, before.destroyed + 2);
  EXPECT_EQ(heap_counters().live, before.live);
}

TEST_F(ParcelTest, TheDestructorIsSkippedOnlyWhenTheCensusAllowedTheDrop) {
  int destroyed = 0;
  Heap* const heap = worker_.AcquireParcelHeap(parcel_kind);
  Counted* root = nullptr;
  {
    const HeapScope scope(heap);
    root = new Counted(&destroyed);
  }
  Receipt receipt;
  receipt.droppable = heap->is_parcel();
  CensusCounter owned;
  owned.Add(root, sizeof(Counted));
  {
    const Parcel<Counted> parcel = ParcelAccess::Make(root, heap, receipt, owned.sum());
  }
  EXPECT_EQ(destroyed, receipt.droppable ? 0 : 1);
  if (!receipt.droppable) {
    worker_.ReleasePooled(heap);
  }
  destroyed = 0;
  {
    const Parcel<Counted> parcel = ParcelAccess::Make(new Counted(&destroyed), nullptr, Receipt{});
  }
  EXPECT_EQ(destroyed, 1);
}

TEST_F(ParcelTest, StraysKeepTheHeapAlive) {
  SKIP_ON_PLAIN_MALLOC();
  const HeapCounters before = heap_counters();
  std::string* stray = nullptr;
  {
    const Parcel<Document> parcel =
        BuildParcel(&worker_, 10, [&] { stray = new std::string(kLongText); });
    EXPECT_FALSE(parcel.receipt().droppable);
    EXPECT_EQ(parcel.receipt().reason, DropReason::kStrays);
    EXPECT_EQ(parcel.receipt().stray_blocks, 2U);
    EXPECT_EQ(parcel->lines.size(), 10U);
  }
  EXPECT_EQ(heap_counters().destroyed, before.destroyed);
  EXPECT_EQ(heap_counters().pooled_idle, before.pooled_idle + 1);
  Heap* const heap = HeapOf(stray);
  EXPECT_EQ(*stray, kLongText);
  EXPECT_EQ(heap->CensusQuiescent().blocks, 2U) << "the value itself is gone";
  delete stray;
}

TEST_F(ParcelTest, TakeMovesTheValueOutAndRetiresTheHeap) {
  const HeapCounters before = heap_counters();
  Parcel<Document> parcel = BuildParcel(&worker_, 10);
  const std::string* const line = &parcel->lines[7];
  const Document document = std::move(parcel).Take();
  EXPECT_TRUE(parcel.empty());  // NOLINT: Take ends it
  EXPECT_EQ(&document.lines[7], line) << "the blocks stay where they are";
  EXPECT_EQ(heap_counters().destroyed, before.destroyed);
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_EQ(heap_counters().pooled_idle, before.pooled_idle + 1);
    EXPECT_TRUE(HeapOf(document.lines.data())->shared());
    // The next isolate builds beside them.
    Heap* const heap = worker_.AcquirePooled();
    EXPECT_EQ(heap, HeapOf(document.lines.data()));
    {
      const HeapScope scope(heap);
      delete new Document(document);
    }
    worker_.ReleasePooled(heap);
  }
  EXPECT_EQ(*line, std::string(67, 'h'));
}

TEST_F(ParcelTest, TakeBoxKeepsTheRootInPlace) {
  Parcel<Document> parcel = BuildParcel(&worker_, 10);
  const Document* const root = &*parcel;
  const std::unique_ptr<Document> box = std::move(parcel).TakeBox();
  EXPECT_EQ(box.get(), root);
  EXPECT_EQ(box->lines.size(), 10U);
}

TEST_F(ParcelTest, AMutableReferenceEndsDroppability) {
  const HeapCounters before = heap_counters();
  Parcel<Document> parcel = BuildParcel(&worker_, 10);
  std::string outside = std::move(parcel.Mutable().lines[2]);
  parcel.Mutable().lines.push_back(kLongText);  // built in the main heap
  EXPECT_FALSE(parcel.receipt().droppable);
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_EQ(parcel.receipt().reason, DropReason::kSharedHeap);
  }
  parcel.Drop();
  EXPECT_EQ(heap_counters().destroyed, before.destroyed);
  EXPECT_EQ(outside, std::string(62, 'c'));
}

TEST_F(ParcelTest, AHeapThatWasMarkedSharedIsNotDropped) {
  SKIP_ON_PLAIN_MALLOC();
  const HeapCounters before = heap_counters();
  Parcel<Document> parcel = BuildParcel(&worker_, 10);
  HeapOfParcel(parcel)->MarkShared();
  parcel.Drop();
  EXPECT_EQ(heap_counters().destroyed, before.destroyed);
  EXPECT_EQ(heap_counters().pooled_idle, before.pooled_idle + 1);
}

TEST_F(ParcelTest, TravelsAsOneWord) {
  ParcelControl* const word = ParcelAccess::Detach(BuildParcel(&worker_, 10));
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_EQ(OwnerOf(word).owner, BlockOwner::kMain);
  }
  Parcel<Document> parcel = ParcelAccess::Adopt<Document>(word);
  ParcelAccess::Control(parcel)->receipt.sent_ns = 5;
  EXPECT_EQ(parcel.receipt().sent_ns, 5U);
  EXPECT_EQ(parcel->lines.size(), 10U);
}

TEST_F(ParcelTest, OutlivesTheWorkerThatBuiltIt) {
  Parcel<Document> parcel;
  std::thread([&] {
    WorkerHeaps worker;
    parcel = BuildParcel(&worker, 1000);
  }).join();
  EXPECT_EQ(parcel->lines[999], std::string(60 + 999 % 50, static_cast<char>('a' + 999 % 26)));
  Parcel<Document> taken;
  std::thread([&] {
    WorkerHeaps worker;
    taken = BuildParcel(&worker, 1000);
  }).join();
  const Document document = std::move(taken).Take();
  EXPECT_EQ(document.lines.size(), 1000U);
}

TEST_F(ParcelTest, EveryReasonHasWords) {
  for (int i = 0; i <= static_cast<int>(DropReason::kPlainMalloc); ++i) {
    EXPECT_NE(ToString(static_cast<DropReason>(i)), "unknown");
  }
}

class ParcelDeathTest : public testing::Test {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ++parcel_kind;
  }

  WorkerHeaps worker_;
};

TEST_F(ParcelDeathTest, AnEmptyParcelCannotBeRead) {
  Parcel<Document> parcel;
  EXPECT_DEATH((void)parcel->lines, "empty parcel");
  EXPECT_DEATH((void)parcel.receipt(), "empty parcel");
}

TEST_F(ParcelDeathTest, ASharedHeapIsNeverDestroyed) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const heap = worker_.AcquireParcelHeap(parcel_kind);
  heap->MarkShared();
  EXPECT_DEATH(DestroyParcelHeap(heap), "a shared heap may not be dropped");
  RetireHeap(heap);
}

TEST_F(ParcelDeathTest, APooledHeapIsNeverDestroyed) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const heap = worker_.AcquirePooled();
  EXPECT_DEATH(DestroyParcelHeap(heap), "only a parcel's heap");
  worker_.ReleasePooled(heap);
}

TEST_F(ParcelDeathTest, AHeapInUseIsNeitherDestroyedNorGivenUp) {
  Heap* const heap = worker_.AcquireParcelHeap(parcel_kind);
  {
    const HeapScope scope(heap);
    const MainHeapScope inner;
    if (heap->is_parcel()) {
      EXPECT_DEATH(DestroyParcelHeap(heap), "inside its own HeapScope");
    }
    EXPECT_DEATH(RetireHeap(heap), "inside its own HeapScope");
    EXPECT_DEATH(worker_.Leave(heap), "inside its HeapScope");
  }
  heap->is_parcel() ? DestroyParcelHeap(heap) : worker_.ReleasePooled(heap);
}

TEST_F(ParcelDeathTest, PlainMallocDropsNoHeap) {
  if (allocator() != Allocator::kMalloc) {
    GTEST_SKIP() << "about plain malloc";
  }
  Heap* const heap = worker_.AcquireParcelHeap(parcel_kind);
  EXPECT_DEATH(DestroyParcelHeap(heap), "plain malloc");
  worker_.ReleasePooled(heap);
}

TEST_F(ParcelDeathTest, ACheckedBuildNoticesAChangeBeforeTheDrop) {
  SKIP_ON_PLAIN_MALLOC();
  if (!kCheckedBuild) {
    GTEST_SKIP() << "needs a checked build";
  }
  Parcel<Document> parcel = BuildParcel(&worker_, 10);
  // A cast around the const: what H4 forbids.
  const_cast<Document&>(*parcel).lines[0] = std::string(5000, 'c');
  EXPECT_DEATH(parcel.Drop(), "changed between its seal and its drop");
  parcel.Mutable();
}

}  // namespace
}  // namespace isolates::internal
