// CarryPolicy: a value that is small in a big heap may be copied out of it.

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "isolates/make_parcel.h"
#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

using Texts = std::vector<std::string>;

static_assert(CanBeCopiedOut<Texts>());
static_assert(CanBeCopiedOut<std::map<std::string, std::vector<int>>>());
static_assert(!CanBeCopiedOut<std::vector<std::unique_ptr<int>>>(), "it cannot be copied");
static_assert(!CanBeCopiedOut<std::vector<std::string_view>>(), "views would lead to the first");
static_assert(!CanBeCopiedOut<std::shared_ptr<int>>(), "not droppable");

struct Tree {
  std::string name;
  std::vector<Tree> children;
};
static_assert(CanBeCopiedOut<Tree>(), "a type that contains itself");

// Keeps one of 64 strings, spread over all pages.
Texts Scattered(std::size_t count) {
  Texts all(count);
  for (std::size_t i = 0; i < count; ++i) all[i] = LongText(i);
  Texts kept;
  for (std::size_t i = 0; i < count; i += 64) kept.push_back(std::move(all[i]));
  return kept;
}

class CopyOutTest : public TransferHeapTest {};

TEST_F(CopyOutTest, KAutoCopiesASmallValueOutOfABigHeap) {
  SKIP_ON_PLAIN_MALLOC();
  const auto destroyed = heap_counters().destroyed;
  const Heap* built = nullptr;
  auto parcel = MakeParcel(ParcelOptions().Carry(CarryPolicy::kAuto), [&built] {
    built = CurrentHeap();
    return Scattered(64 * 1000);
  });
  const Receipt& receipt = parcel.receipt();
  EXPECT_TRUE(receipt.copied_out) << receipt.ToString();
  EXPECT_TRUE(receipt.droppable) << receipt.ToString();
  EXPECT_GE(receipt.left_committed, kCopyOutCommitted);
  EXPECT_LT(receipt.heap_committed, receipt.left_committed / 4);
  EXPECT_GT(receipt.left_bytes, 0U);
  EXPECT_THAT(receipt.ToString(), testing::HasSubstr("copied out of "));
  EXPECT_EQ(heap_counters().destroyed, destroyed + 1) << "the first heap was dropped as a whole";
  ASSERT_EQ(parcel->size(), 1000U);
  for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(parcel->at(i), LongText(64 * i));
}

TEST_F(CopyOutTest, KAutoCarriesWhatIsSmallOrFull) {
  auto small = MakeParcel(ParcelOptions().Carry(CarryPolicy::kAuto), Scattered, 640U);
  EXPECT_FALSE(small.receipt().copied_out) << small.receipt().ToString();
  auto full = MakeParcel(ParcelOptions().Carry(CarryPolicy::kAuto), [] {
    Texts texts(20000);
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = LongText(i);
    return texts;
  });
  EXPECT_FALSE(full.receipt().copied_out) << full.receipt().ToString();
}

TEST_F(CopyOutTest, TheDefaultIsToCarry) {
  auto parcel = MakeParcel(Scattered, 64U * 1000);
  EXPECT_FALSE(parcel.receipt().copied_out);
}

Texts* cache_of_process = nullptr;

TEST_F(CopyOutTest, KCopyOutLeavesStraysBehind) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* built = nullptr;
  auto parcel = MakeParcel(ParcelOptions().Carry(CarryPolicy::kCopyOut), [&built] {
    built = CurrentHeap();
    cache_of_process = new Texts(10, kLongText);
    return Scattered(640);
  });
  const Receipt& receipt = parcel.receipt();
  EXPECT_TRUE(receipt.copied_out);
  EXPECT_TRUE(receipt.droppable) << receipt.ToString();
  EXPECT_EQ(receipt.stray_blocks, 12U);
  EXPECT_NE(HeapOf(&parcel.get()), built);
  EXPECT_FALSE(built->is_parcel());
  EXPECT_EQ(built->CensusQuiescent().blocks, 12U) << "the first value was destroyed";
  delete cache_of_process;
  EXPECT_EQ(built->CensusQuiescent().blocks, 0U);
}

TEST_F(CopyOutTest, WhatCannotBeCopiedIsCarried) {
  auto parcel = MakeParcel(ParcelOptions().Carry(CarryPolicy::kCopyOut), [] {
    std::vector<std::unique_ptr<int>> numbers;
    numbers.push_back(std::make_unique<int>(3));
    return numbers;
  });
  EXPECT_FALSE(parcel.receipt().copied_out);
  EXPECT_EQ(*parcel->front(), 3);
}

class Reluctant {
 public:
  explicit Reluctant(std::string text) : text_(std::move(text)) {}
  Reluctant(const Reluctant& other) : text_(other.text_) {
    throw std::runtime_error("no copy of " + text_);
  }
  Reluctant& operator=(const Reluctant&) = delete;
  const std::string& text() const { return text_; }

 private:
  std::string text_;

 public:
  using IsolatesMembers = OwningMembers<&Reluctant::text_>;
};

TEST_F(CopyOutTest, ACopyThatFailsIsNoLoss) {
  const std::size_t live = heap_counters().live;
  auto parcel =
      MakeParcel(ParcelOptions().Carry(CarryPolicy::kCopyOut), [] { return Reluctant(kLongText); });
  EXPECT_FALSE(parcel.receipt().copied_out);
  EXPECT_EQ(parcel.receipt().droppable, allocator() == Allocator::kMimalloc);
  EXPECT_EQ(parcel->text(), kLongText);
  parcel.Drop();
  EXPECT_LE(heap_counters().live, live + 1);  // the heap of the copy was retired
}

}  // namespace
}  // namespace isolates::internal
