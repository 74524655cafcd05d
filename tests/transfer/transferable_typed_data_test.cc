// TransferableTypedData: made from lists, taken out once.

#include "isolates/transferable_typed_data.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "tests/transfer/transfer_test_util.h"

namespace isolates {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string ErrorOf(TransferableTypedData& data) {
  try {
    (void)data.Materialize();
  } catch (const StateError& error) {
    return error.what();
  }
  return "no error";
}

TEST(TransferableTypedDataTest, ListsBecomeOneRowOfBytes) {
  const std::vector<std::uint8_t> first{1, 2, 3};
  const std::array<std::uint8_t, 0> none{};
  const std::uint8_t last[] = {4, 5};
  auto data = TransferableTypedData::FromList({first, none, last});
  std::vector<std::byte> bytes = data.Materialize();
  EXPECT_THAT(ElementsOf<std::uint8_t>(bytes), ElementsAre(1, 2, 3, 4, 5));
}

TEST(TransferableTypedDataTest, ListsOfDifferentTypes) {
  const std::vector<std::uint32_t> header{2};
  const std::vector<float> samples{0.5F, 1.5F};
  auto data = TransferableTypedData::FromList({header, samples});
  std::vector<std::byte> bytes = data.Materialize();
  ASSERT_EQ(bytes.size(), 12U);
  EXPECT_EQ(ElementsOf<std::uint32_t>(bytes)[0], 2U);
  EXPECT_EQ(ElementsOf<float>(bytes)[2], 1.5F);
  ElementsOf<float>(bytes)[2] = 2.5F;  // the bytes are the receiver's own
  EXPECT_EQ(ElementsOf<float>(bytes)[2], 2.5F);
}

TEST(TransferableTypedDataTest, SpansOfBytes) {
  const std::array<std::byte, 2> bytes{std::byte{1}, std::byte{2}};
  const std::vector<std::span<const std::byte>> lists{bytes, bytes};
  auto data = TransferableTypedData::FromList(lists);
  EXPECT_EQ(data.Materialize().size(), 4U);
  auto nothing = TransferableTypedData::FromList(std::span<const std::span<const std::byte>>());
  EXPECT_TRUE(nothing.Materialize().empty());
}

TEST(TransferableTypedDataTest, BytesAreTakenOverWithoutACopy) {
  std::vector<std::byte> bytes(1000, std::byte{7});
  const std::byte* const block = bytes.data();
  auto data = TransferableTypedData::FromBytes(std::move(bytes));
  TransferableTypedData copy = data;
  bytes = copy.Materialize();
  EXPECT_EQ(bytes.data(), block);
  EXPECT_EQ(bytes.size(), 1000U);
}

TEST(TransferableTypedDataTest, TheSecondMaterializeIsAnError) {
  const std::vector<int> list{1};
  auto data = TransferableTypedData::FromList({list});
  TransferableTypedData copy = data;
  EXPECT_EQ(ErrorOf(copy), "no error");
  EXPECT_THAT(ErrorOf(copy), HasSubstr("materialized already"));
  EXPECT_THAT(ErrorOf(data), HasSubstr("materialized already"));
  data = TransferableTypedData();
  EXPECT_THAT(ErrorOf(data), HasSubstr("no bytes"));
}

TEST(TransferableTypedDataTest, OneOfManyThreadsWins) {
  constexpr int kThreads = 4;
  for (int round = 0; round < 200; ++round) {
    auto data = TransferableTypedData::FromBytes(std::vector<std::byte>(100, std::byte{3}));
    std::atomic<int> winners{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([copy = data, &winners]() mutable {
        if (ErrorOf(copy) == "no error") winners.fetch_add(1, std::memory_order_relaxed);
      });
    }
    data = TransferableTypedData();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(winners.load(std::memory_order_relaxed), 1);
  }
}

TEST(TransferableTypedDataTest, ElementsMustFit) {
  std::vector<std::byte> bytes(6);
  EXPECT_THROW((void)ElementsOf<std::uint32_t>(bytes), StateError);
  bytes.clear();
  EXPECT_TRUE(ElementsOf<std::uint32_t>(bytes).empty());
}

// Pointers mean nothing to another isolate, and not everything is bytes.
template <class R>
inline constexpr bool kIsList = std::is_constructible_v<TransferableTypedData::List, R>;
static_assert(kIsList<std::vector<int>> && kIsList<std::span<const double>> &&
              kIsList<std::string>);
static_assert(!kIsList<std::vector<int*>> && !kIsList<std::vector<std::string_view>>);
static_assert(!kIsList<std::vector<std::string>> && !kIsList<std::vector<bool>>);
static_assert(Transferable<TransferableTypedData> && !Freezable<TransferableTypedData>);

class TypedDataHeapTest : public internal::TransferHeapTest {};

TEST_F(TypedDataHeapTest, OnlyBytesThatWereTakenOverLeaveTheHeap) {
  SKIP_ON_PLAIN_MALLOC();
  internal::Heap* const heap = FreshHeap();
  TransferableTypedData copied;
  TransferableTypedData taken;
  {
    const internal::HeapScope scope(heap);
    const std::vector<int> list(1000, 1);
    copied = TransferableTypedData::FromList({list, list});
    EXPECT_FALSE(heap->shared());
    taken = TransferableTypedData::FromBytes(std::vector<std::byte>(1000));
    EXPECT_TRUE(heap->shared());
  }
  EXPECT_EQ(heap->CensusQuiescent().blocks, 1U) << "the bytes that were taken over";
  EXPECT_EQ(copied.Materialize().size(), 2000 * sizeof(int));
  taken = TransferableTypedData();  // not materialized: freed with the last handle
  EXPECT_EQ(heap->CensusQuiescent().blocks, 0U);
  internal::RetireHeap(heap);
}

}  // namespace
}  // namespace isolates
