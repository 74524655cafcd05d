// Select: several ports, their order, their ends, and what it costs.

#include "isolates/select.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "tests/patterns/scenarios.h"

namespace isolates {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

TEST(SelectTest, TakesWhatIsThereFromAnyPort) {
  ReceivePort<int> numbers;
  ReceivePort<std::string> texts;
  std::vector<std::string> seen;
  Select select(On(numbers, [&](int number) { seen.push_back(std::to_string(number)); }),
                On(texts, [&](std::string text) { seen.push_back(std::move(text)); }));
  EXPECT_FALSE(select.TryNext());
  texts.send_port().Send("a");
  EXPECT_TRUE(select.TryNext());
  numbers.send_port().Send(1);
  EXPECT_TRUE(select.Next(kForever));
  EXPECT_THROW(select.Next(milliseconds(1)), TimeoutError);
  EXPECT_THAT(seen, ElementsAre("a", "1"));
}

std::string OrderOfTwo(SelectOptions options) {
  ReceivePort<int> a;
  ReceivePort<int> b;
  std::string order;
  Select select(options, On(a, [&](int) { order += 'a'; }), On(b, [&](int) { order += 'b'; }));
  for (int i = 0; i < 3; ++i) {
    a.send_port().Send(i);
    b.send_port().Send(i);
  }
  while (select.TryNext()) {
  }
  return order;
}

TEST(SelectTest, PortsTakeTurnsUnlessBiased) {
  EXPECT_EQ(OrderOfTwo(SelectOptions()), "ababab");
  EXPECT_EQ(OrderOfTwo(SelectOptions().Biased()), "aaabbb");
}

TEST(SelectTest, AClosedPortIsToldOnceAndDropsOut) {
  ReceivePort<int> a;
  std::optional<ReceivePort<int>> b(std::in_place);
  int closed = 0;
  int received = 0;
  Select select(
      On(a, [&](int) { ++received; }, [&] { ++closed; }), On(*b, [&](int) { ++received; }));
  a.Close();
  EXPECT_TRUE(select.Next(kForever));
  EXPECT_EQ(closed, 1);
  EXPECT_FALSE(select.TryNext());
  EXPECT_FALSE(select.all_closed());
  b->send_port().Send(1);
  EXPECT_TRUE(select.Next(kForever));
  EXPECT_EQ(received, 1);
  b.reset();  // the end of its object closes a port
  EXPECT_TRUE(select.Next(kForever));
  EXPECT_TRUE(select.all_closed());
  EXPECT_FALSE(select.Next(kForever));
  EXPECT_FALSE(select.TryNext());
  EXPECT_EQ(closed, 1);
}

TEST(SelectTest, AHandlerThatThrowsHasHadItsMessage) {
  ReceivePort<int> port;
  int good = 0;
  Select select(On(port, [&](int number) {
    if (number < 0) throw std::runtime_error("negative");
    good += number;
  }));
  port.send_port().Send(-1);
  port.send_port().Send(2);
  EXPECT_THROW(select.TryNext(), std::runtime_error);
  EXPECT_TRUE(select.TryNext());
  EXPECT_EQ(good, 2);
}

TEST(SelectTest, MisuseIsAStateError) {
  ReceivePort<int> port;
  const auto ignore = [](int) {};
  EXPECT_THROW(Select(On(port, ignore), On(port, ignore)), StateError);
  Select select(On(port, ignore));
  std::thread([&] {
    EXPECT_THROW(select.TryNext(), StateError);
    EXPECT_THROW(select.Next(Duration::zero()), StateError);
    EXPECT_THROW(Select(On(port, ignore)), StateError);
  }).join();
  port.Listen(ignore);
  EXPECT_THROW(select.TryNext(), StateError);
}

template <class Select>
Task<int> CountAll(Select& select) {
  int count = 0;
  while (co_await select.Next()) ++count;
  co_return count;
}

TEST(AwaitSelectTest, AnIsolateIsWokenByEitherPort) {
  ReceivePort<int> numbers;
  ReceivePort<std::string> texts;
  int sum = 0;
  std::size_t length = 0;
  Select select(On(numbers,
                   [&](int number) {
                     sum += number;
                     if (number == 100) numbers.Close();
                   }),
                On(texts, [&](std::string text) {
                  length += text.size();
                  if (text == "end") texts.Close();
                }));
  auto count = Start(CountAll(select));
  auto first = Isolate::Run(
      [](SendPort<int> out) {
        for (int i = 1; i <= 100; ++i) out.Send(i);
      },
      numbers.send_port());
  auto second = Isolate::Run(
      [](SendPort<std::string> out) {
        for (int i = 0; i < 100; ++i) out.Send("x");
        out.Send("end");
      },
      texts.send_port());
  EXPECT_EQ(count.Get(), 100 + 101 + 2);
  EXPECT_EQ(sum, 5050);
  EXPECT_EQ(length, 103U);
}

TEST(AwaitSelectTest, EachWakeUpReachesASleepingIsolate) {
  for (int round = 0; round < 20; ++round) SelectFromTwoPorts(50);
}

TEST(SelectTest, ABlockedIsolateIsWokenByEitherPort) { BlockInASelect(50); }

TEST(SelectTest, APlainThreadWakesABlockedIsolate) {
  ReceivePort<TwoPorts> ports;
  auto sum = Isolate::Run(BlockingSumOfTwo, ports.send_port(), 100);
  const auto [a, b] = *ports.Receive(kForever);
  std::thread other([to = a] {
    for (int i = 0; i < 50; ++i) to.Send(1);
  });
  for (int i = 0; i < 50; ++i) b.Send(2);
  other.join();
  EXPECT_EQ(sum.Get(), 150);
}

TEST(AwaitSelectTest, ADestroyedWaiterLeavesThePortsUsable) {
  ReceivePort<int> a;
  ReceivePort<int> b;
  int sum = 0;
  Select select(On(a, [&](int number) { sum += number; }),
                On(b, [&](int number) { sum += number; }));
  {
    const auto waiting = [](auto& from) -> Stream<int> {
      while (co_await from.Next()) co_yield 1;
    };
    auto stream = std::make_unique<Stream<int>>(waiting(select));
    auto next = Start([](Stream<int>& from) -> Task<bool> {
      co_return (co_await from.Next()).has_value();
    }(*stream));
    a.send_port().Send(1);
    EXPECT_TRUE(next.Get());
  }
  b.send_port().Send(2);
  EXPECT_EQ(b.TryReceive(), 2);
  a.send_port().Send(4);
  EXPECT_TRUE(select.Next(kForever));
  EXPECT_EQ(sum, 5);
}

Task<> WaitForEver(SendPort<bool> started) {
  ReceivePort<int> a;
  ReceivePort<int> b;
  Select select(On(a, [](int) {}), On(b, [](int) {}));
  started.Send(true);
  while (co_await select.Next()) {
  }
}

TEST(AwaitSelectTest, AnIsolateThatWaitsCanBeKilled) {
  ReceivePort<bool> started;
  ReceivePort<int> ended;
  const Isolate isolate =
      Isolate::Spawn(WaitForEver, started.send_port(), SpawnOptions().OnExit(ended.send_port(), 1))
          .Get();
  EXPECT_EQ(started.Receive(kForever), true);
  isolate.Kill(ControlPriority::kImmediate);
  EXPECT_EQ(ended.Receive(kForever), 1);
}

TEST(AwaitSelectTest, TwoWaitersAreRefused) {
  ReceivePort<int> port;
  Select select(On(port, [](int) {}));
  auto first = Start(CountAll(select));
  auto second = Start(CountAll(select));
  EXPECT_THROW((void)second.Get(), StateError);
  EXPECT_THROW(select.TryNext(), StateError);
  port.Close();
  EXPECT_EQ(first.Get(), 1);
}

// A port that never runs dry leaves other isolates of the worker their turns.
Task<int> SelectFromAFullPort(SendPort<int> out) {
  ReceivePort<int> port;
  for (int i = 0; i < 1000; ++i) port.send_port().Send(i);
  int count = 0;
  Select select(On(port, [&](int) { ++count; }));
  bool other_ran = false;
  auto other = Start([](bool& ran) -> Task<> {
    co_await Delay(Duration::zero());
    ran = true;
  }(other_ran));
  while (count < 1000 && !other_ran) {
    port.send_port().Send(0);  // one more for each that is taken
    co_await select.Next();
    if (count >= 900'000) break;
    if (count >= 1000) count -= 500;
  }
  out.Send(other_ran ? 1 : 0);
  co_await other;
  co_return other_ran ? 1 : 0;
}

TEST(AwaitSelectTest, ABusySelectGivesOtherEventsTheirTurn) {
  ReceivePort<int> ran;
  auto result = Isolate::Run(SelectFromAFullPort, ran.send_port());
  EXPECT_EQ(ran.Receive(kForever), 1);
  EXPECT_EQ(result.Get(), 1);
}

}  // namespace
}  // namespace isolates
