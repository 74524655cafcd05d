#include "benchmarks/support/counters.h"

#include <gtest/gtest.h>

#include <atomic>

namespace isolates::bench {
namespace {

TEST(CountersTest, CountMoreAndMoreWhereTheyAreOffered) {
  const ThreadCounters counters;
  const auto before = counters.instructions();
  std::atomic<int> work{0};
  for (int i = 0; i < 1'000; ++i) work.fetch_add(1);
  const auto after = counters.instructions();
  EXPECT_EQ(before.has_value(), after.has_value());
  if (before) {
    EXPECT_GT(*after, *before);
  }
}

TEST(CountersTest, NoiseIsOfTheTimeSinceTheStart) {
  const NoiseMeter meter;
  const Noise first = meter.Read();
  const Noise second = meter.Read();
  EXPECT_GE(first.seconds, 0);
  EXPECT_GE(second.seconds, first.seconds);
  EXPECT_GE(second.voluntary_switches, first.voluntary_switches);
}

}  // namespace
}  // namespace isolates::bench
