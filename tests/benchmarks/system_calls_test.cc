#include "benchmarks/support/system_calls.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace isolates::bench {
namespace {

TEST(SystemCallsTest, TellsWhetherThereWereAny) {
  pid_t parent = 0;
  const auto called = MakesSystemCalls([&] { parent = getppid(); });
  if (!called) GTEST_SKIP() << "the system does not offer it";
  EXPECT_TRUE(*called);
  EXPECT_EQ(parent, getppid()) << "the call is made";
  int sum = 0;
  EXPECT_EQ(MakesSystemCalls([&] { sum += parent; }), false);
  EXPECT_EQ(MakesSystemCalls([&] { getppid(); }), true) << "again";
  getppid();  // after it, nothing is caught
}

}  // namespace
}  // namespace isolates::bench
