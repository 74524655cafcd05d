// Ports that end while hot senders send: each message is received, or a dead letter, or still its
// sender's; and what is refused stays so.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "tests/port/lanes.h"

namespace isolates {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

PortOptions Drains() { return PortOptions().OnClose(ClosePolicy::kDrain); }

TEST(LanesClosingTest, ADrainedPortGivesWhatIsInLanes) {
  ReceivePort<int> port(Drains());
  const auto to = port.send_port();
  ASSERT_TRUE(SendAll(3 * kMakesHot, [&](int i) { return to.Send(int(i)); }));
  EXPECT_TRUE(HasNumbers(port, 0, kMakesHot));
  EXPECT_EQ(LaneCount(port), 1);
  port.Close();
  EXPECT_EQ(to.Send(0), SendResult::kClosed);
  EXPECT_FALSE(port.ended());
  EXPECT_TRUE(HasNumbers(port, kMakesHot, 2 * kMakesHot));
  EXPECT_TRUE(port.ended());
  EXPECT_EQ(port.counters().accepted, 3U * kMakesHot);
  EXPECT_EQ(port.counters().refused_closed, 1U);
}

// The lane is opened by a message that is received when the port has closed already.
TEST(LanesClosingTest, ADrainedPortOpensLanes) {
  ReceivePort<int> port(Drains());
  const auto to = port.send_port();
  ASSERT_TRUE(SendAll(3 * kMakesHot, [&](int i) { return to.Send(int(i)); }));
  port.Close();
  EXPECT_EQ(to.Send(0), SendResult::kClosed);
  EXPECT_TRUE(HasNumbers(port, 0, 3 * kMakesHot));
  EXPECT_TRUE(port.ended());
  EXPECT_EQ(port.Receive(kForever), std::nullopt);
}

// Counts those that live.
struct Counted {
  Counted() noexcept { ++alive; }
  Counted(Counted&&) = delete;
  Counted& operator=(Counted&&) = delete;
  ~Counted() { --alive; }
  static inline std::atomic<int> alive{0};
};

}  // namespace
}  // namespace isolates

template <>
struct isolates::TransferTraits<isolates::Counted> : isolates::internal::HandleTraits {};

namespace isolates {
namespace {

TEST(LanesClosingTest, ADroppedPortDestroysAndTellsOfAll) {
  static std::atomic<int> told;
  told = 0;
  SetDeadLetterHandler([](const DeadLetter& letter) {
    if (letter.reason == DeadLetterReason::kPortClosed && letter.port_name == "hot") ++told;
  });
  {
    ReceivePort<std::unique_ptr<Counted>> port("hot");
    const auto to = port.send_port();
    for (int i = 0; i < 5 * kMakesHot; ++i) to.Send(std::make_unique<Counted>());
    for (int i = 0; i < kMakesHot; ++i) EXPECT_TRUE(port.TryReceive().has_value());
    EXPECT_EQ(Counted::alive.load(), 4 * kMakesHot);
    EXPECT_EQ(LaneCount(port), 1);
  }
  SetDeadLetterHandler(nullptr);
  EXPECT_EQ(told.load(), 4 * kMakesHot);
  EXPECT_EQ(Counted::alive.load(), 0);
}

TEST(LanesClosingTest, WhatIsRefusedIsTheSenders) {
  ReceivePort<std::unique_ptr<int>> port;
  const auto to = port.send_port();
  for (int i = 0; i < 2 * kMakesHot; ++i) to.Send(std::make_unique<int>(i));
  for (int i = 0; i < 2 * kMakesHot; ++i) EXPECT_TRUE(port.TryReceive().has_value());
  ASSERT_EQ(LaneCount(port), 1);
  port.Close();
  auto message = std::make_unique<int>(7);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(to.Send(std::move(message)), SendResult::kClosed);
    ASSERT_EQ(*message, 7);
  }
  EXPECT_TRUE(to.closed());
  const PortCounters counters = to.counters();
  EXPECT_EQ(counters.accepted, 2U * kMakesHot);
  EXPECT_EQ(counters.refused_closed, 10'000U);
  EXPECT_EQ(counters.queue_length, 0U);
}

// --- hot senders
// ----------------------------------------------------------------------------------

// How many were accepted. What is refused once is refused for ever.
Task<std::uint64_t> SendUntilClosed(SendPort<Numbered> to, int sender) {
  int number = 0;
  while (to.Send(Numbered{sender, number}) == SendResult::kAccepted) {
    // There may be no other processor for the receiver.
    if (++number % 512 == 0) co_await Delay(Duration::zero());
  }
  for (int i = 0; i < 5; ++i) {
    if (to.Send(Numbered{sender, number}) != SendResult::kClosed) co_return 0;
    if (SendPort<Numbered>(to).Send(Numbered{sender, number}) != SendResult::kClosed) co_return 0;
  }
  co_return static_cast<std::uint64_t>(number);
}

void CloseWhileSendersSend(const PortOptions& options, int senders, int taken_before) {
  ReceivePort<Numbered> port(options);
  std::vector<Future<std::uint64_t>> accepted;
  for (int s = 0; s < senders; ++s) {
    accepted.push_back(Isolate::Run(SendUntilClosed, port.send_port(), int(s)));
  }
  std::vector<int> next(static_cast<std::size_t>(senders), 0);
  const auto in_order = [&](const Numbered& message) {
    return message.number == next[static_cast<std::size_t>(message.sender)]++;
  };
  for (int i = 0; i < taken_before; ++i) ASSERT_TRUE(in_order(*port.Receive(kForever)));
  port.Close();
  while (const auto message = port.Receive(kForever)) ASSERT_TRUE(in_order(*message));
  EXPECT_TRUE(port.ended());
  std::uint64_t sum = 0;
  for (auto& one : accepted) sum += one.Get();
  const PortCounters counters = port.counters();
  EXPECT_EQ(counters.received + counters.dead_letters, sum);
  EXPECT_EQ(counters.accepted, sum);
  EXPECT_EQ(counters.refused_closed, 11U * static_cast<std::uint64_t>(senders));
}

TEST(LanesClosingTest, WhileSendersSend) {
  for (int round = 0; round < 60; ++round) {
    CloseWhileSendersSend(round % 2 == 0 ? Drains() : PortOptions(), 1 + round % 3,
                          1 + round * 37 % 2000);
  }
}

// A listener, which ends its port: it ends though a sender takes back what was seen last.
TEST(LanesClosingTest, AListenerClosesWhileSendersSend) {
  for (int round = 0; round < 60; ++round) {
    ReceivePort<SendPort<Numbered>> connected;
    Isolate receiver =
        Isolate::Spawn(
            [](std::pair<SendPort<SendPort<Numbered>>, int> given) {
              ReceivePort<Numbered> port(Drains());
              given.first.Send(port.send_port());
              std::move(port).Listen(
                  [count = given.second](ReceivePort<Numbered>& self, Numbered) mutable {
                    if (--count == 0) self.Close();
                  });
            },
            std::pair(connected.send_port(), 1 + round * 37 % 2000))
            .Get();
    const SendPort<Numbered> to = *connected.Receive(kForever);
    auto first = Isolate::Run(SendUntilClosed, to, 0);
    auto second = Isolate::Run(SendUntilClosed, to, 1);
    receiver.Ended().Get();
    const std::uint64_t accepted = first.Get() + second.Get();
    EXPECT_EQ(to.counters().received, accepted);
  }
}

// The same with a coroutine.
TEST(LanesClosingTest, ACoroutineClosesWhileSendersSend) {
  for (int round = 0; round < 60; ++round) {
    ReceivePort<SendPort<Numbered>> connected;
    auto received = Isolate::Run(
        [](std::pair<SendPort<SendPort<Numbered>>, int> given) -> Task<std::uint64_t> {
          ReceivePort<Numbered> port(Drains());
          given.first.Send(port.send_port());
          std::uint64_t count = 0;
          while (co_await port.Receive()) {
            if (++count == static_cast<std::uint64_t>(given.second)) port.Close();
          }
          co_return count;
        },
        std::pair(connected.send_port(), 1 + round * 37 % 2000));
    const SendPort<Numbered> to = *connected.Receive(kForever);
    const std::uint64_t accepted = Isolate::Run(SendUntilClosed, to, 0).Get();
    EXPECT_EQ(received.Get(), accepted);
  }
}

// What is sent after Close has returned is refused, though the port goes on to drain meanwhile.
TEST(LanesClosingTest, NothingIsAcceptedAfterClose) {
  for (int round = 0; round < 100; ++round) {
    ReceivePort<int> port(Drains());
    ReceivePort<SendPort<int>> ready;
    auto closed = Isolate::Run(
        [](std::pair<SendPort<int>, SendPort<SendPort<int>>> given) -> Task<bool> {
          const auto& [to, out] = given;
          ReceivePort<int> go;
          for (int i = 0; i < 50 * kMakesHot; ++i) to.Send(int(i));
          out.Send(go.send_port());
          co_await go.Receive();
          co_return to.Send(-1) == SendResult::kClosed;
        },
        std::pair(port.send_port(), ready.send_port()));
    const SendPort<int> go = *ready.Receive(kForever);
    ASSERT_TRUE(HasNumbers(port, 0, 2 * kMakesHot));
    port.Close();
    go.Send(0);
    ASSERT_TRUE(HasNumbers(port, 2 * kMakesHot, 48 * kMakesHot));
    EXPECT_TRUE(port.ended());
    EXPECT_TRUE(closed.Get());
  }
}

// --- isolates that end
// ----------------------------------------------------------------------------

TEST(LanesClosingTest, AReceiverThatIsKilled) {
  for (int round = 0; round < 40; ++round) {
    ReceivePort<SendPort<Numbered>> connected;
    Isolate receiver = Isolate::Spawn(
                           [](SendPort<SendPort<Numbered>> out) {
                             ReceivePort<Numbered> port;
                             out.Send(port.send_port());
                             std::move(port).Listen([](Numbered) {});
                           },
                           connected.send_port())
                           .Get();
    const SendPort<Numbered> to = *connected.Receive(kForever);
    auto first = Isolate::Run(SendUntilClosed, to, 0);
    auto second = Isolate::Run(SendUntilClosed, to, 1);
    while (to.counters().received < static_cast<std::uint64_t>(1 + round * 53 % 3000)) {
      (void)Isolate::Run([] { return 0; }).Get();
    }
    receiver.Kill(round % 2 == 0 ? ControlPriority::kImmediate : ControlPriority::kBeforeNextEvent);
    receiver.Ended().Get();
    const std::uint64_t accepted = first.Get() + second.Get();
    EXPECT_EQ(to.counters().received + to.counters().dead_letters, accepted);
    EXPECT_EQ(to.counters().queue_length, 0U);
  }
}

// What was accepted of a sender that is killed comes, in order, and then the end.
TEST(LanesClosingTest, ASenderThatIsKilled) {
  for (int round = 0; round < 40; ++round) {
    ReceivePort<int> port(PortOptions().CloseWhenSendersGone());
    Isolate sender = Isolate::Spawn(
                         [](SendPort<int> to) -> Task<> {
                           for (int i = 0;; ++i) {
                             to.Send(int(i));
                             if (i % 256 == 255) co_await Delay(Duration(0));
                           }
                         },
                         port.send_port())
                         .Get();
    int expected = 0;
    for (; expected < 500 + round * 53 % 3000; ++expected) {
      ASSERT_EQ(port.Receive(kForever), expected);
    }
    sender.Kill();
    while (const auto message = port.Receive(kForever)) ASSERT_EQ(*message, expected++);
    sender.Ended().Get();
    EXPECT_TRUE(port.ended());
    EXPECT_EQ(port.counters().accepted, static_cast<std::uint64_t>(expected));
  }
}

TEST(LanesClosingTest, SendersThatGo) {
  constexpr int kSenders = 10;
  constexpr int kEach = 3000;
  ReceivePort<Numbered> port(PortOptions().CloseWhenSendersGone());
  for (int s = 0; s < kSenders; ++s) {
    Isolate::Spawn(
        [](std::pair<int, SendPort<Numbered>> given) {
          for (int i = 0; i < kEach; ++i) given.second.Send(Numbered{given.first, i});
        },
        std::pair(s, port.send_port()))
        .Get();
  }
  std::vector<int> next(kSenders, 0);
  while (const auto message = port.Receive(kForever)) {
    ASSERT_EQ(message->number, next[static_cast<std::size_t>(message->sender)]++);
  }
  EXPECT_EQ(next, std::vector<int>(kSenders, kEach));
}

// --- messages that send
// ---------------------------------------------------------------------------

// Runs `hook` when one is moved next.
struct MovesWithCode {
  explicit MovesWithCode(int given) noexcept : number(given) {}
  MovesWithCode(MovesWithCode&& other) noexcept : number(other.number) {
    if (hook) std::exchange(hook, nullptr)();
  }
  MovesWithCode& operator=(MovesWithCode&&) = delete;
  ~MovesWithCode() = default;

  int number;
  using IsolatesMembers = Members<&MovesWithCode::number>;
  static inline std::function<void()> hook;
};

class MovesWithCodeTest : public testing::Test {
 protected:
  MovesWithCodeTest() {
    for (int i = 0; i < 2 * kMakesHot; ++i) to.Send(MovesWithCode(0));
    while (port->TryReceive()) {
    }
    EXPECT_EQ(LaneCount(*port), 1);
  }
  std::vector<int> Received() {
    std::vector<int> numbers;
    while (auto message = port->TryReceive()) numbers.push_back(message->number);
    return numbers;
  }

  std::optional<ReceivePort<MovesWithCode>> port{std::in_place, Drains()};
  SendPort<MovesWithCode> to = port->send_port();
};

TEST_F(MovesWithCodeTest, SendsWhileItIsSent) {
  MovesWithCode::hook = [this] { to.Send(MovesWithCode(2)); };
  EXPECT_EQ(to.Send(MovesWithCode(1)), SendResult::kAccepted);
  EXPECT_EQ(to.Send(MovesWithCode(3)), SendResult::kAccepted);
  EXPECT_THAT(Received(), UnorderedElementsAre(1, 2, 3));
}

TEST_F(MovesWithCodeTest, ClosesItsPortWhileItIsSent) {
  MovesWithCode::hook = [this] { port->Close(); };
  MovesWithCode message(1);
  EXPECT_EQ(to.Send(std::move(message)), SendResult::kClosed);
  EXPECT_EQ(message.number, 1);
  EXPECT_TRUE(port->ended());
}

// What was accepted while another was on its way is received, though that one is refused.
TEST_F(MovesWithCodeTest, SendsAndClosesWhileItIsSent) {
  MovesWithCode::hook = [this] {
    EXPECT_EQ(to.Send(MovesWithCode(2)), SendResult::kAccepted);
    port->Close();
  };
  EXPECT_EQ(to.Send(MovesWithCode(1)), SendResult::kClosed);
  EXPECT_THAT(Received(), ElementsAre(2));
  EXPECT_TRUE(port->ended());
  EXPECT_EQ(port->counters().accepted, 2U * kMakesHot + 1);
}

TEST_F(MovesWithCodeTest, SendsAndDestroysItsPortWhileItIsSent) {
  const auto before = runtime_info().dead_letters;
  MovesWithCode::hook = [this] {
    to.Send(MovesWithCode(2));
    port.reset();
  };
  EXPECT_EQ(to.Send(MovesWithCode(1)), SendResult::kClosed);
  EXPECT_EQ(runtime_info().dead_letters, before + 1);
}

// The isolate forgets ports that have closed when it sends to many others.
TEST_F(MovesWithCodeTest, ItsPortIsForgottenWhileItIsSent) {
  MovesWithCode::hook = [this] {
    port->Close();
    std::vector<ReceivePort<int>> others(100);
    for (auto& other : others) other.send_port().Send(1);
    MovesWithCode::hook = [] {
      std::vector<ReceivePort<int>> more(300);
      for (auto& other : more) other.send_port().Send(1);
    };
  };
  EXPECT_EQ(to.Send(MovesWithCode(1)), SendResult::kClosed);
  MovesWithCode::hook = nullptr;
}

TEST_F(MovesWithCodeTest, ReceivesWhileItIsReceived) {
  for (int i = 1; i <= 5; ++i) to.Send(MovesWithCode(i));
  std::vector<int> inner;
  MovesWithCode::hook = [&] { inner = Received(); };
  EXPECT_EQ(port->TryReceive()->number, 1);
  EXPECT_THAT(inner, ElementsAre(2, 3, 4, 5));
}

TEST_F(MovesWithCodeTest, ClosesItsPortWhileItIsReceived) {
  for (int i = 1; i <= 3; ++i) to.Send(MovesWithCode(i));
  MovesWithCode::hook = [this] { port->Close(); };
  EXPECT_THAT(Received(), ElementsAre(1, 2, 3));
  EXPECT_TRUE(port->ended());
}

// A message that goes by the queue, and by whose move so many are sent that its sender gets a lane.
TEST(LanesClosingTest, AMessageWhoseMoveOpensTheLaneIsNotOvertaken) {
  ReceivePort<MovesWithCode> port;
  const auto to = port.send_port();
  MovesWithCode::hook = [&] {
    for (int i = 0; i < kMakesHot; ++i) to.Send(MovesWithCode(0));
  };
  to.Send(MovesWithCode(1));
  to.Send(MovesWithCode(2));
  std::vector<int> numbers;
  while (auto message = port.TryReceive()) {
    if (message->number != 0) numbers.push_back(message->number);
  }
  EXPECT_THAT(numbers, ElementsAre(1, 2));
  EXPECT_EQ(LaneCount(port), 1);
}

}  // namespace
}  // namespace isolates
