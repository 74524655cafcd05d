// Readers of counters get what belongs together, and refuse what they would misread.

#include "src/base/stats_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/base/stats_segment_util.h"

namespace isolates::internal {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(StatsCopyTest, EntriesInUseAreCopied) {
  const auto segment = MakeSegment();
  AddThread(*segment, 100, "isolates-w1");
  StatsIsolate& gone = AddIsolate(*segment, 1, "gone");
  StatsPut(gone.generation, 2);
  StatsIsolate& parser = AddIsolate(*segment, 2, "parser");
  StatsPut(parser.turns, 7);
  StatsPut(parser.histograms, 1);
  segment->histograms[0].waiting.Record(1000);
  StatsPut(AddPort(*segment, 3, 2, "orders").depth, 5);

  ASSERT_EQ(RefuseStats(segment->header, sizeof(StatsSegment)), "");
  const StatsCopy copy = CopyStats(segment->header);
  EXPECT_EQ(copy.program, "a program");
  ASSERT_EQ(copy.threads.size(), 1U);
  EXPECT_EQ(copy.threads[0].name, "isolates-w1");
  EXPECT_EQ(copy.threads[0].number, 1U);
  ASSERT_EQ(copy.isolates.size(), 1U);
  EXPECT_EQ(copy.isolates[0].id, 2U);
  EXPECT_EQ(copy.isolates[0].name, "parser");
  EXPECT_EQ(copy.isolates[0].turns, 7U);
  ASSERT_TRUE(copy.isolates[0].histograms.has_value());
  EXPECT_EQ(copy.isolates[0].histograms->waiting.count, 1U);
  ASSERT_EQ(copy.ports.size(), 1U);
  EXPECT_EQ(copy.ports[0].depth, 5U);
  EXPECT_EQ(copy.ports[0].isolate, 2U);
}

TEST(StatsCopyTest, NamesCannotCommandATerminal) {
  const auto segment = MakeSegment();
  AddIsolate(*segment, 1, "\x1b[2Jred\n");
  EXPECT_EQ(CopyStats(segment->header).isolates[0].name, "?[2Jred?");
}

TEST(StatsCopyTest, WhatIsNoSegmentIsRefused) {
  const auto segment = MakeSegment();
  const auto refusal = [&](std::size_t bytes = sizeof(StatsSegment)) {
    return RefuseStats(segment->header, bytes);
  };
  EXPECT_THAT(refusal(100), HasSubstr("too short"));
  EXPECT_THAT(refusal(sizeof(StatsSegment) - 1), HasSubstr("cut short"));
  StatsPut(segment->header.magic, 1);
  EXPECT_THAT(refusal(), HasSubstr("does not hold counters"));
  StatsPut(segment->header.magic, kStatsMagic);
  StatsPut(segment->header.version, kStatsVersion + 1);
  EXPECT_THAT(refusal(), HasSubstr("only layout"));
  StatsPut(segment->header.version, kStatsVersion);
  EXPECT_THAT(refusal(), IsEmpty());
}

TEST(StatsCopyTest, ATableOutsideOfTheSegmentIsRefused) {
  for (StatsWord StatsTable::* const word :
       {&StatsTable::offset, &StatsTable::stride, &StatsTable::capacity}) {
    for (const std::uint64_t value :
         {std::uint64_t{8}, sizeof(StatsSegment) + 64, ~std::uint64_t{0} - 63, ~std::uint64_t{0}}) {
      if (word == &StatsTable::capacity && value == 8) continue;
      const auto segment = MakeSegment();
      StatsPut(segment->header.isolates.*word, value);
      EXPECT_THAT(RefuseStats(segment->header, sizeof(StatsSegment)), HasSubstr("damaged"));
    }
  }
}

TEST(StatsCopyTest, UsedEntriesBeyondTheTableAreNotRead) {
  const auto segment = MakeSegment();
  StatsPut(segment->header.isolates.used, ~std::uint64_t{0});
  AddThread(*segment, 1, "a thread");
  EXPECT_EQ(CopyStats(segment->header).isolates.size(), 0U);
}

TEST(StatsCopyTest, AHistogramEntryThatIsNoneIsNotRead) {
  const auto segment = MakeSegment();
  StatsPut(AddIsolate(*segment, 1, "a").histograms, kStatsOwnHistograms + 1);
  EXPECT_FALSE(CopyStats(segment->header).isolates[0].histograms.has_value());
}

// An entry that changes hands while it is read never gives the name of one with the number of the
// other.
TEST(StatsCopyTest, ReadersSeeOneOwnerAtATime) {
  const auto segment = MakeSegment();
  StatsIsolate& entry = AddIsolate(*segment, 0, "0");
  std::atomic<bool> stop{false};
  std::thread owners([&] {
    for (std::uint64_t generation = 1, id = 0; !stop.load(); ++id) {
      // Release stores, as the program makes them: a reader that sees one sees those before.
      const auto put = [](StatsWord& word, std::uint64_t value) {
        word.store(value, std::memory_order_release);
      };
      put(entry.generation, ++generation);
      put(entry.id, id % 8);
      for (StatsWord& word : entry.name.words) {
        put(word, &word == &entry.name.words[0] ? '0' + id % 8 : 0);
      }
      put(entry.turns, id % 8);
      put(entry.generation, ++generation);
    }
  });
  for (int found = 0; found < 2000;) {
    const StatsCopy copy = CopyStats(segment->header);
    if (copy.isolates.empty()) continue;
    ++found;
    ASSERT_EQ(copy.isolates[0].name, std::to_string(copy.isolates[0].id));
    ASSERT_EQ(copy.isolates[0].turns, copy.isolates[0].id);
  }
  stop = true;
  owners.join();
}

TEST(HistogramCopyTest, QuantilesAreEndsOfBuckets) {
  const auto segment = MakeSegment();
  StatsHistogram& histogram = segment->histograms[0].waiting;
  StatsPut(AddIsolate(*segment, 1, "a").histograms, 1);
  const auto copy = [&] { return CopyStats(segment->header).isolates[0].histograms->waiting; };
  EXPECT_EQ(copy().Quantile(0.5), 0U);
  for (int i = 0; i < 98; ++i) histogram.Record(1000);
  histogram.Record(1'000'000);
  histogram.Record(1'000'001);
  EXPECT_EQ(copy().count, 100U);
  EXPECT_EQ(copy().Quantile(0.5), 1024U);  // [896, 1024)
  EXPECT_EQ(copy().Quantile(0.98), 1024U);
  EXPECT_EQ(copy().Quantile(0.99), 1'000'001U);  // no more than the longest
  EXPECT_EQ(copy().Quantile(1), 1'000'001U);
}

TEST(HistogramCopyTest, WhatCameSinceIsTheDifference) {
  const auto segment = MakeSegment();
  StatsHistogram& histogram = segment->histograms[0].waiting;
  StatsPut(AddIsolate(*segment, 1, "a").histograms, 1);
  const auto copy = [&] { return CopyStats(segment->header).isolates[0].histograms->waiting; };
  histogram.Record(100);
  StatsPut(segment->isolates[0].waiting, 100);
  const HistogramCopy before = copy();
  histogram.Record(5000);
  StatsPut(segment->isolates[0].waiting, 5100);
  EXPECT_EQ(copy().Since(before).count, 1U);
  EXPECT_EQ(copy().Since(before).sum, 5000U);
  EXPECT_EQ(copy().Since(before).Quantile(0.5), 5000U);
  // The entry was given to another isolate meanwhile.
  histogram.Clear();
  StatsPut(segment->isolates[0].waiting, 0);
  EXPECT_EQ(copy().Since(before).count, 0U);
}

TEST(HistogramCopyTest, ASharedSumIsThatOfTheMiddlesOfBuckets) {
  const auto segment = MakeSegment();
  AddThread(*segment, 1, "a thread").histograms.handling.Record(1000);  // [896, 1024)
  EXPECT_EQ(CopyStats(segment->header).threads[0].histograms.handling.sum, 960U);
}

}  // namespace
}  // namespace isolates::internal
