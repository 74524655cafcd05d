#include "src/base/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <thread>

namespace isolates::internal {
namespace {

TEST(ParseCpuQuotaTest, NumbersAreRoundedUp) {
  EXPECT_EQ(ParseCpuQuota("100000 100000"), 1);
  EXPECT_EQ(ParseCpuQuota("200000 100000"), 2);
  EXPECT_EQ(ParseCpuQuota("150000 100000"), 2);
  EXPECT_EQ(ParseCpuQuota("100001 100000"), 2);
  EXPECT_EQ(ParseCpuQuota("10000 100000"), 1);
}

TEST(ParseCpuQuotaTest, NoLimitAndNonsenseAreZero) {
  for (const char* text : {"max 100000", "", "-1 100000", "0 100000", "100000", "100000 0", "x y",
                           "100000 -5", "  "}) {
    EXPECT_EQ(ParseCpuQuota(text), 0) << '\'' << text << '\'';
  }
}

TEST(AllowedCpusTest, ThereIsAtLeastOneAndTheyAscend) {
  const AllowedCpus allowed = FindAllowedCpus();
  ASSERT_FALSE(allowed.cpus.empty());
  EXPECT_TRUE(std::is_sorted(allowed.cpus.begin(), allowed.cpus.end()));
  EXPECT_THAT(allowed.cpus, testing::Each(testing::Ge(0)));
  if (allowed.quota > 0) {
    EXPECT_LE(allowed.cpus.size(), static_cast<std::size_t>(allowed.quota));
  }
}

TEST(AllowedCpusTest, TheAffinityMaskIsObeyed) {
  std::thread([] {
    const int cpu = FindAllowedCpus().cpus.back();
    ASSERT_TRUE(PinThisThread(cpu));
    EXPECT_THAT(FindAllowedCpus().cpus, testing::ElementsAre(cpu));
    EXPECT_EQ(sched_getcpu(), cpu);
  }).join();
}

TEST(PinTest, AProcessorThatDoesNotExistIsRefused) {
  EXPECT_FALSE(PinThisThread(-1));
  EXPECT_FALSE(PinThisThread(CPU_SETSIZE));
  EXPECT_FALSE(PinThisThread(1 << 30));
}

}  // namespace
}  // namespace isolates::internal
