// Parcel::Split: a part goes on as a parcel of its own.

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/make_parcel.h"
#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

using testing::HasSubstr;

struct Order {
  std::string name;
  std::map<int, std::string> lines;
};
struct Document {
  std::string title;
  std::vector<Order> orders;
};

Document MakeDocument(std::size_t orders) {
  Document document{kLongText, {}};
  for (std::size_t i = 0; i < orders; ++i) {
    document.orders.push_back({LongText(i), {{static_cast<int>(i), LongText(i)}}});
  }
  return document;
}

std::vector<Order>& Orders(Document& document) { return document.orders; }

class SplitTest : public TransferHeapTest {};

TEST_F(SplitTest, BothPartsCanBeUsedAndDroppedInAnyOrder) {
  for (const bool part_first : {false, true}) {
    auto whole = part_first ? MakeParcel([] { return MakeDocument(100); })
                            : MakeParcel([] { return MakeDocument(100); });
    Heap* const heap = HeapOf(&whole.get());
    auto part = whole.Split(Orders);
    static_assert(std::is_same_v<decltype(part), Parcel<std::vector<Order>>>);
    EXPECT_EQ(whole->title, kLongText);
    EXPECT_TRUE(whole->orders.empty());
    ASSERT_EQ(part->size(), 100U);
    EXPECT_EQ(part->at(99).lines.at(99), LongText(99));
    EXPECT_EQ(part.receipt().reachable_blocks, 1 + 100 * 3U);
    EXPECT_FALSE(part.receipt().droppable);
    EXPECT_FALSE(whole.receipt().droppable);
    if (allocator() == Allocator::kMimalloc) {
      EXPECT_EQ(part.receipt().reason, DropReason::kSharedHeap);
      EXPECT_EQ(whole.receipt().reason, DropReason::kSharedHeap);
      EXPECT_EQ(OwnerOf(&part.get()).owner, BlockOwner::kMain);
      EXPECT_EQ(HeapOf(part->data()), heap);
      EXPECT_TRUE(heap->shared());
    }
    if (part_first) {
      part.Drop();
      EXPECT_EQ(whole->title, kLongText);
      whole.Drop();
    } else {
      whole.Drop();
      EXPECT_EQ(part->at(50).name, LongText(50)) << "the heap stays valid for the part";
      part.Drop();
    }
    if (heap != nullptr) {
      EXPECT_FALSE(heap->is_parcel()) << "retired";
      EXPECT_EQ(heap->CensusQuiescent().blocks, 0U);
    }
  }
}

TEST_F(SplitTest, PartsOfPartsAndOnOtherThreads) {
  auto whole = MakeParcel([] { return MakeDocument(10); });
  Heap* const heap = HeapOf(&whole.get());
  auto orders = whole.Split(&Document::orders);
  Parcel<Order> order;
  std::thread([&] {
    order = orders.Split([](std::vector<Order>& all) -> Order& { return all[3]; });
    orders.Drop();
  }).join();
  whole.Drop();
  EXPECT_EQ(order->name, LongText(3));
  const Order taken = std::move(order).Take();
  EXPECT_EQ(taken.lines.at(3), LongText(3));
  if (heap != nullptr) {
    EXPECT_EQ(heap->CensusQuiescent().blocks, 3U);  // the name, the node, and its text
  }
}

struct Shared {
  std::vector<std::shared_ptr<std::string>> left;
  std::vector<std::shared_ptr<std::string>> right;
  std::weak_ptr<std::string> watch;
};

TEST_F(SplitTest, SharedOwnersThatTheRestHoldsTooAreRefused) {
  auto whole = MakeParcel([] {
    Shared shared;
    shared.left = {std::make_shared<std::string>(kLongText),
                   std::make_shared<std::string>(kLongText)};
    shared.right = {shared.left[1]};
    return shared;
  });
  const auto left = [](Shared& shared) -> auto& { return shared.left; };
  try {
    (void)whole.Split(left);
    FAIL();
  } catch (const TransferError& error) {
    EXPECT_THAT(error.what(), HasSubstr("part[1]"));
  }
  EXPECT_EQ(whole->left.size(), 2U);
  EXPECT_EQ(whole->left[1], whole->right[0]);
  EXPECT_EQ(*whole->left[0], kLongText);
  whole.Mutable().right.clear();
  EXPECT_EQ(whole.Split(left)->size(), 2U);
}

TEST_F(SplitTest, AWeakReferenceInTheRestIsRefused) {
  auto whole = MakeParcel([] {
    Shared shared;
    shared.left = {std::make_shared<std::string>(kLongText)};
    shared.watch = shared.left[0];
    return shared;
  });
  const auto left = [](Shared& shared) -> auto& { return shared.left; };
  EXPECT_THROW((void)whole.Split(left), TransferError);
  EXPECT_EQ(whole->left.size(), 1U);
  whole.Mutable().watch.reset();
  EXPECT_EQ(whole.Split(left)->size(), 1U);
}

TEST_F(SplitTest, WhatTheSelectionMovesInMakesItsHeapShared) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const own = FreshHeap();
  auto whole = MakeParcel([] { return MakeDocument(2); });
  {
    const HeapScope scope(own);
    auto part = whole.Split([](Document& document) -> std::vector<Order>& {
      document.orders.push_back({LongText(7), {}});
      return document.orders;
    });
    EXPECT_TRUE(own->shared());
    EXPECT_EQ(part->size(), 3U);
  }
  whole.Drop();
  EXPECT_EQ(own->CensusQuiescent().blocks, 0U);
  RetireHeap(own);
}

TEST_F(SplitTest, APartOfAPooledOrPlainParcel) {
  Heap* const pooled = worker_.AcquirePooled();
  auto* const root = BuildIn(pooled, [] { return MakeDocument(5); });
  auto whole = SealParcel(pooled, root, false);
  worker_.ReleasePooled(pooled);
  auto part = whole.Split(Orders);
  whole.Drop();
  EXPECT_EQ(part->size(), 5U);
  part.Drop();
  EXPECT_EQ(pooled->CensusQuiescent().blocks, 0U);
}

}  // namespace
}  // namespace isolates::internal
