// Hot senders, whose messages go by lanes of their own: who has one, what goes there, and the
// order.

#include "tests/port/lanes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::IsEmpty;

// --- who has one
// ----------------------------------------------------------------------------------

TEST(LanesTest, AHotSenderHasOne) {
  ReceivePort<int> port;
  const auto to = port.send_port();
  ASSERT_TRUE(SendAll(3 * kMakesHot, [&](int i) { return to.Send(int(i)); }));
  EXPECT_EQ(port.counters().accepted, 3U * kMakesHot);
  EXPECT_EQ(port.counters().queue_length, 3U * kMakesHot);
  EXPECT_TRUE(HasNumbers(port, 0, 3 * kMakesHot));
  EXPECT_EQ(LaneCount(port), 1);
  EXPECT_EQ(port.TryReceive(), std::nullopt);
  EXPECT_EQ(port.counters().received, 3U * kMakesHot);
  EXPECT_EQ(port.counters().queue_length, 0U);
}

TEST(LanesTest, SendPortsOfOneIsolateShareIt) {
  ReceivePort<int> port;
  for (int i = 0; i < 3 * kMakesHot; ++i) port.send_port().Send(int(i));
  EXPECT_TRUE(HasNumbers(port, 0, 3 * kMakesHot));
  EXPECT_EQ(LaneCount(port), 1);
}

TEST(LanesTest, ThreadsHaveNone) {
  ReceivePort<int> port;
  std::thread([to = port.send_port()] {
    for (int i = 0; i < 3 * kMakesHot; ++i) to.Send(int(i));
  }).join();
  EXPECT_TRUE(HasNumbers(port, 0, 3 * kMakesHot));
  EXPECT_EQ(LaneCount(port), 0);
}

TEST(LanesTest, PortsThatPromiseMoreHaveNone) {
  for (const PortOptions& options :
       {PortOptions().Order(MessageOrder::kTotal), PortOptions().Capacity(1000)}) {
    ReceivePort<int> port(options);
    for (int i = 0; i < 3 * kMakesHot; ++i) port.send_port().Send(int(i));
    EXPECT_TRUE(HasNumbers(port, 0, 3 * kMakesHot));
    EXPECT_EQ(LaneCount(port), 0);
  }
}

TEST(LanesTest, SimulationsHaveNone) {
  static int lanes = -1;
  const SimulationReport report = Simulate(1, []() -> Task<void> {
    ReceivePort<int> port;
    Isolate::Spawn(
        [](SendPort<int> to) {
          for (int i = 0; i < 3 * kMakesHot; ++i) to.Send(int(i));
        },
        port.send_port())
        .Get();
    for (int i = 0; i < 3 * kMakesHot; ++i) EXPECT_EQ(*co_await port.Receive(), i);
    lanes = LaneCount(port);
  });
  EXPECT_THAT(report.waiting, IsEmpty());
  EXPECT_EQ(lanes, 0);
}

// What an isolate that sends on demand is told: so many messages; 0: that is all.
using ToSend = std::tuple<int, SendPort<Numbered>, SendPort<SendPort<int>>>;
void SendOnDemand(ToSend given) {
  ReceivePort<int> demands;
  std::get<2>(given).Send(demands.send_port());
  std::move(demands).Listen(
      [given = std::move(given), next = 0](ReceivePort<int>& self, int count) mutable {
        const auto& [sender, to, out] = given;
        if (count == 0) {
          self.Close();
          return;
        }
        for (; count > 0; --count) to.Send(Numbered{sender, next++});
        out.Send(SendPort<int>());
      });
}

class Senders {
 public:
  SendPort<int> Start(int number, const SendPort<Numbered>& to) {
    isolates_.push_back(
        Isolate::Spawn(SendOnDemand, ToSend(number, to, answers_.send_port())).Get());
    return *answers_.Receive(kForever);
  }
  // Returns when they are sent.
  void Send(const SendPort<int>& demand, int count) {
    demand.Send(int(count));
    EXPECT_EQ(answers_.Receive(kForever), SendPort<int>());
  }
  void End(const SendPort<int>& demand) { demand.Send(0); }
  // Of those that were started first.
  void AwaitEnds(int count) {
    for (int i = 0; i < count; ++i) isolates_[static_cast<std::size_t>(i)].Ended().Get();
    isolates_.erase(isolates_.begin(), isolates_.begin() + count);
    // Their ends are told before they give up their senders.
    while (runtime_info().isolates_live != live_before_ + isolates_.size()) {
      std::this_thread::yield();
    }
  }

 private:
  ReceivePort<SendPort<int>> answers_;
  const std::uint64_t live_before_ = runtime_info().isolates_live;
  std::vector<Isolate> isolates_;
};

int ReceiveInOrder(ReceivePort<Numbered>& port, std::vector<int>& next) {
  int count = 0;
  while (const auto message = port.TryReceive()) {
    EXPECT_EQ(message->number, next[static_cast<std::size_t>(message->sender)]++);
    ++count;
  }
  return count;
}

TEST(LanesTest, TheNinthSenderWaitsForOneThatGoes) {
  ReceivePort<Numbered> port;
  Senders senders;
  std::vector<SendPort<int>> demands;
  std::vector<int> next(10, 0);
  for (int s = 0; s < 10; ++s) demands.push_back(senders.Start(s, port.send_port()));
  for (int s = 0; s < 8; ++s) {
    senders.Send(demands[static_cast<std::size_t>(s)], kMakesHot);
    EXPECT_EQ(ReceiveInOrder(port, next), kMakesHot);
    EXPECT_EQ(LaneCount(port), s + 1);
  }
  senders.Send(demands[8], 3 * kMakesHot);
  EXPECT_EQ(ReceiveInOrder(port, next), 3 * kMakesHot);
  EXPECT_EQ(LaneCount(port), 8);
  // What they leave there is received, then their lanes go.
  for (int s = 0; s < 8; ++s) {
    senders.Send(demands[static_cast<std::size_t>(s)], 500);
    senders.End(demands[static_cast<std::size_t>(s)]);
  }
  senders.AwaitEnds(8);
  EXPECT_EQ(ReceiveInOrder(port, next), 8 * 500);
  senders.Send(demands[8], kMakesHot);
  EXPECT_EQ(ReceiveInOrder(port, next), kMakesHot);
  senders.Send(demands[8], kMakesHot);
  EXPECT_EQ(ReceiveInOrder(port, next), kMakesHot);
  EXPECT_EQ(LaneCount(port), 1);
  senders.End(demands[8]);
  senders.End(demands[9]);
  senders.AwaitEnds(2);
}

TEST(LanesTest, OneAfterTheOther) {
  ReceivePort<Numbered> port;
  Senders senders;
  std::vector<int> next(30, 0);
  for (int s = 0; s < 30; ++s) {
    const SendPort<int> demand = senders.Start(s, port.send_port());
    senders.Send(demand, 10 * kMakesHot);
    senders.End(demand);
    senders.AwaitEnds(1);
    EXPECT_EQ(ReceiveInOrder(port, next), 10 * kMakesHot);
    EXPECT_EQ(LaneCount(port), 1);
  }
}

TEST(LanesTest, ManySendersEachInOrder) {
  constexpr int kSenders = 12;
  constexpr int kEach = 20'000;
  ReceivePort<Numbered> port;
  for (int s = 0; s < kSenders; ++s) {
    Isolate::Spawn(
        [](std::pair<int, SendPort<Numbered>> given) {
          for (int i = 0; i < kEach; ++i) given.second.Send(Numbered{given.first, i});
        },
        std::pair(s, port.send_port()))
        .Get();
  }
  std::vector<int> next(kSenders, 0);
  for (int i = 0; i < kSenders * kEach; ++i) {
    const auto message = port.Receive(kForever);
    ASSERT_EQ(message->number, next[static_cast<std::size_t>(message->sender)]++);
    ASSERT_LE(LaneCount(port), 8);
  }
  EXPECT_EQ(port.TryReceive().has_value(), false);
}

// Lanes that always have something do not keep the queue waiting.
TEST(LanesTest, TheQueueHasItsTurn) {
  ReceivePort<int> port;
  const auto to = port.send_port();
  ASSERT_TRUE(SendAll(kMakesHot, [&](int i) { return to.Send(int(i)); }));
  ASSERT_TRUE(HasNumbers(port, 0, kMakesHot));
  ASSERT_EQ(LaneCount(port), 1);
  to.Send(0);
  std::thread([other = port.send_port()] { other.Send(-1); }).join();
  for (int received = 0;; ++received) {
    ASSERT_LT(received, 1000);
    if (port.TryReceive() == -1) break;
    to.Send(0);
  }
}

// --- what goes by them
// ----------------------------------------------------------------------------

struct Large {
  std::array<int, 40> numbers;
};
struct MayThrow {
  MayThrow() = default;
  MayThrow(const MayThrow&) = default;
  MayThrow(MayThrow&& other) noexcept(false) : number(other.number) {}
  MayThrow& operator=(MayThrow&&) = default;
  int number = 0;
  using IsolatesMembers = Members<&MayThrow::number>;
};
struct alignas(32) Aligned {
  int number = 0;
};

template <class T>
int LanesOf(T (*make)(int), bool (*is)(const T&, int)) {
  ReceivePort<T> port;
  const auto to = port.send_port();
  EXPECT_TRUE(SendAll(5 * kMakesHot, [&](int i) { return to.Send(make(i)); }));
  for (int i = 0; i < 5 * kMakesHot; ++i) EXPECT_TRUE(is(*port.TryReceive(), i));
  return LaneCount(port);
}

TEST(LanesTest, OfMessagesThatAreLargeOrMayThrowOrAligned) {
  EXPECT_EQ(LanesOf<Large>([](int i) { return Large{{i}}; },
                           [](const Large& large, int i) { return large.numbers[0] == i; }),
            0);
  EXPECT_EQ(LanesOf<MayThrow>(
                [](int i) {
                  MayThrow message;
                  message.number = i;
                  return message;
                },
                [](const MayThrow& message, int i) { return message.number == i; }),
            0);
  EXPECT_EQ(LanesOf<Aligned>([](int i) { return Aligned{i}; },
                             [](const Aligned& message, int i) { return message.number == i; }),
            0);
}

TEST(LanesTest, OfMessagesThatOwnSomething) {
  EXPECT_EQ(LanesOf<std::unique_ptr<int>>(
                [](int i) { return std::make_unique<int>(i); },
                [](const std::unique_ptr<int>& message, int i) { return *message == i; }),
            1);
  EXPECT_EQ(LanesOf<std::string>([](int i) { return std::string(50, 'x') + std::to_string(i); },
                                 [](const std::string& message, int i) {
                                   return message == std::string(50, 'x') + std::to_string(i);
                                 }),
            1);
  using Many = std::array<int, 28>;
  EXPECT_EQ(LanesOf<Many>([](int i) { return Many{i}; },
                          [](const Many& message, int i) { return message[0] == i; }),
            1);
}

TEST(LanesTest, OfParcels) {
  ReceivePort<Parcel<std::vector<int>>> port;
  const auto to = port.send_port();
  for (int i = 0; i < 2 * kMakesHot; ++i) {
    to.Send(MakeParcel<std::vector<int>>([i] { return std::vector<int>(10, i); }));
  }
  for (int i = 0; i < 2 * kMakesHot; ++i) {
    const auto parcel = port.TryReceive();
    ASSERT_TRUE(parcel.has_value());
    EXPECT_EQ((**parcel)[9], i);
  }
  EXPECT_EQ(LaneCount(port), 1);
}

TEST(LanesTest, OfCopiesAndReceipts) {
  ReceivePort<std::string> port;
  const auto to = port.send_port();
  const std::string text(50, 't');
  for (int i = 0; i < kMakesHot; ++i) {
    EXPECT_EQ(to.Send(text), SendResult::kAccepted);
    EXPECT_EQ(to.SendWithReceipt(std::string(50, 'r')).result, SendResult::kAccepted);
    EXPECT_EQ(to.Send(std::string(50, 'w'), kForever), SendResult::kAccepted);
  }
  EXPECT_EQ(text, std::string(50, 't'));
  for (int i = 0; i < kMakesHot; ++i) {
    EXPECT_EQ(port.TryReceive(), text);
    EXPECT_EQ(port.TryReceive(), std::string(50, 'r'));
    EXPECT_EQ(port.TryReceive(), std::string(50, 'w'));
  }
  EXPECT_EQ(LaneCount(port), 1);
}

// A message that holds the SendPort by which it is sent.
struct HoldsItsPort {
  SendPort<HoldsItsPort> port;
  int number = 0;
};

TEST(LanesTest, OfSendPortsThatGoAlong) {
  ReceivePort<HoldsItsPort> port;
  for (int i = 0; i < 3 * kMakesHot; ++i) {
    HoldsItsPort message{port.send_port(), i};
    EXPECT_EQ(message.port.Send(std::move(message)), SendResult::kAccepted);
  }
  for (int i = 0; i < 3 * kMakesHot; ++i) EXPECT_EQ(port.TryReceive()->number, i);
  EXPECT_EQ(LaneCount(port), 1);
}

// The same when the receiver, on another thread, destroys each at once.
TEST(LanesTest, OfSendPortsThatAreGoneBeforeSendReturns) {
  constexpr int kCount = 50'000;
  ReceivePort<HoldsItsPort> port(PortOptions().CloseWhenSendersGone());
  Isolate::Spawn(
      [](SendPort<HoldsItsPort> to) {
        for (int i = 0; i < kCount; ++i) {
          HoldsItsPort message{to, i};
          message.port.Send(std::move(message));
        }
      },
      port.send_port())
      .Get();
  int expected = 0;
  while (auto message = port.Receive(kForever)) EXPECT_EQ(message->number, expected++);
  EXPECT_EQ(expected, kCount);
}

}  // namespace
}  // namespace isolates
