// ReceivePort: receiving one by one, blocking, in coroutines, and its ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

TEST(ReceiveTest, ReceiveReturnsAMessageThatIsThere) {
  ReceivePort<int> port;
  port.send_port().Send(4);
  EXPECT_EQ(port.Receive(Duration::zero()), 4);
}

TEST(ReceiveTest, ReceiveThrowsTimeoutErrorAndNothingIsLost) {
  ReceivePort<int> port;
  EXPECT_THROW((void)port.Receive(Duration::zero()), TimeoutError);
  EXPECT_THROW((void)port.Receive(milliseconds(1)), TimeoutError);
  port.send_port().Send(1);
  EXPECT_EQ(port.Receive(milliseconds(1)), 1);
}

TEST(ReceiveTest, ReceiveOnAClosedPortReturnsNothing) {
  ReceivePort<int> port;
  port.Close();
  port.Close();
  EXPECT_EQ(port.Receive(kForever), std::nullopt);
  EXPECT_EQ(port.TryReceive(), std::nullopt);
  EXPECT_FALSE(port.is_open());
}

TEST(ReceiveTest, ReceiveOnMainWaitsForAnIsolate) {
  ReceivePort<int> port;
  for (int i = 0; i < 100; ++i) {
    auto running = Isolate::Run([](SendPort<int> sender, int number) { sender.Send(number); },
                                port.send_port(), i);
    EXPECT_EQ(port.Receive(kForever), i);
    running.Get();
  }
}

TEST(ReceiveTest, ReceiveOnAPlainThreadWaitsForAnotherThread) {
  std::latch ready(1);
  std::optional<SendPort<int>> sender;
  std::thread receiver([&] {
    ReceivePort<int> port;
    sender = port.send_port();
    ready.count_down();
    for (int i = 0; i < 200; ++i) EXPECT_EQ(port.Receive(kForever), i);
    EXPECT_THROW((void)port.Receive(milliseconds(1)), TimeoutError);
  });
  ready.wait();
  for (int i = 0; i < 200; ++i) sender->Send(i);
  receiver.join();
  EXPECT_TRUE(sender->closed());
}

int ReceiveThree(SendPort<SendPort<int>> out) {
  ReceivePort<int> port;
  out.Send(port.send_port());
  int sum = 0;
  for (int i = 0; i < 3; ++i) sum += port.Receive(kForever).value_or(1000);
  try {
    (void)port.Receive(milliseconds(1));
  } catch (const TimeoutError&) {
    return sum;
  }
  return -1;
}

TEST(ReceiveTest, ReceiveInAnIsolateBlocksItUntilAMessageComes) {
  ReceivePort<SendPort<int>> ports;
  auto sum = Isolate::Run(ReceiveThree, ports.send_port());
  const auto sender = *ports.Receive(kForever);
  for (int i = 1; i <= 3; ++i) sender.Send(i);
  EXPECT_EQ(sum.Get(), 6);
}

TEST(ReceiveTest, OtherPortsAreServedWhileMainBlocksInReceive) {
  ReceivePort<int> listened;
  ReceivePort<int> awaited;
  const auto forward = awaited.send_port();
  listened.Listen([&](int number) { forward.Send(number + 1); });
  Isolate::Run([](SendPort<int> sender) { sender.Send(1); }, listened.send_port()).Get();
  EXPECT_EQ(awaited.Receive(kForever), 2);
}

TEST(ReceiveTest, TheWrongIsolateIsRefused) {
  ReceivePort<int> port;
  std::thread([&] {
    EXPECT_THROW((void)port.TryReceive(), StateError);
    EXPECT_THROW((void)port.Receive(Duration::zero()), StateError);
    EXPECT_THROW(port.Close(), StateError);
    EXPECT_THROW(port.Listen([](int) {}), StateError);
    EXPECT_THROW(port.set_keep_isolate_alive(false), StateError);
    EXPECT_THROW((void)port.send_port(), StateError);
    const ReceivePort<int> attached;
    EXPECT_THROW((void)port.TryReceive(), StateError);
  }).join();
  EXPECT_TRUE(port.is_open());
}

TEST(ReceiveTest, APortCanBeMoved) {
  ReceivePort<int> port("name");
  const auto sender = port.send_port();
  ReceivePort<int> moved = std::move(port);
  EXPECT_EQ(moved.debug_name(), "name");
  sender.Send(1);
  EXPECT_EQ(moved.TryReceive(), 1);
  ReceivePort<int> other;
  const auto other_sender = other.send_port();
  other = std::move(moved);
  EXPECT_TRUE(other_sender.closed());
  EXPECT_FALSE(sender.closed());
  sender.Send(2);
  EXPECT_EQ(other.TryReceive(), 2);
}

TEST(ReceiveTest, AnObjectThatWasMovedFromSaysSo) {
  ReceivePort<int> port;
  const ReceivePort<int> moved = std::move(port);
  // NOLINTBEGIN(bugprone-use-after-move): that is the subject
  EXPECT_FALSE(port.is_open());
  EXPECT_TRUE(port.ended());
  port.Close();
  EXPECT_THROW((void)port.counters(), StateError);
  EXPECT_THROW((void)port.debug_name(), StateError);
  EXPECT_THROW((void)port.keep_isolate_alive(), StateError);
  EXPECT_THROW((void)port.send_port(), StateError);
  EXPECT_THROW((void)port.TryReceive(), StateError);
  EXPECT_THROW(port.Listen([](int) {}), StateError);
  // NOLINTEND(bugprone-use-after-move)
}

TEST(ReceiveDeathTest, AnOpenPortThatDiesInTheWrongIsolateEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto port = std::make_unique<ReceivePort<int>>();
        std::thread([&] { port.reset(); }).join();
      },
      "destroyed outside of its isolate");
}

Task<std::vector<int>> Collect(ReceivePort<int>& port) {
  std::vector<int> received;
  while (auto message = co_await port.Receive()) received.push_back(*message);
  co_return received;
}

TEST(AwaitReceiveTest, ACoroutineGetsTheMessagesAndThenTheEnd) {
  ReceivePort<int> port;
  auto received = Start(Collect(port));
  const auto sender = port.send_port();
  Isolate::Run(
      [](SendPort<int> out) {
        for (int i = 0; i < 5; ++i) out.Send(i);
      },
      sender)
      .Get();
  EXPECT_FALSE(received.ready());
  while (received.WaitFor(Duration::zero())) {
  }
  port.Close();
  EXPECT_THAT(received.Get(), ElementsAre(0, 1, 2, 3, 4));
}

TEST(AwaitReceiveTest, ClosingWhileACoroutineWaitsGivesItNothing) {
  ReceivePort<int> port;
  auto received = Start(Collect(port));
  EXPECT_FALSE(received.ready());
  port.Close();
  EXPECT_THAT(received.Get(), testing::IsEmpty());
}

Task<int> CloseOwnPortInAnotherTask() {
  ReceivePort<int> port;
  auto received = Start(Collect(port));
  co_await Delay(Duration::zero());
  port.Close();
  const auto all = co_await received;
  co_return static_cast<int>(all.size());
}

TEST(AwaitReceiveTest, ClosingInAnIsolateWithNothingElseToDoStillWakesTheWaiter) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Isolate::Run(CloseOwnPortInAnotherTask).Get(), 0);
}

TEST(AwaitReceiveTest, TwoWaitersAreRefused) {
  ReceivePort<int> port;
  auto first = Start(Collect(port));
  auto second = Start(Collect(port));
  EXPECT_THROW((void)second.Get(), StateError);
  port.send_port().Send(8);
  while (!first.ready() && port.is_open()) {
    (void)first.WaitFor(Duration::zero());
    if (!first.ready()) port.Close();
  }
  EXPECT_THAT(first.Get(), testing::SizeIs(testing::Le(1)));
}

TEST(AwaitReceiveTest, ADroppedWaiterLeavesThePortUsable) {
  ReceivePort<int> port;
  {
    auto waiting = [](ReceivePort<int>& from) -> Stream<int> {
      while (auto message = co_await from.Receive()) co_yield *message;
    };
    auto stream = std::make_unique<Stream<int>>(waiting(port));
    auto next =
        Start([](Stream<int>& from) -> Task<int> { co_return *(co_await from.Next()); }(*stream));
    port.send_port().Send(1);
    EXPECT_EQ(next.Get(), 1);
  }
  port.send_port().Send(2);
  EXPECT_EQ(port.TryReceive(), 2);
}

TEST(AwaitReceiveTest, ListenAndReceiveExcludeEachOther) {
  ReceivePort<int> port;
  port.Listen([](int) {});
  EXPECT_THROW((void)port.Receive(Duration::zero()), StateError);
  EXPECT_THROW(port.Listen([](int) {}), StateError);
  auto awaiting = Start(Collect(port));
  EXPECT_THROW((void)awaiting.Get(), StateError);
}

TEST(AwaitReceiveTest, TryReceiveTakesTheMessageBeforeTheWaiter) {
  ReceivePort<int> port;
  auto received = Start(Collect(port));
  port.send_port().Send(1);
  EXPECT_EQ(port.TryReceive(), 1);
  EXPECT_FALSE(received.WaitFor(milliseconds(1)));
  port.send_port().Send(2);
  EXPECT_FALSE(received.WaitFor(milliseconds(1)));
  port.Close();
  EXPECT_THAT(received.Get(), ElementsAre(2));
}

Task<int> RequestAndReply(SendPort<std::pair<int, SendPort<int>>> server) {
  ReceivePort<int> replies;
  int sum = 0;
  for (int i = 0; i < 50; ++i) {
    server.Send(std::make_pair(i, replies.send_port()));
    sum += *(co_await replies.Receive());
  }
  co_return sum;
}

TEST(AwaitReceiveTest, RequestsOfManyIsolatesAreAnswered) {
  ReceivePort<std::pair<int, SendPort<int>>> server;
  server.Listen(
      [](std::pair<int, SendPort<int>> request) { request.second.Send(2 * request.first); });
  std::vector<Future<int>> sums;
  for (int i = 0; i < 8; ++i) sums.push_back(Isolate::Run(RequestAndReply, server.send_port()));
  EXPECT_THAT(WhenAll(std::move(sums)).Get(), testing::Each(2 * 49 * 50 / 2));
}

}  // namespace
}  // namespace isolates
