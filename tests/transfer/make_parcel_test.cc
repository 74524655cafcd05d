// MakeParcel on plain threads: what is built where, what is left behind, and what the receipt says.

#include "isolates/make_parcel.h"

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

using testing::HasSubstr;

using Texts = std::vector<std::string>;

Texts MakeTexts(std::size_t count) {
  Texts texts(count);
  for (std::size_t i = 0; i < count; ++i) texts[i] = LongText(i);
  return texts;
}

std::size_t ResidentBytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  std::size_t total = 0;
  std::size_t resident = 0;
  const int fields = std::fscanf(file, "%zu %zu", &total, &resident);
  std::fclose(file);
  return fields == 2 ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

bool OnMimalloc() { return allocator() == Allocator::kMimalloc; }

class MakeParcelTest : public TransferHeapTest {};

TEST_F(MakeParcelTest, ItIsBuiltInAHeapOfItsOwnAndDroppedAsAWhole) {
  const HeapCounters before = heap_counters();
  const Heap* inside = nullptr;
  {
    auto parcel = MakeParcel([&inside] {
      inside = CurrentHeap();
      return MakeTexts(100);
    });
    static_assert(std::is_same_v<decltype(parcel), Parcel<Texts>>);
    EXPECT_NE(inside, nullptr);
    EXPECT_EQ(CurrentHeap(), nullptr);
    EXPECT_EQ(parcel->at(99), LongText(99));
    if (OnMimalloc()) {
      EXPECT_EQ(HeapOf(&parcel.get()), inside);
      EXPECT_TRUE(parcel.receipt().droppable) << parcel.receipt().ToString();
    }
  }
  EXPECT_EQ(heap_counters().destroyed, before.destroyed + (OnMimalloc() ? 1 : 0));
}

TEST_F(MakeParcelTest, EveryKindOfBuilder) {
  struct Maker {
    std::size_t count;
    Texts Make() const { return MakeTexts(count); }
  };
  EXPECT_EQ(MakeParcel(MakeTexts, 3U)->size(), 3U);
  EXPECT_EQ(MakeParcel(&MakeTexts, 4U)->size(), 4U);
  EXPECT_EQ(MakeParcel(&Maker::Make, Maker{5})->size(), 5U);
  EXPECT_EQ(MakeParcel(std::function<Texts(std::size_t)>(MakeTexts), 6U)->size(), 6U);
  EXPECT_EQ(MakeParcel<std::string>([] { return "text"; }).get(), "text");
  auto number = std::make_unique<int>(7);
  EXPECT_EQ(*MakeParcel([](std::unique_ptr<int> given) { return *given; }, std::move(number)), 7);
}

struct Pinned {
  std::string text;
  std::string_view view;
  explicit Pinned(std::string_view from) : text(from), view(text) {}
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  using IsolatesMembers = OwningMembers<&Pinned::text, &Pinned::view>;
};

TEST_F(MakeParcelTest, TheRootIsMadeWhereItStays) {
  auto parcel = MakeParcel([] { return Pinned("short"); });
  EXPECT_EQ(parcel->view.data(), parcel->text.data());
  EXPECT_EQ(parcel.receipt().droppable, OnMimalloc());
}

TEST_F(MakeParcelTest, AnExceptionOfTheBuilderLeavesNothingBehind) {
  Heap* heap = nullptr;
  const HeapCounters before = heap_counters();
  try {
    (void)MakeParcel([&heap]() -> Texts {
      heap = CurrentHeap();
      Texts unfinished = MakeTexts(100);
      throw std::runtime_error("after " + unfinished.back());
    });
    FAIL();
  } catch (const std::runtime_error& error) {
    // The exception lives in the heap, which was given up.
    EXPECT_EQ(error.what(), "after " + LongText(99));
    EXPECT_TRUE(heap->shared());
    EXPECT_FALSE(heap->is_parcel());
    if (OnMimalloc()) {
      EXPECT_GT(heap->CensusQuiescent().blocks, 0U);
    }
  }
  EXPECT_EQ(heap->CensusQuiescent().blocks, 0U);
  EXPECT_EQ(heap_counters().destroyed, before.destroyed);
  EXPECT_EQ(CurrentHeap(), nullptr);
}

TEST_F(MakeParcelTest, ARefusedValueLeavesNothingBehind) {
  const std::string stays = kLongText;
  Heap* heap = nullptr;
  struct Message {
    Texts texts;
    std::string_view view;
  };
  try {
    (void)MakeParcel([&] {
      heap = CurrentHeap();
      return Message{MakeTexts(10), stays};
    });
    FAIL();
  } catch (const TransferError& error) {
    EXPECT_THAT(error.what(), HasSubstr("result.view"));
  }
  EXPECT_EQ(heap->CensusQuiescent().blocks, 0U);
  EXPECT_FALSE(heap->is_parcel());
}

TEST_F(MakeParcelTest, OneHundredThousandFailuresCostNothingInTheEnd) {
  const auto fail = [](int i) -> Texts {
    Texts unfinished = MakeTexts(20);
    if (i >= 0) throw i;
    return unfinished;
  };
  std::size_t live = 0;
  std::size_t resident = 0;
  for (int i = 0; i < 100000; ++i) {
    if (i == 10000) {
      live = heap_counters().live;
      resident = ResidentBytes();
    }
    try {
      (void)MakeParcel(fail, i);
      FAIL();
    } catch (int thrown) {
      ASSERT_EQ(thrown, i);
    }
  }
  // Fresh heaps are tried 8, 16, 32... failures apart.
  EXPECT_LE(heap_counters().live, live + 5);
  // AddressSanitizer keeps what was freed for a while.
  if (OnMimalloc()) {
    EXPECT_LT(ResidentBytes(), resident + (std::size_t{8} << 20));
  }
}

TEST_F(MakeParcelTest, ADistrustedBuilderGetsAPooledHeapWhichGoesBack) {
  SKIP_ON_PLAIN_MALLOC();
  bool fail = true;
  const auto build = [&fail] {
    if (fail) throw std::runtime_error("not yet");
    return MakeTexts(3);
  };
  EXPECT_THROW((void)MakeParcel(build), std::runtime_error);
  fail = false;
  const std::size_t live = heap_counters().live;
  for (int i = 0; i < 5; ++i) {
    auto parcel = MakeParcel(build);
    EXPECT_EQ(parcel.receipt().reason, DropReason::kPooledHeap);
    EXPECT_EQ(parcel.receipt().proof, OwnershipProof::kLookup);
    EXPECT_EQ(parcel->size(), 3U);
    Heap* const heap = HeapOf(&parcel.get());
    parcel.Drop();
    EXPECT_EQ(heap->CensusQuiescent().blocks, 0U);
  }
  EXPECT_EQ(heap_counters().live, live);
}

// With the limit of heaps reached, the pooled heap may be the one that the caller builds in.
TEST_F(MakeParcelTest, PastTheLimitTheCallersOwnHeapMayHaveToDo) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const own = worker_.AcquirePooled();
  SetHeapLimit(1);
  {
    const HeapScope scope(own);
    for (std::size_t i = 0; i < 2 * heap_counters().live; ++i) {
      auto parcel = MakeParcel(MakeTexts, 3U);
      EXPECT_EQ(parcel.receipt().reason, DropReason::kPooledHeap);
      EXPECT_EQ(CurrentHeap(), own);
    }
  }
  SetHeapLimit(kDefaultHeapLimit);
  worker_.ReleasePooled(own);
}

TEST_F(MakeParcelTest, BlocksOfTheCallersHeapGoAlong) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const own = FreshHeap();
  Heap* built = nullptr;
  {
    const HeapScope scope(own);
    std::string outside = LongText(1);
    auto parcel = MakeParcel([&] {
      built = CurrentHeap();
      Texts texts = MakeTexts(3);
      texts.push_back(std::move(outside));
      return texts;
    });
    EXPECT_FALSE(parcel.receipt().droppable);
    EXPECT_EQ(parcel.receipt().reason, DropReason::kForeignBlock);
    EXPECT_EQ(parcel.receipt().stray_blocks, 0U) << parcel.receipt().ToString();
    EXPECT_EQ(HeapOf(parcel->back().data()), own);
    EXPECT_TRUE(own->shared());
  }
  EXPECT_EQ(built->CensusQuiescent().blocks, 0U);
  EXPECT_EQ(own->CensusQuiescent().blocks, 0U);
  RetireHeap(own);
}

TEST_F(MakeParcelTest, ABlockOfSomebodyElsesHeapIsRefused) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const other = FreshHeap();
  other->set_owner_name("feed");
  auto* const stolen = BuildIn(other, [] { return kLongText; });
  try {
    (void)MakeParcel([stolen] {
      Texts texts(2);
      texts[1] = std::move(*stolen);
      return texts;
    });
    FAIL();
  } catch (const TransferError& error) {
    EXPECT_THAT(error.what(), HasSubstr("result[1]"));
    EXPECT_THAT(error.what(), HasSubstr("isolate 'feed'"));
  }
  EXPECT_FALSE(other->shared());
  delete stolen;
  ExpectEmptyAndDestroy(other);
}

TEST_F(MakeParcelTest, TheCallersHeapIsLeftAloneByACleanParcel) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const own = FreshHeap();
  {
    const HeapScope scope(own);
    auto parcel = MakeParcel(MakeTexts, 10U);
    EXPECT_TRUE(parcel.receipt().droppable);
  }
  EXPECT_FALSE(own->shared());
  ExpectEmptyAndDestroy(own);
}

TEST_F(MakeParcelTest, ABuilderMayMakeParcels) {
  SKIP_ON_PLAIN_MALLOC();
  Parcel<Texts> inner;
  auto outer = MakeParcel([&inner] {
    const Heap* const mine = CurrentHeap();
    inner = MakeParcel([mine] {
      EXPECT_NE(CurrentHeap(), mine);
      return MakeTexts(5);
    });
    EXPECT_EQ(CurrentHeap(), mine);
    return MakeTexts(inner->size());
  });
  EXPECT_TRUE(inner.receipt().droppable) << inner.receipt().ToString();
  EXPECT_TRUE(outer.receipt().droppable) << outer.receipt().ToString();
}

TEST_F(MakeParcelTest, AnInnerParcelThatTakesBlocksOfTheOuterOne) {
  SKIP_ON_PLAIN_MALLOC();
  Parcel<Texts> inner;
  Heap* outer_heap = nullptr;
  {
    auto outer = MakeParcel([&] {
      outer_heap = CurrentHeap();
      Texts texts = MakeTexts(5);
      inner = MakeParcel([&texts] {
        Texts taken;
        taken.push_back(std::move(texts[2]));
        return taken;
      });
      return texts;
    });
    EXPECT_EQ(inner.receipt().reason, DropReason::kForeignBlock);
    EXPECT_EQ(outer.receipt().reason, DropReason::kSharedHeap);
  }
  EXPECT_EQ(inner->front(), LongText(2)) << "it has outlived the outer one";
  EXPECT_EQ(outer_heap->CensusQuiescent().blocks, 1U);
  inner.Drop();
  EXPECT_EQ(outer_heap->CensusQuiescent().blocks, 0U);
}

std::string* cache_of_process = nullptr;

TEST_F(MakeParcelTest, StraysAreCountedAsTheAllocatorCountsThem) {
  SKIP_ON_PLAIN_MALLOC();
  auto parcel = MakeParcel([] {
    cache_of_process = new std::string(kLongText);
    return MakeTexts(10);
  });
  const Receipt& receipt = parcel.receipt();
  EXPECT_EQ(receipt.reason, DropReason::kStrays);
  EXPECT_EQ(receipt.stray_blocks, 2U);
  EXPECT_EQ(receipt.stray_bytes,
            malloc_usable_size(cache_of_process) + malloc_usable_size(cache_of_process->data()));
  EXPECT_EQ(receipt.proof, OwnershipProof::kLookup);
  Heap* const heap = HeapOf(&parcel.get());
  parcel.Drop();
  EXPECT_EQ(*cache_of_process, kLongText);
  delete cache_of_process;
  EXPECT_EQ(heap->CensusQuiescent().blocks, 0U);
}

std::size_t BytesOf(const std::vector<const void*>& blocks) {
  return std::accumulate(blocks.begin(), blocks.end(), std::size_t{0},
                         [](std::size_t sum, const void* block) {
                           return sum + malloc_usable_size(const_cast<void*>(block));  // NOLINT
                         });
}

TEST_F(MakeParcelTest, TheReceiptAgreesWithTheAllocator) {
  SKIP_ON_PLAIN_MALLOC();
  auto parcel = MakeParcel(MakeTexts, 1000U);
  const Receipt& receipt = parcel.receipt();
  const auto live = LiveBlocks(&parcel.get());
  EXPECT_EQ(receipt.heap_blocks, live.size());
  EXPECT_EQ(receipt.heap_bytes, BytesOf(live));
  EXPECT_EQ(receipt.reachable_blocks, 1002U);
  EXPECT_LE(receipt.reachable_bytes, receipt.heap_bytes);
  EXPECT_GE(receipt.heap_committed, receipt.heap_bytes);
  EXPECT_EQ(receipt.proof, OwnershipProof::kCensus);
  EXPECT_EQ(receipt.walked_edges, 1002U);
  EXPECT_EQ(receipt.trusted, 0U);
  const std::string text = receipt.ToString();
  EXPECT_THAT(text, HasSubstr("reachable 1002 blocks"));
  EXPECT_THAT(text, HasSubstr("carried 1002 blocks"));
  EXPECT_THAT(text, HasSubstr("droppable; owners proven by census"));
}

struct Trusted {
  UnsafeTransfer<const int*> pointer;
  std::shared_ptr<int> number;
};

TEST_F(MakeParcelTest, TheReceiptOfATypeThatCannotBeDropped) {
  const int here = 1;
  auto parcel = MakeParcel([&here] { return std::vector<Trusted>(3, Trusted{{&here}, nullptr}); });
  const Receipt& receipt = parcel.receipt();
  EXPECT_EQ(receipt.trusted, 3U);
  EXPECT_EQ(receipt.proof, OwnershipProof::kLookup);
  if (OnMimalloc()) {
    EXPECT_EQ(receipt.reason, DropReason::kTypeNotDroppable);
    const auto live = LiveBlocks(&parcel.get());
    EXPECT_EQ(receipt.heap_blocks, live.size());
    EXPECT_EQ(receipt.heap_bytes, BytesOf(live));
    EXPECT_GE(receipt.heap_committed, receipt.heap_bytes);
    EXPECT_EQ(receipt.stray_blocks, 0U);
    EXPECT_EQ(receipt.stray_bytes, 0U);
  }
}

// ---- threads ----

TEST_F(MakeParcelTest, ItIsDroppedTakenOrBoxedOnAnotherThread) {
  auto dropped = MakeParcel(MakeTexts, 100U);
  auto taken = MakeParcel(MakeTexts, 100U);
  auto boxed = MakeParcel(MakeTexts, 100U);
  std::thread([&] {
    dropped.Drop();
    const Texts value = std::move(taken).Take();
    EXPECT_EQ(value[50], LongText(50));
    const auto box = std::move(boxed).TakeBox();
    EXPECT_EQ(box->at(51), LongText(51));
  }).join();
}

TEST_F(MakeParcelTest, AThreadOfItsOwnMayEndBeforeItsParcels) {
  std::vector<Parcel<Texts>> parcels;
  std::vector<Heap*> retired;
  for (int round = 0; round < 20; ++round) {
    std::thread([&] {
      parcels.push_back(MakeParcel(MakeTexts, 50U));
      parcels.push_back(MakeParcel([] { return MakeTexts(51); }));
      parcels.back().Mutable().push_back(LongText(51));
    }).join();
  }
  for (std::size_t i = 0; i < parcels.size(); ++i) {
    EXPECT_EQ(parcels[i]->size(), i % 2 == 0 ? 50U : 52U);
    if (OnMimalloc() && !parcels[i].receipt().droppable) {
      retired.push_back(HeapOf(&parcels[i].get()));
    }
    parcels[i].Drop();
  }
  for (const Heap* const heap : retired) EXPECT_EQ(heap->CensusQuiescent().blocks, 0U);
}

TEST_F(MakeParcelTest, ThreadsThatMakeAndDropEachOthersParcels) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  std::mutex mutex;
  std::vector<Parcel<Texts>> pool;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        auto made = MakeParcel(MakeTexts, static_cast<std::size_t>(i % 40 + t));
        Parcel<Texts> got;
        {
          const std::lock_guard lock(mutex);
          if (!pool.empty()) {
            got = std::move(pool.back());
            pool.pop_back();
          }
          pool.push_back(std::move(made));
        }
        if (!got.empty() && i % 3 == 0) got.Mutable().emplace_back(kLongText);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (auto& parcel : pool) {
    for (std::size_t i = 0; i < parcel->size(); ++i) ASSERT_EQ(parcel->at(i), LongText(i));
  }
}

Parcel<Texts>* late_parcel = nullptr;

// Ends after the thread's heaps, because it is older.
struct MakesOneAtTheEnd {
  int touched = 0;
  ~MakesOneAtTheEnd() {
    *late_parcel = MakeParcel([] { return MakeTexts(7); });
  }
};
thread_local MakesOneAtTheEnd makes_one_at_the_end;

TEST_F(MakeParcelTest, TheLastDestructorsOfAThreadMayMakeOne) {
  Parcel<Texts> late;
  late_parcel = &late;
  std::thread([] {
    ++makes_one_at_the_end.touched;
    EXPECT_EQ(MakeParcel(MakeTexts, 3U)->size(), 3U);
  }).join();
  ASSERT_FALSE(late.empty());
  EXPECT_EQ(late->size(), 7U);
  EXPECT_EQ(late.receipt().droppable, OnMimalloc()) << late.receipt().ToString();
}

}  // namespace
}  // namespace isolates::internal
