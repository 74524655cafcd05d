// SendPort: what it promises to senders in isolates and on plain threads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::ElementsAre;

template <class T>
std::vector<T> TakeAll(ReceivePort<T>& port) {
  std::vector<T> taken;
  while (auto message = port.TryReceive()) taken.push_back(std::move(*message));
  return taken;
}

TEST(SendPortTest, AMessageArrivesAsItWasSent) {
  ReceivePort<std::string> port;
  EXPECT_EQ(port.send_port().Send("a message that is too long for the small string"),
            SendResult::kAccepted);
  EXPECT_EQ(port.TryReceive(), "a message that is too long for the small string");
  EXPECT_EQ(port.TryReceive(), std::nullopt);
}

TEST(SendPortTest, AMoveOnlyMessageIsMovedAndItsTargetStaysWhereItIs) {
  ReceivePort<std::unique_ptr<int>> port;
  auto message = std::make_unique<int>(7);
  const int* const address = message.get();
  EXPECT_EQ(port.send_port().Send(std::move(message)), SendResult::kAccepted);
  EXPECT_EQ(message, nullptr);
  const auto received = port.TryReceive();
  ASSERT_TRUE(received.has_value());
  EXPECT_EQ(received->get(), address);
}

TEST(SendPortTest, AnLvalueIsCopied) {
  ReceivePort<std::vector<int>> port;
  const std::vector<int> message{1, 2, 3};
  EXPECT_EQ(port.send_port().Send(message), SendResult::kAccepted);
  EXPECT_THAT(message, ElementsAre(1, 2, 3));
  EXPECT_THAT(*port.TryReceive(), ElementsAre(1, 2, 3));
}

TEST(SendPortTest, SeveralKindsOfMessagesAreAVariant) {
  using Message = std::variant<int, std::string, SendPort<int>>;
  ReceivePort<Message> port;
  ReceivePort<int> answers;
  port.send_port().Send(1);
  port.send_port().Send(std::string("two"));
  port.send_port().Send(answers.send_port());
  EXPECT_EQ(std::get<int>(*port.TryReceive()), 1);
  EXPECT_EQ(std::get<std::string>(*port.TryReceive()), "two");
  std::get<SendPort<int>>(*port.TryReceive()).Send(3);
  EXPECT_EQ(answers.TryReceive(), 3);
}

TEST(SendPortTest, AClosedPortRefusesAndTheMessageStaysWithTheSender) {
  ReceivePort<std::unique_ptr<int>> port;
  const auto sender = port.send_port();
  EXPECT_FALSE(sender.closed());
  port.Close();
  EXPECT_TRUE(sender.closed());
  auto message = std::make_unique<int>(5);
  EXPECT_EQ(sender.Send(std::move(message)), SendResult::kClosed);
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(*message, 5);
}

TEST(SendPortTest, TheDestructorOfAReceivePortClosesIt) {
  std::optional<ReceivePort<int>> port(std::in_place);
  const auto sender = port->send_port();
  port.reset();
  EXPECT_EQ(sender.Send(1), SendResult::kClosed);
}

TEST(SendPortTest, AnEmptySendPortThrowsStateError) {
  const SendPort<int> empty;
  EXPECT_THROW((void)empty.Send(1), StateError);
  EXPECT_THROW((void)empty.closed(), StateError);
  EXPECT_EQ(empty.id(), 0U);
  EXPECT_EQ(empty, SendPort<int>());
}

TEST(SendPortTest, ARefusedMessageIsUnchanged) {
  ReceivePort<std::string_view> port;
  std::string local = "not for others";
  std::string_view view = local;
  EXPECT_THROW((void)port.send_port().Send(std::move(view)), TransferError);
  EXPECT_EQ(view, "not for others");
  EXPECT_EQ(port.TryReceive(), std::nullopt);
}

TEST(SendPortTest, EqualIfTheyLeadToTheSamePort) {
  ReceivePort<int> port;
  ReceivePort<int> other;
  const auto a = port.send_port();
  const auto b = port.send_port();
  const SendPort<int> copy = a;
  EXPECT_EQ(a, b);
  EXPECT_EQ(a, copy);
  EXPECT_NE(a, other.send_port());
  EXPECT_NE(a, SendPort<int>());
  EXPECT_EQ(a.id(), copy.id());
  EXPECT_NE(a.id(), other.send_port().id());
  const std::unordered_set<SendPort<int>> set{a, b, copy, other.send_port()};
  EXPECT_EQ(set.size(), 2U);
}

TEST(SendPortTest, EqualityIsKeptWhenItIsSent) {
  ReceivePort<int> port;
  ReceivePort<SendPort<int>> carrier;
  carrier.send_port().Send(port.send_port());
  EXPECT_EQ(*carrier.TryReceive(), port.send_port());
  const auto back =
      Isolate::Run([](SendPort<int> sender) { return sender; }, port.send_port()).Get();
  EXPECT_EQ(back, port.send_port());
}

TEST(SendPortTest, CopiesAndMovesOfAPortThatWasUsedOnAPlainThreadWork) {
  ReceivePort<int> port;
  std::thread([&, sender = port.send_port()]() mutable {
    sender.Send(1);
    SendPort<int> copy = sender;
    copy.Send(2);
    const SendPort<int> moved = std::move(sender);
    moved.Send(3);
    copy = moved;
    copy.Send(4);
    SendPort<int> assigned;
    assigned = std::move(copy);
    assigned.Send(5);
  }).join();
  auto taken = TakeAll(port);
  std::sort(taken.begin(), taken.end());
  EXPECT_THAT(taken, ElementsAre(1, 2, 3, 4, 5));
}

TEST(SendOrderTest, MessagesOfOneIsolateArriveInOrderThroughAnyOfItsCopies) {
  ReceivePort<int> port;
  Isolate::Run(
      [](SendPort<int> first) {
        const SendPort<int> second = first;
        for (int i = 0; i < 500; ++i) (i % 2 == 0 ? first : second).Send(i);
      },
      port.send_port())
      .Get();
  const auto taken = TakeAll(port);
  ASSERT_EQ(taken.size(), 500U);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(taken[static_cast<std::size_t>(i)], i);
}

TEST(SendOrderTest, MessagesOfAPlainThreadStayInOrderWhenItBecomesAnIsolate) {
  ReceivePort<int> port;
  std::thread([sender = port.send_port()] {
    for (int i = 0; i < 100; ++i) sender.Send(i);
    const ReceivePort<int> attaches;
    for (int i = 100; i < 200; ++i) sender.Send(i);
  }).join();
  const auto taken = TakeAll(port);
  ASSERT_EQ(taken.size(), 200U);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(taken[static_cast<std::size_t>(i)], i);
}

struct Numbered {
  int sender = 0;
  int number = 0;
};

TEST(SendOrderTest, ManyThreadsToOneReceiverLoseNothingAndKeepEachOrder) {
  constexpr int kSenders = 6;
  constexpr int kEach = 5000;
  ReceivePort<Numbered> port;
  std::vector<std::thread> threads;
  for (int s = 0; s < kSenders; ++s) {
    threads.emplace_back([s, sender = port.send_port()] {
      for (int i = 0; i < kEach; ++i) sender.Send(Numbered{s, i});
    });
  }
  std::vector<int> next(kSenders, 0);
  for (int taken = 0; taken < kSenders * kEach; ++taken) {
    const auto message = port.Receive(kForever);
    ASSERT_TRUE(message.has_value());
    ASSERT_EQ(message->number, next[static_cast<std::size_t>(message->sender)]++);
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(port.TryReceive(), std::nullopt);
}

TEST(SendOrderTest, AListenerGetsTheNumbersOfManyIsolatesInOrder) {
  constexpr int kSenders = 4;
  constexpr int kEach = 2000;
  ReceivePort<Numbered> port;
  Completer<> all;
  std::vector<int> next(kSenders, 0);
  int taken = 0;
  bool in_order = true;
  port.Listen([&](Numbered message) {
    in_order = in_order && message.number == next[static_cast<std::size_t>(message.sender)]++;
    if (++taken == kSenders * kEach) all.Complete();
  });
  for (int s = 0; s < kSenders; ++s) {
    Isolate::Spawn(
        [](std::pair<int, SendPort<Numbered>> job) {
          for (int i = 0; i < kEach; ++i) job.second.Send(Numbered{job.first, i});
        },
        std::make_pair(s, port.send_port()))
        .Get();
  }
  all.future().Get();
  EXPECT_TRUE(in_order);
}

TEST(DeadLetterTest, MessagesThatNobodyReceivesAreDestroyedAndCounted) {
  const auto before = runtime_info().dead_letters;
  {
    ReceivePort<std::vector<std::string>> port;
    for (int i = 0; i < 3; ++i)
      port.send_port().Send(std::vector<std::string>(4, std::string(100, 'x')));
    EXPECT_TRUE(port.TryReceive().has_value());
    port.Close();
  }
  EXPECT_EQ(runtime_info().dead_letters, before + 2);
}

TEST(DeadLetterTest, APortInADeadLetterIsReleased) {
  ReceivePort<int> inner;
  {
    ReceivePort<SendPort<int>> outer;
    outer.send_port().Send(inner.send_port());
  }
  EXPECT_TRUE(inner.is_open());
}

TEST(DeadLetterTest, SendersRaceWithTheCloseAndEveryMessageIsAccountedFor) {
  for (int round = 0; round < 50; ++round) {
    const auto before = runtime_info().dead_letters;
    ReceivePort<std::unique_ptr<int>> port;
    std::atomic<int> accepted{0};
    std::atomic<int> refused{0};
    std::latch started(3);
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&, sender = port.send_port()] {
        started.arrive_and_wait();
        for (int i = 0; i < 500; ++i) {
          auto message = std::make_unique<int>(i);
          if (sender.Send(std::move(message)) == SendResult::kAccepted) {
            accepted.fetch_add(1);
          } else {
            ASSERT_EQ(*message, i);
            refused.fetch_add(1);
          }
        }
      });
    }
    started.arrive_and_wait();
    int received = 0;
    while (received < 100 && port.TryReceive()) ++received;
    port.Close();
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(accepted + refused, 1000);
    EXPECT_EQ(runtime_info().dead_letters - before,
              static_cast<std::uint64_t>(accepted - received));
  }
}

TEST(DeadPortTest, PortsOfAnIsolateThatHasEndedAreClosed) {
  ReceivePort<int> exits;
  ReceivePort<SendPort<int>> ports;
  Isolate::Spawn(
      [](SendPort<SendPort<int>> out) {
        ReceivePort<int> port;
        out.Send(port.send_port());
        std::move(port).Listen([](ReceivePort<int>& self, int) { self.Close(); });
        RawReceivePort<int> second;
        out.Send(second.send_port());
      },
      ports.send_port(), SpawnOptions().OnExit(exits.send_port(), 1))
      .Get();
  const auto listening = *ports.Receive(kForever);
  const auto second = *ports.Receive(kForever);
  EXPECT_EQ(listening.Send(1), SendResult::kAccepted);
  EXPECT_EQ(exits.Receive(kForever), 1);
  EXPECT_EQ(listening.Send(2), SendResult::kClosed);
  EXPECT_EQ(second.Send(2), SendResult::kClosed);
}

}  // namespace
}  // namespace isolates
