// Isolate::RunParcel: a value that comes with its heap.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::HasSubstr;

using Table = std::map<int, std::string>;

Table MakeTable(int rows) {
  Table table;
  for (int i = 0; i < rows; ++i) table[i] = std::string(50, static_cast<char>('a' + i % 26));
  return table;
}

template <class T>
RemoteError ErrorOf(Future<T> future) {
  try {
    (void)future.Get();
  } catch (const RemoteError& error) {
    return error;
  }
  ADD_FAILURE() << "the future has not failed";
  return RemoteError("", "", "");
}

TEST(RunParcelTest, TheValueIsReadInPlace) {
  auto parcel = Isolate::RunParcel(MakeTable, 1000).Get();
  ASSERT_FALSE(parcel.empty());
  EXPECT_EQ(parcel->size(), 1000U);
  EXPECT_EQ((*parcel).at(1), std::string(50, 'b'));
  EXPECT_EQ(parcel.get().at(2), std::string(50, 'c'));
  EXPECT_EQ(parcel.receipt().reachable_blocks, 2001U);
  EXPECT_EQ(parcel.receipt().droppable, allocator() == Allocator::kMimalloc)
      << ToString(parcel.receipt().reason);
}

TEST(RunParcelTest, TheReceiptTellsWhenItWasSentAndTaken) {
  auto future = Isolate::RunParcel(MakeTable, 10);
  ASSERT_TRUE(future.WaitFor(kForever));
  const auto before = std::chrono::steady_clock::now().time_since_epoch();
  auto parcel = future.Get();
  const auto after = std::chrono::steady_clock::now().time_since_epoch();
  const auto sent = std::chrono::nanoseconds(parcel.receipt().sent_ns);
  EXPECT_GT(sent.count(), 0);
  EXPECT_LE(sent, before);
  EXPECT_GE(sent + parcel.receipt().adopt_time, before);
  EXPECT_LE(sent + parcel.receipt().adopt_time, after);
}

TEST(RunParcelTest, TakeGivesAnOrdinaryValue) {
  auto parcel = Isolate::RunParcel(MakeTable, 100).Get();
  Table table = std::move(parcel).Take();
  EXPECT_EQ(table.size(), 100U);
  table[1000] = "more";
}

TEST(RunParcelTest, DropEmptiesIt) {
  auto parcel = Isolate::RunParcel(MakeTable, 100).Get();
  parcel.Drop();
  EXPECT_TRUE(parcel.empty());
}

TEST(RunParcelTest, ItCanBeDroppedInAnotherIsolate) {
  for (int i = 0; i < 50; ++i) {
    auto parcel = Isolate::RunParcel(MakeTable, 100).Get();
    EXPECT_EQ(
        Isolate::Run([](Parcel<Table> given) { return given->size(); }, std::move(parcel)).Get(),
        100U);
  }
}

Task<Table> SlowTable(int rows) {
  Table table;
  for (int i = 0; i < rows; ++i) {
    table[i] = std::string(50, 's');
    if (i % 10 == 0) co_await Delay(std::chrono::microseconds(1));
  }
  co_return table;
}

TEST(RunParcelTest, ABuilderMayBeACoroutine) {
  std::vector<Future<Parcel<Table>>> parcels;
  for (int i = 0; i < 10; ++i) parcels.push_back(Isolate::RunParcel(SlowTable, 100));
  for (auto& parcel : parcels) EXPECT_EQ(parcel.Get()->size(), 100U);
}

TEST(RunParcelTest, AnExceptionOfTheBuilder) {
  const auto error = ErrorOf(Isolate::RunParcel(
      [](int rows) -> Table {
        const auto unfinished = MakeTable(rows);
        throw std::runtime_error("after " + std::to_string(unfinished.size()) + " rows");
      },
      10));
  EXPECT_EQ(error.message(), "after 10 rows");
}

TEST(RunParcelTest, AnExceptionOfACoroutineBuilder) {
  const auto error = ErrorOf(Isolate::RunParcel(
      [](int rows) -> Task<Table> {
        const auto unfinished = MakeTable(rows);
        co_await Delay(Duration::zero());
        throw std::runtime_error("after " + std::to_string(unfinished.size()) + " rows");
      },
      10));
  EXPECT_EQ(error.message(), "after 10 rows");
}

TEST(RunParcelTest, AResultThatMayNotBeSentIsRefusedWithThePath) {
  const auto error = ErrorOf(Isolate::RunParcel([] {
    std::string local = "a string that is too long to be kept in place";
    return std::vector<std::string_view>{std::string_view("fine"), std::string_view(local)};
  }));
  EXPECT_THAT(error.type(), HasSubstr("TransferError"));
  EXPECT_THAT(error.message(), HasSubstr("[1]"));
}

TEST(RunParcelTest, AnArgumentThatMayNotBeSentIsRefusedHere) {
  std::string local = "a string that is too long to be kept in place";
  EXPECT_THROW((void)Isolate::RunParcel([](std::string_view view) { return std::string(view); },
                                        std::string_view(local)),
               TransferError);
}

TEST(RunParcelTest, ABuilderThatExitsFailsTheFuture) {
  EXPECT_THAT(ErrorOf(Isolate::RunParcel([]() -> Table { Isolate::Exit(); })).message(),
              HasSubstr("without a result"));
}

TEST(RunParcelTest, ADroppedFutureDropsTheParcel) {
  for (int i = 0; i < 50; ++i) (void)Isolate::RunParcel(MakeTable, 100);
  Isolate::RunParcel(MakeTable, 1).Get();
}

TEST(RunParcelTest, ABuilderMayReceiveABlockAndGetOtherParcels) {
  auto parcel = Isolate::RunParcel(
                    [](std::string text) {
                      auto inner = Isolate::RunParcel(MakeTable, 10).Get();
                      std::vector<std::string> lines{std::move(text)};
                      for (const auto& [key, value] : *inner) lines.push_back(value);
                      return lines;
                    },
                    std::string(100, 'r'))
                    .Get();
  EXPECT_EQ(parcel->size(), 11U);
  EXPECT_EQ(parcel->front(), std::string(100, 'r'));
}

}  // namespace
}  // namespace isolates
