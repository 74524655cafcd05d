// Order: per sender first in, first out; across senders only where the port says so (the triangle).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::IsEmpty;

// A sends 1 to C and then asks B, which sends 2 to C. What C receives first.
int FirstOfTheTriangle(std::uint64_t seed, MessageOrder order) {
  int first = 0;
  const SimulationReport report = Simulate(seed, [&first, order]() -> Task<void> {
    ReceivePort<int> c(PortOptions().Order(order));
    ReceivePort<SendPort<SendPort<int>>> ready;
    Isolate::Spawn(
        [](SendPort<SendPort<SendPort<int>>> out) -> Task<void> {
          ReceivePort<SendPort<int>> asked;
          out.Send(asked.send_port());
          (co_await asked.Receive())->Send(2);
        },
        ready.send_port())
        .Get();
    const SendPort<SendPort<int>> b = *co_await ready.Receive();
    Isolate::Spawn(
        [](std::pair<SendPort<int>, SendPort<SendPort<int>>> to) {
          to.first.Send(1);
          to.second.Send(to.first);
        },
        std::pair(c.send_port(), b))
        .Get();
    first = *co_await c.Receive();
    EXPECT_EQ(*co_await c.Receive(), 3 - first);
  });
  EXPECT_THAT(report.waiting, IsEmpty());
  return first;
}

TEST(OrderTest, TheTriangleMayBeReversedPerSender) {
  int reversed = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const int first = FirstOfTheTriangle(seed, MessageOrder::kPerSender);
    EXPECT_EQ(FirstOfTheTriangle(seed, MessageOrder::kPerSender), first) << "seed " << seed;
    reversed += first == 2 ? 1 : 0;
  }
  EXPECT_GT(reversed, 0);
  EXPECT_LT(reversed, 200);
  RecordProperty("reversed", reversed);
}

TEST(OrderTest, TheTriangleIsNeverReversedInTotalOrder) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    EXPECT_EQ(FirstOfTheTriangle(seed, MessageOrder::kTotal), 1) << "seed " << seed;
  }
}

// On real threads: plain thread A sends n to C, and then to B, which forwards it to C.
TEST(OrderTest, TotalOrderHoldsOnThreads) {
  constexpr int kRounds = 2000;
  ReceivePort<int> c(PortOptions().Order(MessageOrder::kTotal));
  ReceivePort<SendPort<int>> ready;
  Isolate::Spawn(
      [](std::pair<SendPort<SendPort<int>>, SendPort<int>> out) -> Task<void> {
        ReceivePort<int> asked;
        out.first.Send(asked.send_port());
        for (int i = 0; i < kRounds; ++i) out.second.Send(-*co_await asked.Receive());
      },
      std::pair(ready.send_port(), c.send_port()))
      .Get();
  std::thread a([b = *ready.Receive(kForever), to = c.send_port()] {
    for (int i = 1; i <= kRounds; ++i) {
      to.Send(int(i));
      b.Send(int(i));
    }
  });
  int seen = 0;
  for (int i = 0; i < 2 * kRounds; ++i) {
    const int message = *c.Receive(kForever);
    if (message > 0) {
      EXPECT_EQ(message, seen + 1);
      seen = message;
    } else {
      EXPECT_LE(-message, seen);
    }
  }
  a.join();
}

// Several SendPorts of a plain thread that becomes an isolate, and a fresh one.
TEST(OrderTest, AThreadThatBecomesAnIsolateGoesOnInOrder) {
  for (int order = 0; order < 6; ++order) {
    ReceivePort<int> port;
    std::thread([&, a = port.send_port(), b = port.send_port(), c = port.send_port()] {
      b.Send(1);
      a.Send(2);
      b.Send(3);
      const ReceivePort<int> attaches;
      const SendPort<int>* const senders[] = {&a, &b, &c};
      for (int i = 0; i < 3; ++i) senders[(order + i * (1 + order / 3)) % 3]->Send(4 + i);
    }).join();
    for (int i = 1; i <= 6; ++i) EXPECT_EQ(port.TryReceive(), i);
  }
}

// More senders than have a place of their own in the queue, alive at once: each one's messages stay
// in order.
TEST(OrderTest, ManySendersEachInOrder) {
  constexpr int kSenders = 100;
  constexpr int kHalf = 25;
  using Message = std::pair<int, int>;
  ReceivePort<Message> port;
  ReceivePort<SendPort<int>> halfway;
  for (int s = 0; s < kSenders; ++s) {
    Isolate::Spawn(
        [](std::tuple<SendPort<Message>, SendPort<SendPort<int>>, int> given) -> Task<void> {
          const auto& [to, tell, number] = given;
          ReceivePort<int> go;
          for (int i = 0; i < kHalf; ++i) to.Send(Message(number, i));
          tell.Send(go.send_port());
          co_await go.Receive();
          for (int i = kHalf; i < 2 * kHalf; ++i) to.Send(Message(number, i));
        },
        std::tuple(port.send_port(), halfway.send_port(), s))
        .Get();
  }
  std::vector<SendPort<int>> waiting;
  while (waiting.size() < kSenders) waiting.push_back(*halfway.Receive(kForever));
  for (const SendPort<int>& go : waiting) go.Send(0);
  std::vector<int> next(kSenders, 0);
  for (int i = 0; i < kSenders * 2 * kHalf; ++i) {
    const auto message = port.Receive(kForever);
    EXPECT_EQ(message->second, next[static_cast<std::size_t>(message->first)]++);
  }
  EXPECT_FALSE(port.TryReceive().has_value());
}

// The same on a plain thread, where each SendPort is a sender.
TEST(OrderTest, ManySendPortsOfAPlainThreadEachInOrder) {
  constexpr int kSenders = 100;
  constexpr int kEach = 50;
  ReceivePort<std::pair<int, int>> port;
  std::vector<SendPort<std::pair<int, int>>> senders(kSenders, port.send_port());
  std::thread([&] {
    for (int i = 0; i < kEach; ++i) {
      for (int s = 0; s < kSenders; ++s) {
        senders[static_cast<std::size_t>(s)].Send(std::pair(s, i));
      }
    }
  }).join();
  std::vector<int> next(kSenders, 0);
  for (int i = 0; i < kSenders * kEach; ++i) {
    const auto message = port.TryReceive();
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(message->second, next[static_cast<std::size_t>(message->first)]++);
  }
  EXPECT_FALSE(port.TryReceive().has_value());
}

}  // namespace
}  // namespace isolates
