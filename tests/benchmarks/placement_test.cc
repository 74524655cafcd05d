#include "benchmarks/support/placement.h"

#include <gtest/gtest.h>
#include <sched.h>

namespace isolates::bench {
namespace {

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

}  // namespace
}  // namespace isolates::bench
