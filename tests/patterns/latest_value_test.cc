// LatestValuePort: the newest value only.

#include "isolates/latest_value.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "isolates/isolates.h"
#include "tests/patterns/scenarios.h"

namespace isolates {
namespace {

using std::chrono::milliseconds;

TEST(LatestValueTest, OnlyTheNewestIsSeen) {
  LatestValuePort<std::string> port;
  const auto sender = port.sender();
  EXPECT_EQ(port.TryTake(), std::nullopt);
  EXPECT_THROW((void)port.Next(milliseconds(1)), TimeoutError);
  sender.Send("a");
  sender.Send("b");
  EXPECT_EQ(port.overwritten(), 1U);
  EXPECT_EQ(port.Next(kForever), "b");
  EXPECT_EQ(port.TryTake(), std::nullopt);
}

TEST(LatestValueTest, AClosedPortRefusesAndTheValueStays) {
  LatestValuePort<std::string> port;
  const auto sender = port.sender();
  sender.Send("left");
  port.Close();
  std::string value = "stays with the sender, all of it";
  EXPECT_EQ(sender.Send(std::move(value)), SendResult::kClosed);
  EXPECT_EQ(value, "stays with the sender, all of it");  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(port.Next(kForever), std::nullopt);
  EXPECT_THROW(LatestValueSender<int>().Send(1), StateError);
}

TEST(LatestValueTest, AnIsolateSeesRisingNumbersAndTheLast) {
  for (int round = 0; round < 10; ++round) SendRisingNumbers(10'000);
}

TEST(LatestValueTest, TheWrongIsolateIsRefused) {
  LatestValuePort<int> port;
  std::thread([&] {
    EXPECT_THROW((void)port.TryTake(), StateError);
    EXPECT_THROW(port.Close(), StateError);
  }).join();
  EXPECT_TRUE(port.is_open());
}

}  // namespace
}  // namespace isolates
