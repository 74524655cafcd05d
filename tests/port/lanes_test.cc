// Lanes: what ports promise, where a hot sender has slots of its own. (The protocol itself is in
// tests/model/lane_model_test.cc.)

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "isolates/detail/atomics.h"
#include "isolates/isolates.h"

namespace isolates {
namespace {

using internal::PortAccess;

// Enough messages in a row for a lane.
constexpr int kHot = 200;

class LanesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!internal::HasHeavyBarrier()) GTEST_SKIP() << "no membarrier, no lanes";
  }
};

TEST_F(LanesTest, OrderLastsWhenALaneIsOpened) {
  ReceivePort<int> port;
  const SendPort<int> to = port.send_port();
  EXPECT_FALSE(PortAccess::HasLane(to));
  for (int i = 0; i < 5'000; ++i) ASSERT_EQ(to.Send(int{i}), SendResult::kAccepted);
  EXPECT_TRUE(PortAccess::HasLane(to));
  EXPECT_EQ(port.counters().queue_length, 5'000U);
  // Copies of the isolate are the same sender.
  const SendPort<int> copy = to;
  copy.Send(5'000);
  for (int i = 0; i <= 5'000; ++i) ASSERT_EQ(port.TryReceive(), i);
  EXPECT_EQ(port.TryReceive(), std::nullopt);
  EXPECT_EQ(port.counters().received, 5'001U);
}

TEST_F(LanesTest, ASlotIsUsedAgain) {
  ReceivePort<std::string> port;
  const SendPort<std::string> to = port.send_port();
  for (int i = 0; i < 20'000; ++i) {
    to.Send("a text that is too long for its object, number " + std::to_string(i));
    if (i >= kHot) {
      ASSERT_EQ(port.TryReceive(),
                "a text that is too long for its object, number " + std::to_string(i - kHot));
    }
  }
  EXPECT_TRUE(PortAccess::HasLane(to));
}

// A message that a closed port refuses stays with its sender; those that were accepted are dead
// letters.
TEST_F(LanesTest, AClosedPortRefuses) {
  ReceivePort<std::unique_ptr<int>> port;
  const SendPort<std::unique_ptr<int>> to = port.send_port();
  for (int i = 0; i < kHot; ++i) to.Send(std::make_unique<int>(i));
  ASSERT_TRUE(PortAccess::HasLane(to));
  ASSERT_EQ(**port.TryReceive(), 0);
  port.Close();
  auto message = std::make_unique<int>(7);
  const int* const at = message.get();
  EXPECT_EQ(to.Send(std::move(message)), SendResult::kClosed);
  ASSERT_EQ(message.get(), at);
  EXPECT_EQ(*message, 7);
  const PortCounters counters = to.counters();
  EXPECT_EQ(counters.received, 1U);
  EXPECT_EQ(counters.dead_letters, static_cast<std::uint64_t>(kHot - 1));
  EXPECT_EQ(counters.refused_closed, 1U);
  EXPECT_EQ(counters.queue_length, 0U);
}

TEST_F(LanesTest, ADrainingPortGivesWhatWasAccepted) {
  ReceivePort<int> port(PortOptions().OnClose(ClosePolicy::kDrain));
  const SendPort<int> to = port.send_port();
  for (int i = 0; i < kHot; ++i) to.Send(int{i});
  ASSERT_TRUE(PortAccess::HasLane(to));
  port.Close();
  EXPECT_EQ(to.Send(1), SendResult::kClosed);
  for (int i = 0; i < kHot; ++i) {
    EXPECT_FALSE(port.ended());
    ASSERT_EQ(port.TryReceive(), i);
  }
  EXPECT_EQ(port.TryReceive(), std::nullopt);
  EXPECT_TRUE(port.ended());
  EXPECT_EQ(to.counters().dead_letters, 0U);
}

using Numbered = std::pair<int, int>;  // of a sender; of its message

void SendNumbers(std::tuple<SendPort<Numbered>, int, int> setup) {
  const auto& [to, sender, count] = setup;
  for (int i = 0; i < count; ++i) to.Send(Numbered{sender, i});
}

// Receives from that many senders at once; more than may have lanes.
TEST_F(LanesTest, OrderOfEachOfManySenders) {
  constexpr int kSenders = 12;
  constexpr int kCount = 20'000;
  ReceivePort<Numbered> port(PortOptions().CloseWhenSendersGone());
  for (int i = 0; i < kSenders; ++i) {
    Isolate::Spawn(SendNumbers, std::tuple(port.send_port(), i, kCount)).Get();
  }
  std::array<int, kSenders> next{};
  while (const auto message = port.Receive(kForever)) {
    ASSERT_EQ(next.at(static_cast<std::size_t>(message->first))++, message->second);
  }
  EXPECT_THAT(next, testing::Each(kCount));
}

// One after the other: lanes of senders that have gone make room.
TEST_F(LanesTest, SendersComeAndGo) {
  ReceivePort<Numbered> port;
  for (int sender = 0; sender < 20; ++sender) {
    Isolate::Spawn(SendNumbers, std::tuple(port.send_port(), sender, 1'000)).Get();
    for (int i = 0; i < 1'000; ++i) ASSERT_EQ(port.Receive(kForever), Numbered(sender, i));
  }
}

// Sends until it is refused; returns how many were accepted.
std::uint64_t SendUntilClosed(SendPort<std::string> to) {
  std::uint64_t accepted = 0;
  for (;;) {
    std::string message = "message " + std::to_string(accepted) + ", not a short one";
    const std::string before = message;
    if (to.Send(std::move(message)) == SendResult::kClosed) {
      return message == before ? accepted : 0;
    }
    ++accepted;
  }
}

// Each message that was accepted is received or a dead letter, however close and send meet.
void CloseWhileSending(ClosePolicy policy) {
  for (int round = 0; round < 100; ++round) {
    ReceivePort<std::string> port(PortOptions().OnClose(policy));
    const SendPort<std::string> to = port.send_port();
    auto first = Isolate::Run(SendUntilClosed, to);
    auto second = Isolate::Run(SendUntilClosed, to);
    std::uint64_t received = 0;
    for (; received < 20U * static_cast<unsigned>(round); ++received) {
      ASSERT_TRUE(port.Receive(kForever).has_value());
    }
    port.Close();
    while (port.TryReceive()) ++received;
    EXPECT_TRUE(port.ended());
    const std::uint64_t accepted = first.Get() + second.Get();
    const PortCounters counters = to.counters();
    ASSERT_EQ(counters.received, received);
    ASSERT_EQ(counters.received + counters.dead_letters, accepted);
    ASSERT_EQ(counters.accepted, accepted);
    if (policy == ClosePolicy::kDrain) {
      ASSERT_EQ(counters.dead_letters, 0U);
    }
  }
}
TEST_F(LanesTest, CloseWhileOthersSend) { CloseWhileSending(ClosePolicy::kDrop); }
TEST_F(LanesTest, DrainWhileOthersSend) { CloseWhileSending(ClosePolicy::kDrain); }

// Answers each burst, which ends with a negative number, by its sum; ends when its port closes.
Task<void> SumUp(std::pair<SendPort<int>, SendPort<SendPort<int>>> setup) {
  ReceivePort<int> port(PortOptions().CloseWhenSendersGone());
  setup.second.Send(port.send_port());
  int sum = 0;
  while (const auto number = co_await port.Receive()) {
    if (*number >= 0) {
      sum += *number;
    } else {
      setup.first.Send(std::exchange(sum, 0));
    }
  }
}

// Between bursts both sleep: nothing is left behind unnoticed.
TEST_F(LanesTest, BurstsWakeAReceiverThatSleeps) {
  for (const auto& strategy : {Park(), SpinThenPark(), BackOff()}) {
    SetIdleStrategy(strategy);
    ReceivePort<int> sums;
    ReceivePort<SendPort<int>> ports;
    Isolate::Spawn(SumUp, std::pair(sums.send_port(), ports.send_port())).Get();
    const SendPort<int> to = *ports.Receive(kForever);
    for (int round = 0; round < 300; ++round) {
      for (int i = 0; i < 100; ++i) to.Send(int{i});
      to.Send(-1);
      ASSERT_EQ(sums.Receive(kForever), 4'950);
    }
  }
  SetIdleStrategy(SpinThenPark());
}

struct MoveMayThrow {
  MoveMayThrow() = default;
  MoveMayThrow(MoveMayThrow&& other) noexcept(false) : text(std::move(other.text)) {}
  MoveMayThrow& operator=(MoveMayThrow&&) = delete;
  std::string text;
  using IsolatesMembers = OwningMembers<&MoveMayThrow::text>;
};

template <class T>
bool GetsALane() {
  ReceivePort<T> port;
  const SendPort<T> to = port.send_port();
  for (int i = 0; i < kHot; ++i) to.Send(T{});
  int received = 0;
  while (port.TryReceive()) ++received;
  EXPECT_EQ(received, kHot);
  return PortAccess::HasLane(to);
}

TEST_F(LanesTest, WhichTypesGoByLane) {
  EXPECT_TRUE((GetsALane<std::array<char, 120>>()));
  EXPECT_FALSE((GetsALane<std::array<char, 121>>()));
  EXPECT_TRUE(GetsALane<std::vector<std::string>>());
  EXPECT_FALSE(GetsALane<MoveMayThrow>());
}

TEST_F(LanesTest, WhichPortsHaveLanes) {
  const auto gets_a_lane = [](const PortOptions& options) {
    ReceivePort<int> port(options);
    const SendPort<int> to = port.send_port();
    for (int i = 0; i < kHot; ++i) to.Send(int{i});
    return PortAccess::HasLane(to);
  };
  EXPECT_TRUE(gets_a_lane(PortOptions()));
  EXPECT_FALSE(gets_a_lane(PortOptions().Order(MessageOrder::kTotal)));
  EXPECT_FALSE(gets_a_lane(PortOptions().Capacity(1'000)));
  bool simulated = true;
  Simulate(1, [&]() -> Task<void> {
    simulated = gets_a_lane(PortOptions());
    co_return;
  });
  EXPECT_FALSE(simulated);
}

TEST_F(LanesTest, ListenersAndBatchesTakeFromLanes) {
  ReceivePort<int> listened;
  ReceivePort<int> batched;
  ReceivePort<int> done;
  const SendPort<int> to_listened = listened.send_port();
  const SendPort<int> to_batched = batched.send_port();
  int sum = 0;
  int batches = 0;
  listened.Listen([&](int number) { sum += number; });
  batched.ListenBatch([&, out = done.send_port()](int number, bool end) {
    sum += number;
    if (end) ++batches;
    if (number == 2) out.Send(1);
  });
  for (int i = 0; i < kHot; ++i) {
    to_listened.Send(1);
    to_batched.Send(1);
  }
  to_batched.Send(2);
  ASSERT_TRUE(PortAccess::HasLane(to_listened));
  ASSERT_TRUE(PortAccess::HasLane(to_batched));
  EXPECT_EQ(done.Receive(kForever), 1);
  // Its events were handled in the wait, or are handled in this one.
  to_listened.Send(1);
  to_batched.Send(2);
  EXPECT_EQ(done.Receive(kForever), 1);
  while (listened.counters().queue_length != 0) {
    to_batched.Send(2);
    EXPECT_EQ(done.Receive(kForever), 1);
    sum -= 2;
  }
  EXPECT_EQ(sum, 2 * kHot + 5);
  EXPECT_GE(batches, 1);
}

}  // namespace
}  // namespace isolates
