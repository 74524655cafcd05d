// Parcels: what may be dropped as a whole, and that everything else takes the safe way without
// leaking or dangling (rules H4 and H5).

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

using testing::HasSubstr;

struct Record {
  std::string name;
  std::map<int, std::string> fields;
};
using Records = std::vector<Record>;

Records MakeRecords(std::size_t count) {
  Records records(count);
  for (std::size_t i = 0; i < count; ++i) {
    records[i].name = LongText(i);
    records[i].fields[static_cast<int>(i)] = LongText(i);
  }
  return records;
}

int destroyed = 0;

class DoesMore {
 public:
  DoesMore() = default;
  explicit DoesMore(std::string text) : text_(std::move(text)) {}
  DoesMore(DoesMore&&) = default;
  DoesMore& operator=(DoesMore&&) = default;
  ~DoesMore() { ++destroyed; }

 private:
  std::string text_;

 public:
  using IsolatesMembers = Members<&DoesMore::text_>;
};

struct NoticedDestructor {
  std::string text;
  ~NoticedDestructor() { ++destroyed; }
};

struct Link {
  std::string text;
  std::unique_ptr<Link> next;
  std::string_view view;
  using IsolatesMembers = OwningMembers<&Link::text, &Link::next, &Link::view>;
};

class SealTest : public TransferHeapTest {
 protected:
  // Builds and seals; `extra` runs last inside the heap.
  template <class Build, class Extra>
  auto Seal(Build&& build, Extra&& extra) {
    heap_ = FreshHeap();
    is_parcel_ = heap_->is_parcel();
    auto* const root = BuildIn(heap_, build);
    {
      const HeapScope scope(heap_);
      extra();
    }
    return SealParcel(heap_, root, is_parcel_);
  }
  template <class Build>
  auto Seal(Build&& build) {
    return Seal(build, [] {});
  }
  static std::size_t Live() { return heap_counters().live; }

  // The heap's blocks that are still there, for a heap that was retired.
  std::size_t BlocksLeft() { return heap_->CensusQuiescent().blocks; }

  Heap* heap_ = nullptr;
  bool is_parcel_ = false;
};

TEST_F(SealTest, ACleanParcelIsDroppedAsAWhole) {
  SKIP_ON_PLAIN_MALLOC();
  const std::size_t destroyed_before = heap_counters().destroyed;
  {
    auto parcel = Seal([] { return MakeRecords(100); });
    const Receipt& receipt = parcel.receipt();
    EXPECT_TRUE(receipt.droppable) << ToString(receipt.reason);
    EXPECT_EQ(receipt.reason, DropReason::kDroppable);
    EXPECT_EQ(receipt.reachable_blocks, receipt.heap_blocks);
    EXPECT_EQ(receipt.reachable_blocks, 2 + 100 * 3U);
    EXPECT_EQ(receipt.stray_blocks, 0U);
    EXPECT_GT(receipt.verify_time.count(), 0);
    EXPECT_GT(receipt.census_time.count(), 0);
    EXPECT_EQ(parcel->at(99).name, LongText(99));
  }
  EXPECT_EQ(heap_counters().destroyed, destroyed_before + 1);
}

TEST_F(SealTest, OnPlainMallocEverythingIsDestroyed) {
  if (allocator() == Allocator::kMimalloc) GTEST_SKIP() << "needs the plain malloc back end";
  auto parcel = Seal([] { return MakeRecords(100); });
  EXPECT_EQ(parcel.receipt().reason, DropReason::kPlainMalloc);
  EXPECT_EQ(parcel.receipt().reachable_blocks, 2 + 100 * 3U);
}

std::string* cache_of_process = nullptr;
thread_local std::string cache_of_thread;

TEST_F(SealTest, AStaticCacheIsAStray) {
  SKIP_ON_PLAIN_MALLOC();
  {
    auto parcel =
        Seal([] { return MakeRecords(10); }, [] { cache_of_process = new std::string(kLongText); });
    EXPECT_FALSE(parcel.receipt().droppable);
    EXPECT_EQ(parcel.receipt().reason, DropReason::kStrays);
    EXPECT_EQ(parcel.receipt().stray_blocks, 2U);
    EXPECT_GT(parcel.receipt().stray_bytes, 0U);
  }
  EXPECT_EQ(*cache_of_process, kLongText);  // it has survived the drop
  EXPECT_EQ(BlocksLeft(), 2U);              // and nothing else is left
  delete cache_of_process;
  EXPECT_EQ(BlocksLeft(), 0U);
}

TEST_F(SealTest, AThreadLocalIsAStray) {
  SKIP_ON_PLAIN_MALLOC();
  {
    auto parcel = Seal([] { return MakeRecords(10); }, [] { cache_of_thread = LongText(1); });
    EXPECT_EQ(parcel.receipt().reason, DropReason::kStrays);
    EXPECT_GE(parcel.receipt().stray_blocks, 1U);
  }
  EXPECT_EQ(cache_of_thread, LongText(1));
  const std::size_t left = BlocksLeft();
  std::string().swap(cache_of_thread);
  EXPECT_EQ(BlocksLeft(), left - 1);  // the C library's note of the destructor may remain
}

TEST_F(SealTest, ALeakIsAStray) {
  SKIP_ON_PLAIN_MALLOC();
  void* leaked = nullptr;
  {
    auto parcel = Seal([] { return MakeRecords(10); },
                       [&leaked] {
                         leaked = std::malloc(100);
                         asm volatile("" : "+r"(leaked));
                       });
    EXPECT_EQ(parcel.receipt().reason, DropReason::kStrays);
    EXPECT_EQ(parcel.receipt().stray_blocks, 1U);
  }
  EXPECT_EQ(BlocksLeft(), 1U);
  std::free(leaked);
}

TEST_F(SealTest, ASharedHeapIsNotDropped) {
  SKIP_ON_PLAIN_MALLOC();
  auto parcel = Seal([] { return MakeRecords(10); }, [this] { heap_->MarkShared(); });
  EXPECT_EQ(parcel.receipt().reason, DropReason::kSharedHeap);
  parcel.Drop();
  EXPECT_EQ(BlocksLeft(), 0U);
}

TEST_F(SealTest, APooledHeapIsNotDropped) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const pooled = worker_.AcquirePooled();
  auto* const root = BuildIn(pooled, [] { return MakeRecords(10); });
  auto parcel = SealParcel(pooled, root, false);
  EXPECT_EQ(parcel.receipt().reason, DropReason::kPooledHeap);
  parcel.Drop();
  worker_.ReleasePooled(pooled);
}

TEST_F(SealTest, AReceivedBlockInsideTheResultIsFound) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const sender = FreshHeap();
  auto* const received = BuildIn(sender, [] { return kLongText; });
  sender->MarkShared();
  {
    auto parcel = Seal([received] {
      Records records = MakeRecords(3);
      records[1].name = std::move(*received);
      return records;
    });
    EXPECT_FALSE(parcel.receipt().droppable);
    EXPECT_EQ(parcel.receipt().reason, DropReason::kForeignBlock);
  }
  delete received;  // holds what the assignment has swapped
  EXPECT_EQ(BlocksLeft(), 0U);
  EXPECT_EQ(sender->CensusQuiescent().blocks, 0U);
  RetireHeap(sender);
}

TEST_F(SealTest, ABlockOfAnotherIsolateIsRefused) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const other = FreshHeap();
  other->set_owner_name("feed");
  auto* const stolen = BuildIn(other, [] { return kLongText; });
  const std::size_t live = Live();
  try {
    (void)Seal([stolen] {
      Records records = MakeRecords(3);
      records[1].name = std::move(*stolen);
      return records;
    });
    FAIL();
  } catch (const TransferError& error) {
    EXPECT_THAT(error.what(), HasSubstr("result[1].name: std::string owns a block in the heap of "
                                        "isolate 'feed'"));
  }
  EXPECT_EQ(Live(), live + 1);  // its heap was retired
  delete stolen;                // holds what the assignment has swapped
  EXPECT_EQ(BlocksLeft(), 0U) << "the refused value was destroyed";
  ExpectEmptyAndDestroy(other);
}

TEST_F(SealTest, AMemberWhoseDestructorDoesMoreIsDestroyed) {
  destroyed = 0;
  {
    auto parcel = Seal([] {
      std::vector<DoesMore> members;
      members.reserve(5);
      for (std::size_t i = 0; i < 5; ++i) members.emplace_back(LongText(i));
      destroyed = 0;
      return members;
    });
    EXPECT_FALSE(parcel.receipt().droppable);
    if (allocator() == Allocator::kMimalloc) {
      EXPECT_EQ(parcel.receipt().reason, DropReason::kTypeNotDroppable);
    }
    destroyed = 0;
  }
  EXPECT_EQ(destroyed, 5);
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_EQ(BlocksLeft(), 0U);
  }
}

TEST_F(SealTest, ADestructorOfAnAggregateIsRun) {
  {
    auto parcel = Seal([] { return std::map<int, NoticedDestructor>{}; });
    parcel.Mutable()[1].text = kLongText;
    destroyed = 0;
  }
  EXPECT_EQ(destroyed, 1);
}

TEST_F(SealTest, ViewsIntoTheParcelAreFineAndOthersAreNot) {
  struct Message {
    std::string text;
    std::string_view view;
  };
  Heap* heap = FreshHeap();
  Message* root = BuildIn(heap, [] { return Message{"short", {}}; });
  root->view = root->text;  // into the root, which stays where it is
  {
    auto parcel = SealParcel(heap, root, heap->is_parcel());
    EXPECT_EQ(parcel.receipt().droppable, allocator() == Allocator::kMimalloc);
    EXPECT_EQ(parcel->view, "short");
    static_assert(!ParcelTraits<Message>::kTakeable);
    static_assert(ParcelTraits<std::string>::kTakeable);
  }
  const std::string stays = kLongText;
  heap = FreshHeap();
  root = BuildIn(heap, [&stays] { return Message{kLongText, stays}; });
  EXPECT_THROW((void)SealParcel(heap, root, heap->is_parcel()), TransferError);
}

TEST_F(SealTest, WhatTheWalkNeedsDoesNotCountAsAStray) {
  SKIP_ON_PLAIN_MALLOC();
  // Views, a deep list and shared nothing: work list, block list and view list are all in use.
  Heap* const heap = FreshHeap();
  auto* const root = BuildIn(heap, [] {
    Link first;
    Link* at = &first;
    for (std::size_t i = 0; i < 1000; ++i) {
      at->next = std::make_unique<Link>();
      at = at->next.get();
      at->text = LongText(i);
      at->view = at->text;
    }
    return first;
  });
  auto parcel = SealParcel(heap, root, true);
  EXPECT_TRUE(parcel.receipt().droppable) << ToString(parcel.receipt().reason);
}

TEST_F(SealTest, ManyParcelsLeaveNothingBehind) {
  const std::size_t live = Live();
  for (int i = 0; i < 200; ++i) {
    auto parcel = Seal([i] { return MakeRecords(static_cast<std::size_t>(i)); });
    ASSERT_EQ(parcel->size(), static_cast<std::size_t>(i));
  }
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_EQ(Live(), live);
  }
}

}  // namespace
}  // namespace isolates::internal
