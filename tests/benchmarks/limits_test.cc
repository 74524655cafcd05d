// That each limit and each baseline runs to its end; not how long it takes.

#include "benchmarks/support/limits.h"

#include <gtest/gtest.h>

#include <cmath>

#include "benchmarks/support/baselines.h"

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
  for (const std::size_t bytes : {8, 48, 64}) ExpectTime(BareLaneRoundTrip(*cpus, bytes, 1'000));
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

}  // namespace
}  // namespace isolates::bench
