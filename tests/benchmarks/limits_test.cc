// That each limit and each baseline runs to its end; not how long it takes.

#include "benchmarks/support/limits.h"

#include <gtest/gtest.h>

#include <cmath>

#include "benchmarks/support/baselines.h"
#include "benchmarks/support/counters.h"

namespace isolates::bench {
namespace {

void ExpectTime(double ns) {
  EXPECT_TRUE(std::isfinite(ns));
  EXPECT_GT(ns, 0);
}

TEST(LimitsTest, BetweenTwoProcessors) {
  const auto cpus = TwoCpus();
  if (!cpus) GTEST_SKIP() << "one processor";
  ExpectTime(RawBounce(*cpus, 1'000));
  ExpectTime(RawStream(*cpus, 10'000));
  ExpectTime(FutexRoundTrip(*cpus, 10));
  ExpectTime(FutexWakeUp(*cpus, 3, 100));
  ExpectTime(MoodycamelRoundTrip(*cpus, 1'000));
  ExpectTime(MoodycamelStream(*cpus, 10'000));
  ExpectTime(MoodycamelFourToOne(*cpus, 10'000));
  ExpectTime(MutexCondvarRoundTrip(*cpus, 10));
}

TEST(LimitsTest, OnOne) {
  ExpectTime(MemcpyOf(1));
  ExpectTime(MemcpyOf(10'000'000));
  if (const auto ns = MiHeapOf()) ExpectTime(*ns);
  ExpectTime(StdAsync(3));
  ExpectTime(ThreadWithPromise(3));
}

TEST(PlacementTest, IsReadFromItsName) {
  for (const Placement placement : {Placement::kSame, Placement::kCross, Placement::kFree}) {
    EXPECT_EQ(ParsePlacement(ToString(placement)), placement);
  }
  EXPECT_FALSE(ParsePlacement("nowhere"));
}

TEST(PlacementTest, LeavesTheThreadAsItWas) {
  cpu_set_t before;
  cpu_set_t during;
  cpu_set_t after;
  sched_getaffinity(0, sizeof(before), &before);
  {
    const PinnedHere pinned(AllowedCpus().back());
    sched_getaffinity(0, sizeof(during), &during);
  }
  sched_getaffinity(0, sizeof(after), &after);
  EXPECT_EQ(CPU_COUNT(&during), 1);
  EXPECT_TRUE(CPU_ISSET(static_cast<unsigned>(AllowedCpus().back()), &during));
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST(CountersTest, CountMoreAndMoreWhereTheyAreOffered) {
  const ThreadCounters counters;
  const auto before = counters.instructions();
  ExpectTime(MemcpyOf(1'000));
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
