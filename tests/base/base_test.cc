// The small parts of the room: errors, type names, clocks, checks.

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "isolates/clock.h"
#include "isolates/detail/check.h"
#include "isolates/detail/type_name.h"
#include "isolates/error.h"

namespace some_space {
struct SomeType {};
}  // namespace some_space

namespace isolates {
namespace {

TEST(TypeNameTest, NamesAreReadable) {
  EXPECT_EQ(internal::TypeName(typeid(int)), "int");
  EXPECT_EQ(internal::TypeName(typeid(some_space::SomeType)), "some_space::SomeType");
  EXPECT_EQ(internal::TypeName(typeid(std::runtime_error)), "std::runtime_error");
}

TEST(ErrorTest, RemoteErrorTellsTypeMessageAndIsolate) {
  const RemoteError error("std::logic_error", "wrong", "parser");
  EXPECT_EQ(error.type(), "std::logic_error");
  EXPECT_EQ(error.message(), "wrong");
  EXPECT_EQ(error.isolate_name(), "parser");
  EXPECT_STREQ(error.what(), "std::logic_error: wrong (in isolate 'parser')");
}

TEST(ErrorTest, EveryErrorIsAnError) {
  EXPECT_THROW(throw StateError("s"), Error);
  EXPECT_THROW(throw TimeoutError("t"), Error);
  EXPECT_THROW(throw LimitError("l"), Error);
  EXPECT_THROW(throw IsolateSpawnException("i"), Error);
  EXPECT_THROW(throw RemoteError("t", "m", "i"), Error);
}

TEST(ManualClockTest, StandsStillUntilItIsMoved) {
  ManualClock clock;
  const TimePoint start = clock.Now();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(std::chrono::seconds(3));
  EXPECT_EQ(clock.Now() - start, std::chrono::seconds(3));
}

TEST(ManualClockTest, TellsItsListenerAfterEveryAdvance) {
  ManualClock clock;
  std::vector<TimePoint> seen;
  clock.SetAdvanceListener([&] { seen.push_back(clock.Now()); });
  clock.Advance(std::chrono::seconds(1));
  clock.Advance(std::chrono::seconds(2));
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1] - seen[0], std::chrono::seconds(2));
}

TEST(SteadyClockTest, NeverGoesBack) {
  const SteadyClock clock;
  const TimePoint before = clock.Now();
  EXPECT_GE(clock.Now(), before);
}

TEST(CheckDeathTest, AFailedCheckEndsTheProgramAndSaysWhy) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(ISOLATES_CHECK(1 + 1 == 3, "arithmetic"), "isolates: arithmetic.*1 \\+ 1 == 3");
}

TEST(CheckTest, ACheckThatHoldsDoesNothing) { ISOLATES_CHECK(true, "never seen"); }

}  // namespace
}  // namespace isolates
