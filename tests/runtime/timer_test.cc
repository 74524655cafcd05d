// Timers with callbacks and delayed messages, by a clock that is moved by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;

const std::shared_ptr<ManualClock> the_clock = [] {
  auto clock = std::make_shared<ManualClock>();
  RuntimeOptions options;
  options.clock = clock;
  ConfigureRuntime(options);
  return clock;
}();

// Handles what is due now: timers that were set before come first.
void Settle() {
  auto now = Start([]() -> Task<> { co_await Delay(Duration::zero()); }());
  now.Get();
}

TEST(TimerTest, ItFiresOnceWhenItsTimeHasCome) {
  int fired = 0;
  const Timer timer(seconds(1), [&fired] { ++fired; });
  EXPECT_TRUE(timer.active());
  Settle();
  EXPECT_EQ(fired, 0);
  the_clock->Advance(seconds(1));
  Settle();
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer.active());
  EXPECT_EQ(timer.tick(), 1);
  the_clock->Advance(hours(1));
  Settle();
  EXPECT_EQ(fired, 1);
}

TEST(TimerTest, CancelledOrDestroyedItNeverFiresAndItsFunctionIsDestroyed) {
  const auto held = std::make_shared<int>(0);
  Timer timer(seconds(1), [held] { ++*held; });
  {
    const Timer dropped(seconds(1), [held] { ++*held; });
    EXPECT_EQ(held.use_count(), 3);
  }
  EXPECT_EQ(held.use_count(), 2);
  timer.Cancel();
  timer.Cancel();
  EXPECT_FALSE(timer.active());
  EXPECT_EQ(held.use_count(), 1);
  the_clock->Advance(seconds(2));
  Settle();
  EXPECT_EQ(*held, 0);
}

TEST(TimerTest, DetachedItGoesOn) {
  int fired = 0;
  Timer(seconds(1), [&fired] { ++fired; }).Detach();
  the_clock->Advance(seconds(1));
  Settle();
  EXPECT_EQ(fired, 1);
}

TEST(TimerTest, APeriodicTimerLeavesOutWhatItMissed) {
  std::vector<std::int64_t> ticks;
  std::optional<Timer> timer;
  timer.emplace(Timer::Periodic(seconds(1), [&] { ticks.push_back(timer->tick()); }));
  for (const int step : {1, 1, 3, 1}) {
    the_clock->Advance(seconds(step));
    Settle();
  }
  EXPECT_THAT(ticks, ElementsAre(1, 2, 5, 6));
  EXPECT_TRUE(timer->active());
}

TEST(TimerTest, ItMayCancelItself) {
  int fired = 0;
  std::optional<Timer> timer;
  timer.emplace(Timer::Periodic(seconds(1), [&] {
    if (++fired == 2) timer->Cancel();
  }));
  for (int i = 0; i < 4; ++i) {
    the_clock->Advance(seconds(1));
    Settle();
  }
  EXPECT_EQ(fired, 2);
}

TEST(TimerTest, ItsFunctionMayBeACoroutine) {
  int done = 0;
  const Timer timer(seconds(1), [&done]() -> Task<> {
    co_await Delay(seconds(1));
    ++done;
  });
  the_clock->Advance(seconds(1));
  Settle();
  EXPECT_EQ(done, 0);
  the_clock->Advance(seconds(1));
  Settle();
  EXPECT_EQ(done, 1);
}

TEST(TimerTest, ItKeepsItsIsolateAliveAndItsErrorIsTheIsolates) {
  ReceivePort<int> started;
  const auto isolate = Isolate::Spawn(
                           [](SendPort<int> out) {
                             Timer(seconds(1), [] { throw std::runtime_error("timer"); }).Detach();
                             out.Send(1);
                           },
                           started.send_port())
                           .Get();
  auto end = isolate.Ended();
  (void)started.Receive(kForever);
  the_clock->Advance(seconds(1));
  const ExitInfo info = end.Get();
  EXPECT_EQ(info.reason, ExitReason::kUncaughtError);
  EXPECT_EQ(info.error->message(), "timer");
}

TEST(TimerTest, AnIsolateEndsWithTimersThatWait) {
  static const auto destroyed = std::make_shared<int>(0);
  const auto isolate =
      Isolate::Spawn([](int) { Timer::Periodic(hours(1), [keep = destroyed] {}).Detach(); }, 0)
          .Get();
  isolate.Kill();
  EXPECT_EQ(isolate.Ended().Get().reason, ExitReason::kKilled);
  EXPECT_EQ(destroyed.use_count(), 1);
}

TEST(SendAfterTest, LaterOrNeverIfItIsCancelled) {
  ReceivePort<std::unique_ptr<int>> port;
  const auto kept = SendAfter(port.send_port(), std::make_unique<int>(1), seconds(2));
  auto cancelled = SendAfter(port.send_port(), std::make_unique<int>(2), seconds(1));
  cancelled.Cancel();
  the_clock->Advance(seconds(1));
  Settle();
  EXPECT_FALSE(port.TryReceive().has_value());
  the_clock->Advance(seconds(1));
  EXPECT_EQ(**port.Receive(kForever), 1);
}

}  // namespace
}  // namespace isolates
