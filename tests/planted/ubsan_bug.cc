// A signed overflow.
#include <gtest/gtest.h>

#include <limits>

namespace {

TEST(Planted, SignedOverflow) {
  volatile int big = std::numeric_limits<int>::max();
  // UndefinedBehaviorSanitizer must stop here.
  volatile int sum = big + 1;
  EXPECT_EQ(sum, sum);
}

}  // namespace
