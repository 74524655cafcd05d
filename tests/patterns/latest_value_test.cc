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

TEST(LatestValueTest, AValueThatNobodyTookIsADeadLetter) {
  const auto before = runtime_info().dead_letters;
  LatestValuePort<std::string> port;
  port.sender().Send("overwritten");
  port.sender().Send("left");
  port.Close();
  EXPECT_EQ(runtime_info().dead_letters, before + 1);
  EXPECT_EQ(port.overwritten(), 1U);
}

Task<bool> WaitForTheEnd(SendPort<LatestValueSender<int>> out) {
  LatestValuePort<int> port;
  out.Send(port.sender());
  Timer(Duration(1), [&port] { port.Close(); }).Detach();
  co_return !(co_await port.Next()).has_value();
}

TEST(LatestValueTest, WhoeverWaitsLearnsOfTheEnd) {
  ReceivePort<LatestValueSender<int>> in;
  auto told = Isolate::Run(WaitForTheEnd, in.send_port());
  const auto sender = *in.Receive(kForever);
  EXPECT_TRUE(told.Get());
  EXPECT_TRUE(sender.closed());
  EXPECT_EQ(sender.Send(1), SendResult::kClosed);
}

TEST(LatestValueTest, OnlyOneMayWait) {
  LatestValuePort<int> port;
  const auto take = [](LatestValuePort<int>& from) -> Task<int> {
    co_return *co_await from.Next();
  };
  auto first = Start(take(port));
  EXPECT_THROW((void)port.Next(Duration::zero()), StateError);
  auto second = Start(take(port));
  EXPECT_THROW((void)second.Get(), StateError);
  port.sender().Send(3);
  EXPECT_EQ(first.Get(), 3);
}

TEST(LatestValueTest, AnIsolateThatIsKilledClosesIt) {
  ReceivePort<LatestValueSender<int>> in;
  const Isolate isolate = Isolate::Spawn(
                              [](SendPort<LatestValueSender<int>> out) -> Task<> {
                                LatestValuePort<int> port;
                                out.Send(port.sender());
                                while (co_await port.Next()) {
                                }
                              },
                              in.send_port())
                              .Get();
  const auto sender = *in.Receive(kForever);
  EXPECT_EQ(sender.Send(1), SendResult::kAccepted);
  isolate.Kill();
  EXPECT_EQ(isolate.Ended().Get().reason, ExitReason::kKilled);
  EXPECT_EQ(sender.Send(2), SendResult::kClosed);
}

}  // namespace
}  // namespace isolates
