// Bounded ports: never more than the capacity, each policy, waiting for room, and counters that add
// up.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// A sender that is not the port's own isolate.
template <class Function>
auto OnPlainThread(Function function) {
  std::optional<decltype(function())> result;
  std::thread([&] { result.emplace(function()); }).join();
  return std::move(*result);
}

template <class T>
std::vector<T> TakeAll(ReceivePort<T>& port) {
  std::vector<T> taken;
  port.TryReceiveBatch(taken, 1000);
  return taken;
}

// `accepted`: as the senders of the test have counted.
void ExpectAddsUp(const PortCounters& counters, std::uint64_t accepted) {
  EXPECT_EQ(
      counters.received + counters.dead_letters + counters.dropped_oldest + counters.queue_length,
      accepted);
  EXPECT_EQ(counters.accepted, accepted);
}

TEST(BoundedPortTest, AFullPortSaysSoAndTheMessageStays) {
  ReceivePort<std::unique_ptr<int>> port(PortOptions().Capacity(2));
  const auto sender = port.send_port();
  OnPlainThread([&] {
    EXPECT_EQ(sender.Send(std::make_unique<int>(1)), SendResult::kAccepted);
    EXPECT_EQ(sender.Send(std::make_unique<int>(2)), SendResult::kAccepted);
    auto third = std::make_unique<int>(3);
    EXPECT_EQ(sender.Send(std::move(third)), SendResult::kFull);
    EXPECT_NE(third, nullptr);
    EXPECT_EQ(sender.Send(std::move(third), Duration(0)), SendResult::kFull);
    EXPECT_NE(third, nullptr);
    return 0;
  });
  EXPECT_EQ(**port.TryReceive(), 1);
  OnPlainThread([&] {
    EXPECT_EQ(sender.Send(std::make_unique<int>(4)), SendResult::kAccepted);
    return 0;
  });
  const PortCounters counters = port.counters();
  EXPECT_EQ(counters.accepted, 3U);
  EXPECT_EQ(counters.received, 1U);
  EXPECT_EQ(counters.queue_length, 2U);
  EXPECT_EQ(counters.refused_full, 2U);
  ExpectAddsUp(counters, 3);
}

TEST(BoundedPortTest, ACopyIsRefusedToo) {
  ReceivePort<std::string> port(PortOptions().Capacity(1));
  const auto sender = port.send_port();
  OnPlainThread([&] {
    const std::string message = "sent twice";
    EXPECT_EQ(sender.Send(message), SendResult::kAccepted);
    EXPECT_EQ(sender.Send(message), SendResult::kFull);
    EXPECT_EQ(message, "sent twice");
    return 0;
  });
  EXPECT_EQ(port.counters().refused_full, 1U);
}

TEST(BoundedPortTest, DropNewestDestroysAndCounts) {
  static std::vector<std::string> told;
  static std::mutex mutex;
  SetDeadLetterHandler([](const DeadLetter& letter) {
    const std::lock_guard lock(mutex);
    if (letter.reason == DeadLetterReason::kDroppedNewest) {
      told.push_back(std::string(letter.port_name) + ": " + std::string(letter.message_type));
    }
  });
  ReceivePort<std::shared_ptr<const int>> port(
      PortOptions().DebugName("narrow").Capacity(1).OnFull(FullPolicy::kDropNewest));
  const auto sender = port.send_port();
  OnPlainThread([&] {
    EXPECT_EQ(sender.Send(std::make_shared<const int>(1)), SendResult::kAccepted);
    auto second = std::make_shared<const int>(2);
    EXPECT_EQ(sender.Send(std::move(second)), SendResult::kDropped);
    EXPECT_EQ(second, nullptr);
    return 0;
  });
  SetDeadLetterHandler(nullptr);
  EXPECT_EQ(**port.TryReceive(), 1);
  EXPECT_EQ(port.TryReceive(), std::nullopt);
  EXPECT_EQ(port.counters().dropped_newest, 1U);
  ExpectAddsUp(port.counters(), 1);
  EXPECT_THAT(told, ElementsAre(HasSubstr("narrow: std::shared_ptr<int const>")));
}

TEST(BoundedPortTest, DropOldestKeepsTheNewest) {
  ReceivePort<int> port(
      PortOptions().Capacity(3).OnFull(FullPolicy::kDropOldest).Order(MessageOrder::kTotal));
  const auto sender = port.send_port();
  OnPlainThread([&] {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(sender.Send(int(i)), SendResult::kAccepted);
    return 0;
  });
  EXPECT_THAT(TakeAll(port), ElementsAre(7, 8, 9));
  EXPECT_EQ(port.counters().dropped_oldest, 7U);
  ExpectAddsUp(port.counters(), 10);
}

TEST(BoundedPortTest, DropOldestWithManySendersNeverExceedsNorStops) {
  constexpr int kSenders = 3;
  constexpr int kEach = 2000;
  ReceivePort<std::pair<int, int>> port(
      PortOptions().Capacity(4).OnFull(FullPolicy::kDropOldest).Order(MessageOrder::kTotal));
  std::vector<int> last(kSenders, -1);
  const auto take = [&](std::pair<int, int> message) {
    int& before = last[static_cast<std::size_t>(message.first)];
    EXPECT_GT(message.second, before);
    before = message.second;
  };
  // With a receiver that takes what it gets, and without.
  for (const bool receiving : {true, false}) {
    std::atomic<int> senders_left{kSenders};
    std::vector<std::thread> threads;
    for (int i = 0; i < kSenders; ++i) {
      threads.emplace_back([&senders_left, receiving, sender = port.send_port(), i] {
        for (int j = receiving ? 0 : kEach; j < (receiving ? kEach : 2 * kEach); ++j) {
          EXPECT_EQ(sender.Send(std::pair(i, j)), SendResult::kAccepted);
        }
        --senders_left;
      });
    }
    while (receiving && senders_left.load() > 0) {
      if (const auto message = port.TryReceive()) take(*message);
    }
    for (std::thread& thread : threads) thread.join();
  }
  // What is left is what nothing newer has pushed out.
  const auto rest = TakeAll(port);
  EXPECT_THAT(rest, testing::SizeIs(4));
  for (const auto& message : rest) take(message);
  ExpectAddsUp(port.counters(), std::uint64_t{2} * kSenders * kEach);
}

TEST(BoundedPortTest, BytesAreCounted) {
  ReceivePort<std::string> port(PortOptions().CapacityBytes(1000));
  const auto sender = port.send_port();
  OnPlainThread([&] {
    EXPECT_EQ(sender.Send(std::string(600, 'a')), SendResult::kAccepted);
    std::string second(600, 'b');
    EXPECT_EQ(sender.Send(std::move(second)), SendResult::kFull);
    EXPECT_EQ(second.size(), 600U);
    EXPECT_EQ(sender.Send(std::string(300, 'c')), SendResult::kAccepted);
    return 0;
  });
  EXPECT_EQ(TakeAll(port).size(), 2U);
  // Larger than the port: alone.
  OnPlainThread([&] {
    EXPECT_EQ(sender.Send(std::string(5000, 'd')), SendResult::kAccepted);
    EXPECT_EQ(sender.Send(std::string()), SendResult::kFull);
    return 0;
  });
  EXPECT_EQ(port.TryReceive()->size(), 5000U);
}

struct Huge {
  int number;
};

}  // namespace

template <>
struct MessageBytes<Huge> {
  static std::size_t Of(const Huge&) noexcept { return PortOptions::kMostBytes; }
};

namespace {

TEST(BoundedPortTest, ACapacityInMessagesCountsNoBytes) {
  ReceivePort<Huge> port(PortOptions().Capacity(2));
  OnPlainThread([sender = port.send_port()] {
    EXPECT_EQ(sender.Send(Huge{1}), SendResult::kAccepted);
    EXPECT_EQ(sender.Send(Huge{2}), SendResult::kAccepted);
    EXPECT_EQ(sender.Send(Huge{3}), SendResult::kFull);
    return 0;
  });
}

TEST(BoundedPortTest, AMessageToOneselfBypassesTheCapacity) {
  ReceivePort<int> port(PortOptions().Capacity(1));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(port.send_port().Send(int(i)), SendResult::kAccepted);
  EXPECT_THAT(TakeAll(port), ElementsAre(0, 1, 2, 3, 4));
}

TEST(BoundedPortTest, OptionsThatDoNotFitAreRefused) {
  EXPECT_THROW(ReceivePort<int>(PortOptions().Capacity(0)), StateError);
  EXPECT_THROW(ReceivePort<int>(PortOptions().Capacity(PortOptions::kMostMessages + 1)),
               StateError);
  EXPECT_THROW(ReceivePort<int>(PortOptions().CapacityBytes(0)), StateError);
  EXPECT_THROW(ReceivePort<int>(PortOptions().Capacity(1).OnFull(FullPolicy::kDropOldest)),
               StateError);
  EXPECT_THROW(
      ReceivePort<int>(PortOptions().Order(MessageOrder::kTotal).OnFull(FullPolicy::kDropOldest)),
      StateError);
}

// --- waiting for room
// -----------------------------------------------------------------------------

// A fast sender before a slow receiver, by the form of Send under test.
int SumThrough(FullPolicy policy, bool by_coroutine) {
  constexpr int kMessages = 500;
  ReceivePort<int> port(PortOptions().Capacity(2).OnFull(policy));
  auto sent = by_coroutine
                  ? Isolate::Run(
                        [](SendPort<int> to) -> Task<int> {
                          int accepted = 0;
                          for (int i = 1; i <= kMessages; ++i) {
                            accepted += co_await to.SendWhenRoom(int(i)) == SendResult::kAccepted;
                          }
                          co_return accepted;
                        },
                        port.send_port())
                  : Isolate::Run(
                        [](SendPort<int> to) {
                          int accepted = 0;
                          for (int i = 1; i <= kMessages; ++i) {
                            accepted += to.Send(int(i), kForever) == SendResult::kAccepted;
                          }
                          return accepted;
                        },
                        port.send_port());
  int sum = 0;
  for (int i = 1; i <= kMessages; ++i) {
    const int message = *port.Receive(kForever);
    EXPECT_EQ(message, i);
    EXPECT_LE(port.counters().queue_length, 2U);
    sum += message;
  }
  EXPECT_EQ(sent.Get(), kMessages);
  return sum;
}

TEST(BoundedPortTest, ABlockingSendWaitsForRoom) {
  EXPECT_EQ(SumThrough(FullPolicy::kAwait, false), 500 * 501 / 2);
}

TEST(BoundedPortTest, ACoroutineWaitsForRoom) {
  EXPECT_EQ(SumThrough(FullPolicy::kAwait, true), 500 * 501 / 2);
}

TEST(BoundedPortTest, NobodyWaitsAtAPortThatRefuses) {
  ReceivePort<int> port(PortOptions().Capacity(1).OnFull(FullPolicy::kRefuse));
  auto results = Isolate::Run(
      [](SendPort<int> to) -> Task<std::vector<SendResult>> {
        std::vector<SendResult> seen;
        seen.push_back(to.Send(1));
        seen.push_back(to.Send(2, kForever));
        seen.push_back(co_await to.SendWhenRoom(3));
        co_return seen;
      },
      port.send_port());
  EXPECT_THAT(results.Get(),
              ElementsAre(SendResult::kAccepted, SendResult::kFull, SendResult::kFull));
}

TEST(BoundedPortTest, ManySendersAreServedInTheOrderInWhichTheyWait) {
  const SimulationReport report = Simulate(7, []() -> Task<void> {
    ReceivePort<int> port(PortOptions().Capacity(1).Order(MessageOrder::kTotal));
    ReceivePort<int> ready;
    for (int i = 0; i < 5; ++i) {
      // One after the other: each waits before the next begins.
      Isolate::Spawn(
          [](std::tuple<SendPort<int>, SendPort<int>, int> given) -> Task<void> {
            auto& [to, tell, number] = given;
            tell.Send(int(number));
            co_await to.SendWhenRoom(int(number));
          },
          std::tuple(port.send_port(), ready.send_port(), i))
          .Get();
      co_await ready.Receive();
      co_await Delay(std::chrono::milliseconds(1));
    }
    for (int i = 0; i < 5; ++i) EXPECT_EQ(*co_await port.Receive(), i);
  });
  EXPECT_THAT(report.waiting, IsEmpty());
}

TEST(BoundedPortTest, ACloseTellsThoseWhoWait) {
  ReceivePort<std::unique_ptr<int>> port(PortOptions().Capacity(1));
  ReceivePort<int> ready;
  auto waits = Isolate::Run(
      [](SendPort<std::unique_ptr<int>> to, SendPort<int> tell) -> Task<std::pair<bool, bool>> {
        to.Send(std::make_unique<int>(1));
        auto second = std::make_unique<int>(2);
        tell.Send(0);
        const SendResult result = co_await to.SendWhenRoom(std::move(second));
        co_return std::pair(result == SendResult::kClosed, second != nullptr);
      },
      port.send_port(), ready.send_port());
  EXPECT_EQ(ready.Receive(kForever), 0);
  port.Close();
  EXPECT_EQ(waits.Get(), std::pair(true, true));
}

TEST(BoundedPortTest, ADeadlineEndsTheWaitAndTheNextGetsTheRoom) {
  const SimulationReport report = Simulate(3, []() -> Task<void> {
    ReceivePort<int> port(PortOptions().Capacity(1));
    auto timed_out = Isolate::Run(
        [](SendPort<int> to) {
          to.Send(1);
          return to.Send(2, std::chrono::seconds(1));
        },
        port.send_port());
    EXPECT_EQ(co_await timed_out, SendResult::kFull);
    EXPECT_EQ(*co_await port.Receive(), 1);
    auto next = Isolate::Run([](SendPort<int> to) { return to.Send(3); }, port.send_port());
    EXPECT_EQ(co_await next, SendResult::kAccepted);
    EXPECT_EQ(*co_await port.Receive(), 3);
  });
  EXPECT_THAT(report.waiting, IsEmpty());
}

TEST(BoundedPortTest, AKilledSenderLeavesItsPlaceInTheLine) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const SimulationReport report = Simulate(seed, []() -> Task<void> {
      ReceivePort<int> port(PortOptions().Capacity(1));
      const auto waits = [](std::pair<SendPort<int>, int> given) -> Task<void> {
        co_await given.first.SendWhenRoom(int(given.second));
        co_await given.first.SendWhenRoom(int(given.second));
      };
      Isolate first = Isolate::Spawn(waits, std::pair(port.send_port(), 1)).Get();
      Isolate second = Isolate::Spawn(waits, std::pair(port.send_port(), 2)).Get();
      co_await Delay(std::chrono::milliseconds(1));
      first.Kill();
      int of_second = 0;
      while (of_second < 2) of_second += *co_await port.Receive() == 2 ? 1 : 0;
    });
    EXPECT_THAT(report.waiting, IsEmpty()) << "seed " << seed;
  }
}

TEST(BoundedPortTest, NoticesAreNotBounded) {
  ReceivePort<int> port(PortOptions().Capacity(1).OnFull(FullPolicy::kRefuse));
  auto ended = Isolate::Run(
      [](SendPort<int> to) {
        to.Send(1);
        Isolate child = Isolate::Spawn([](int) {}, 0, SpawnOptions().OnExit(to, 2)).Get();
        child.Ended().Get();
        Isolate::Exit(to, 3);
      },
      port.send_port());
  std::vector<int> got;
  for (int i = 0; i < 3; ++i) got.push_back(*port.Receive(kForever));
  EXPECT_THAT(got, UnorderedElementsAre(1, 2, 3));
}

// They take no room of others' messages either, and are not dropped for them.
TEST(BoundedPortTest, NoticesTakeNoRoom) {
  for (const FullPolicy policy : {FullPolicy::kAwait, FullPolicy::kDropOldest}) {
    ReceivePort<int> port(PortOptions().Capacity(1).OnFull(policy).Order(MessageOrder::kTotal));
    Isolate::Spawn([](int) {}, 0, SpawnOptions().OnExit(port.send_port(), 99)).Get();
    EXPECT_EQ(port.Receive(kForever), 99);
    Isolate::Spawn([](int) {}, 0, SpawnOptions().OnExit(port.send_port(), 98)).Get();
    while (port.counters().queue_length == 0) std::this_thread::yield();
    OnPlainThread([sender = port.send_port()] {
      EXPECT_EQ(sender.Send(1), SendResult::kAccepted);
      return 0;
    });
    EXPECT_EQ(port.counters().dropped_oldest, 0U);
    EXPECT_THAT(TakeAll(port), ElementsAre(98, 1));
  }
}

TEST(BoundedPortTest, MessagesToOneselfAreNotDroppedForOthers) {
  ReceivePort<int> port(
      PortOptions().Capacity(3).OnFull(FullPolicy::kDropOldest).Order(MessageOrder::kTotal));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(port.send_port().Send(100 + i), SendResult::kAccepted);
  OnPlainThread([sender = port.send_port()] {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(sender.Send(int(i)), SendResult::kAccepted);
    return 0;
  });
  port.send_port().Send(105);
  EXPECT_EQ(port.counters().dropped_oldest, 2U);
  EXPECT_THAT(TakeAll(port), ElementsAre(100, 101, 102, 103, 104, 2, 3, 4, 105));
}

}  // namespace
}  // namespace isolates
