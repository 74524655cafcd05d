// LatestValuePort: the newest value only.

#include "isolates/latest_value.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "isolates/isolates.h"

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

Task<int> SeeRisingNumbers(SendPort<LatestValueSender<int>> out) {
  LatestValuePort<int> port;
  out.Send(port.sender());
  int last = 0;
  while (last < 10'000) {
    const std::optional<int> next = co_await port.Next();
    if (*next <= last) co_return -1;
    last = *next;
  }
  co_return last;
}

TEST(LatestValueTest, AnIsolateSeesRisingNumbersAndTheLast) {
  for (int round = 0; round < 10; ++round) {
    ReceivePort<LatestValueSender<int>> in;
    auto last = Isolate::Run(SeeRisingNumbers, in.send_port());
    const auto sender = *in.Receive(kForever);
    for (int i = 1; i <= 10'000; ++i) sender.Send(i);
    EXPECT_EQ(last.Get(), 10'000);
  }
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
