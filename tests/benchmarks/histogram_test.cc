#include "benchmarks/support/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace isolates::bench {
namespace {

constexpr double kPercents[] = {0, 0.01, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100};

// The same question, asked of all the values.
std::uint64_t Exact(const std::vector<std::uint64_t>& sorted, double percent) {
  const double part = percent / 100 * static_cast<double>(sorted.size());
  const auto rank = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(part)));
  return sorted[rank - 1];
}

void ExpectAgreement(std::vector<std::uint64_t> values) {
  Histogram histogram;
  for (const std::uint64_t value : values) histogram.Record(value);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(histogram.count(), values.size());
  EXPECT_EQ(histogram.min(), values.front());
  EXPECT_EQ(histogram.max(), values.back());
  for (const double percent : kPercents) {
    const auto exact = static_cast<double>(Exact(values, percent));
    const auto found = static_cast<double>(histogram.Percentile(percent));
    EXPECT_GE(found, exact) << percent;
    EXPECT_LE(found, exact * 1.01) << percent;
  }
}

TEST(HistogramTest, AgreesWithASortedVectorOfUniformValues) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> values(20'000);
  for (auto& value : values) value = random() % 1'000'000;
  ExpectAgreement(std::move(values));
}

TEST(HistogramTest, AgreesWithASortedVectorOfValuesOfAllSizes) {
  std::mt19937_64 random(2);
  std::vector<std::uint64_t> values(20'000);
  for (auto& value : values) value = random() >> (random() % 64);
  ExpectAgreement(std::move(values));
}

TEST(HistogramTest, IsExactForSmallValues) {
  std::vector<std::uint64_t> values;
  for (std::uint64_t i = 0; i < 256; ++i) values.push_back(i);
  Histogram histogram;
  for (const std::uint64_t value : values) histogram.Record(value);
  for (const double percent : kPercents) {
    EXPECT_EQ(histogram.Percentile(percent), Exact(values, percent)) << percent;
  }
}

TEST(HistogramTest, HoldsTheLargestValue) {
  constexpr auto kLargest = std::numeric_limits<std::uint64_t>::max();
  Histogram histogram;
  histogram.Record(0);
  histogram.Record(kLargest);
  EXPECT_EQ(histogram.Percentile(50), 0U);
  EXPECT_EQ(histogram.Percentile(100), kLargest);
}

TEST(HistogramTest, IsZeroWithoutValues) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_EQ(histogram.Percentile(50), 0U);
}

TEST(HistogramTest, MergedIsAsRecordedInOne) {
  std::mt19937_64 random(3);
  Histogram all;
  Histogram even;
  Histogram odd;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t value = random() >> (random() % 64);
    all.Record(value);
    (i % 2 == 0 ? even : odd).Record(value);
  }
  even.Merge(odd);
  EXPECT_EQ(even.count(), all.count());
  EXPECT_EQ(even.min(), all.min());
  EXPECT_EQ(even.max(), all.max());
  for (const double percent : kPercents) {
    EXPECT_EQ(even.Percentile(percent), all.Percentile(percent)) << percent;
  }
}

// A request each 10; nine answers came after 1, and one after 100. While that one was late, nine
// requests that were due were not made: they would have waited 90, 80, ... 10.
TEST(HistogramTest, CorrectionAddsTheRequestsThatWereNotMade) {
  Histogram plain;
  Histogram corrected;
  for (int i = 0; i < 9; ++i) {
    plain.Record(1);
    corrected.RecordCorrected(1, 10);
  }
  plain.Record(100);
  corrected.RecordCorrected(100, 10);

  EXPECT_EQ(plain.count(), 10U);
  EXPECT_EQ(plain.Percentile(90), 1U);  // looks as if nine of ten were fast

  // 1 (nine times), 10, 20, ... 100.
  EXPECT_EQ(corrected.count(), 19U);
  EXPECT_EQ(corrected.Percentile(100.0 * 9 / 19), 1U);
  for (std::uint64_t i = 1; i <= 10; ++i) {
    // Half a rank below: no question of rounding.
    const double percent = 100.0 * (9.0 + static_cast<double>(i) - 0.5) / 19;
    EXPECT_EQ(corrected.Percentile(percent), 10 * i);
  }
}

TEST(HistogramTest, CorrectionLeavesWhatWasInTime) {
  Histogram histogram;
  histogram.RecordCorrected(19, 10);  // the next request was 9 late: less than an interval
  EXPECT_EQ(histogram.count(), 1U);
  histogram.RecordCorrected(20, 10);  // here one was left out: 20 and 10
  EXPECT_EQ(histogram.count(), 3U);
  histogram.RecordCorrected(1'000, 0);  // no interval: nothing to correct
  EXPECT_EQ(histogram.count(), 4U);
}

}  // namespace
}  // namespace isolates::bench
