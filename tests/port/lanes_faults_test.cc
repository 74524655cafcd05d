// No memory for a lane, or for its next segment: what was accepted comes, in order.

#include <gtest/gtest.h>

#include <cstdint>
#include <new>
#include <optional>

#include "isolates/isolates.h"
#include "src/heap/allocation_faults.h"
#include "tests/port/lanes.h"

namespace isolates {
namespace {

using internal::AllocationFaults;

// A send that throws is made again; so each allocation of the library's fails once.
TEST(LanesFaultsTest, EachAllocationFailsOnce) {
  constexpr int kCount = 1000;
  bool failed = true;
  for (std::uint64_t first = 1; failed; ++first) {
    ReceivePort<int> port;
    const auto to = port.send_port();
    failed = false;
    AllocationFaults::Arm(first);
    for (int i = 0; i < kCount;) {
      try {
        if (to.Send(int(i)) == SendResult::kAccepted) ++i;
      } catch (const std::bad_alloc&) {
        failed = true;
      }
    }
    const std::uint64_t seen = AllocationFaults::seen();
    AllocationFaults::Disarm();
    failed = failed || seen >= first;
    ASSERT_TRUE(HasNumbers(port, 0, kCount));
    EXPECT_EQ(LaneCount(port), 1);
    EXPECT_EQ(port.TryReceive(), std::nullopt);
    EXPECT_EQ(port.counters().received, std::uint64_t{kCount});
    EXPECT_EQ(port.counters().queue_length, 0U);
  }
}

// A sender gets back all segments that its last burst took.
TEST(LanesFaultsTest, BurstsThatHaveBeenBeforeAllocateNothing) {
  constexpr int kCount = 1500;  // six segments
  ReceivePort<int> port;
  const auto to = port.send_port();
  for (int round = 0; round < 20; ++round) {
    if (round == 3) AllocationFaults::Arm(UINT64_MAX / 2);
    ASSERT_TRUE(SendAll(kCount, [&](int i) { return to.Send(int(i)); }));
    ASSERT_TRUE(HasNumbers(port, 0, kCount));
  }
  const std::uint64_t seen = AllocationFaults::seen();
  AllocationFaults::Disarm();
  EXPECT_EQ(LaneCount(port), 1);
  EXPECT_EQ(seen, 0U);
}

// No memory at all: nothing is lost, and senders go on by themselves later.
TEST(LanesFaultsTest, AllFail) {
  ReceivePort<int> port;
  const auto to = port.send_port();
  ASSERT_TRUE(SendAll(2 * kMakesHot, [&](int i) { return to.Send(int(i)); }));
  AllocationFaults::Arm(1, UINT64_MAX / 2);
  int sent = 2 * kMakesHot;
  try {
    for (;;) {
      if (to.Send(int(sent)) == SendResult::kAccepted) ++sent;
    }
  } catch (const std::bad_alloc&) {
  }
  AllocationFaults::Disarm();
  ASSERT_TRUE(SendAll(kMakesHot, [&](int i) { return to.Send(sent + i); }));
  ASSERT_TRUE(HasNumbers(port, 0, sent + kMakesHot));
  EXPECT_EQ(port.TryReceive(), std::nullopt);
}

}  // namespace
}  // namespace isolates
