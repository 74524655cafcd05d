// The first of several results, and time limits by a clock that is moved by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "src/runtime/timer_queue.h"

namespace isolates {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const std::shared_ptr<ManualClock> the_clock = [] {
  auto clock = std::make_shared<ManualClock>();
  RuntimeOptions options;
  options.clock = clock;
  ConfigureRuntime(options);
  return clock;
}();

// --- the first of several

TEST(WhenAnyTest, TheFirstResultIsTakenAndTheLosersGoOn) {
  Completer<int> slow;
  Completer<int> fast;
  std::vector<Future<int>> futures;
  futures.push_back(slow.future());
  futures.push_back(fast.future());
  auto any = WhenAny(std::move(futures));
  EXPECT_FALSE(any.ready());
  fast.Complete(7);
  const auto first = any.Get();
  EXPECT_EQ(first.index, 1U);
  EXPECT_EQ(first.value, 7);
  slow.Complete(8);
}

TEST(WhenAnyTest, OfSeveralThatAreReadyTheFirstInOrder) {
  Completer<std::string> a;
  Completer<> b;
  b.Complete();
  a.Complete("a");
  const auto any = WhenAny(a.future(), b.future()).Get();
  ASSERT_EQ(any.index(), 0U);
  EXPECT_EQ(std::get<0>(any), "a");
}

TEST(WhenAnyTest, AnErrorIsAResult) {
  Completer<int> never;
  Completer<> fails;
  auto any = WhenAny(never.future(), fails.future());
  fails.CompleteError(std::runtime_error("failed"));
  EXPECT_THROW((void)any.Get(), std::runtime_error);
}

TEST(WhenAnyTest, OfOtherIsolates) {
  Completer<int> never;
  auto any = WhenAny(never.future(), Isolate::Run([] { return std::string("run"); }));
  EXPECT_EQ(std::get<1>(any.Get()), "run");
}

TEST(WhenAnyTest, NoneIsRefused) {
  EXPECT_THROW((void)WhenAny(std::vector<Future<int>>()).Get(), StateError);
}

TEST(FirstReadyTest, TheFuturesStayWithTheCaller) {
  Completer<int> a;
  Completer<int> b;
  const auto task = [](Future<int> first, Future<int> second) -> Task<std::vector<int>> {
    std::vector<int> values;
    const std::size_t index = co_await FirstReady(first, second);
    values.push_back(static_cast<int>(index));
    values.push_back(co_await second);
    values.push_back(co_await first);
    co_return values;
  };
  auto values = Start(task(a.future(), b.future()));
  b.Complete(2);
  EXPECT_FALSE(values.WaitFor(Duration::zero()));
  a.Complete(1);
  EXPECT_THAT(values.Get(), testing::ElementsAre(1, 2, 1));
}

// --- time limits

TEST(WithTimeoutTest, InTimeAndTooLate) {
  Completer<int> in_time;
  auto value = WithTimeout(in_time.future(), seconds(1));
  in_time.Complete(5);
  EXPECT_EQ(value.Get(), 5);

  Completer<int> too_late;
  auto fails = WithTimeout(too_late.future(), seconds(1));
  EXPECT_FALSE(fails.ready());
  the_clock->Advance(seconds(1));
  EXPECT_THROW((void)fails.Get(), TimeoutError);
  too_late.Complete(6);
}

TEST(ReadyWithinTest, AFutureThatWasTooLateCanBeAwaitedAgain) {
  Completer<int> completer;
  const auto task = [](Future<int> future, Completer<int>& from) -> Task<int> {
    const bool ready = co_await ReadyWithin(future, seconds(1));
    EXPECT_FALSE(ready);
    from.Complete(9);
    const bool ready_now = co_await ReadyWithin(future, seconds(1));
    EXPECT_TRUE(ready_now);
    co_return co_await future;
  };
  auto value = Start(task(completer.future(), completer));
  the_clock->Advance(seconds(2));
  EXPECT_EQ(value.Get(), 9);
}

TEST(ReceiveWithinTest, AMessageThatIsTooLateIsTheNext) {
  ReceivePort<int> port;
  const auto receive = [](ReceivePort<int>& from) -> Task<int> {
    const std::optional<int> message = co_await ReceiveWithin(from, seconds(1));
    co_return message.value_or(-1);
  };
  port.send_port().Send(1);
  EXPECT_EQ(Start(receive(port)).Get(), 1);
  auto late = Start(receive(port));
  the_clock->Advance(seconds(1));
  EXPECT_THROW((void)late.Get(), TimeoutError);
  port.send_port().Send(2);
  EXPECT_EQ(Start(receive(port)).Get(), 2);
  auto closed = Start(receive(port));
  port.Close();
  EXPECT_EQ(closed.Get(), -1);
}

TEST(ReceiveWithinTest, AMessageAtTheTimeIsNotLost) {
  ReceivePort<int> port;
  int received = 0;
  const auto receive_all = [](ReceivePort<int>& from, int& count) -> Task<int> {
    int timeouts = 0;
    for (;;) {
      try {
        const std::optional<int> message = co_await ReceiveWithin(from, seconds(1));
        if (!message.has_value()) break;
        EXPECT_EQ(*message, count);
        ++count;
        if (count == 200) break;
      } catch (const TimeoutError&) {
        ++timeouts;
      }
    }
    co_return timeouts;
  };
  auto all = Start(receive_all(port, received));
  auto sends = Isolate::Run(
      [](SendPort<int> out) {
        for (int i = 0; i < 200; ++i) {
          out.Send(i);
          the_clock->Advance(seconds(1));
        }
      },
      port.send_port());
  (void)all.Get();
  sends.Get();
  EXPECT_EQ(received, 200);
}

// --- cancelled timers

TEST(CancelledTimerTest, ItGivesItsIsolateFree) {
  // The end of an isolate whose timer is not due lets its timer, and so the isolate, go.
  const auto isolate = Isolate::Spawn([](int) -> Task<> { co_await Delay(hours(1000)); }, 0).Get();
  auto end = isolate.Ended();
  isolate.Kill();
  EXPECT_EQ(end.Get().reason, ExitReason::kKilled);
}

TEST(TimerQueueTest, OrderAndRemovalInAnyOrder) {
  std::mt19937 random(1);
  internal::PortHost& host = internal::RequireHost();
  internal::TimerQueue queue;
  std::vector<internal::Ref<internal::TimerNode>> timers;
  for (int i = 0; i < 500; ++i) {
    timers.push_back(internal::MakeRef<internal::TimerNode>(host, TimePoint(seconds(random() % 50)),
                                                            std::noop_coroutine()));
    queue.Add(*timers.back());
  }
  std::size_t removed = 0;
  for (std::size_t i = 0; i < timers.size(); ++i) {
    if (random() % 3 != 0) continue;
    EXPECT_TRUE(queue.Remove(*timers[i]));
    EXPECT_FALSE(queue.Remove(*timers[i]));
    ++removed;
  }
  EXPECT_EQ(queue.size(), timers.size() - removed);
  const internal::TimerNode* last = nullptr;
  while (!queue.empty()) {
    const internal::TimerNode& next = queue.Pop();
    if (last != nullptr) {
      EXPECT_TRUE(last->when() < next.when() ||
                  (last->when() == next.when() && last->queue_order < next.queue_order));
    }
    last = &next;
  }
  for (const auto& timer : timers) timer->Cancel();
}

}  // namespace
}  // namespace isolates
