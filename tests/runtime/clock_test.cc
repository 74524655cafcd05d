// Timers and the deadlines of waits by a clock that is moved by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
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

Task<> After(Duration delay, int number, std::vector<int>& order) {
  co_await Delay(delay);
  order.push_back(number);
}

TEST(ManualClockTest, TimersFireInTheOrderOfTheirTimesThenOfTheirStart) {
  std::vector<int> order;
  std::vector<Future<void>> all;
  all.push_back(Start(After(seconds(3), 3, order)));
  all.push_back(Start(After(seconds(1), 1, order)));
  all.push_back(Start(After(seconds(2), 20, order)));
  all.push_back(Start(After(seconds(2), 21, order)));
  the_clock->Advance(seconds(5));
  WhenAll(std::move(all)).Get();
  EXPECT_THAT(order, ElementsAre(1, 20, 21, 3));
}

TEST(ManualClockTest, NothingFiresBeforeItsTime) {
  std::vector<int> order;
  auto early = Start(After(seconds(1), 1, order));
  auto late = Start(After(hours(1), 2, order));
  the_clock->Advance(seconds(1));
  early.Get();
  EXPECT_FALSE(late.ready());
  the_clock->Advance(hours(1) - seconds(2));
  auto another = Start(After(Duration::zero(), 3, order));
  the_clock->Advance(Duration::zero());
  another.Get();
  EXPECT_FALSE(late.ready());
  the_clock->Advance(seconds(1));
  late.Get();
  EXPECT_THAT(order, ElementsAre(1, 3, 2));
}

TEST(ManualClockTest, AnIsolateThatDelaysLivesUntilItsTimeHasCome) {
  ReceivePort<int> started;
  auto result = Isolate::Run(
      [](SendPort<int> out) -> Task<int> {
        auto delay = [](SendPort<int> port) -> Task<> {
          port.Send(1);
          co_await Delay(hours(2));
        };
        co_await delay(out);
        co_return 5;
      },
      started.send_port());
  (void)started.Receive(kForever);
  // The message was sent just before the timer was set: move time until it fires.
  while (!result.WaitFor(Duration::zero())) the_clock->Advance(hours(3));
  EXPECT_EQ(result.Get(), 5);
}

TEST(ManualClockTest, APeriodicStreamYieldsOncePerPeriod) {
  const auto take = [](int count) -> Task<std::vector<int>> {
    std::vector<int> values;
    auto stream = PeriodicStream(seconds(1), [](int i) { return i * i; });
    while (static_cast<int>(values.size()) < count) values.push_back(*(co_await stream.Next()));
    co_return values;
  };
  auto values = Start(take(4));
  while (!values.WaitFor(Duration::zero())) the_clock->Advance(seconds(1));
  EXPECT_THAT(values.Get(), ElementsAre(0, 1, 4, 9));
}

TEST(ManualClockTest, ATimerThatIsCancelledNeverFires) {
  bool fired = false;
  const auto delayed = [](bool& done) -> Stream<int> {
    co_await Delay(seconds(1));
    done = true;
    co_yield 1;
  };
  {
    auto stream = std::make_unique<Stream<int>>(delayed(fired));
    auto next = Start([](Stream<int>& from) -> Task<> { (void)co_await from.Next(); }(*stream));
    EXPECT_FALSE(next.ready());
    stream.reset();  // destroys the frame that waits
  }
  std::vector<int> order;
  auto later = Start(After(seconds(2), 1, order));
  the_clock->Advance(seconds(3));
  later.Get();
  EXPECT_FALSE(fired);
}

// --- waits; by the machine's clock none of these would end in the time that a test has

// Moves the clock until it is stopped: a wait begins some time after this.
class Mover {
 public:
  Mover() = default;
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;
  ~Mover() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_{[this] {
    while (!stop_.load()) {
      the_clock->Advance(std::chrono::minutes(1));
      std::this_thread::yield();
    }
  }};
};

TEST(ManualClockWaitTest, AReceiveOnAThreadEndsWhenItsTimeHasCome) {
  ReceivePort<int> port;
  const TimePoint begin = the_clock->Now();
  const Mover mover;
  EXPECT_THROW((void)port.Receive(hours(100)), TimeoutError);
  EXPECT_GE(the_clock->Now() - begin, hours(100));
}

TEST(ManualClockWaitTest, AReceiveInATurnEndsWhenItsTimeHasCome) {
  const TimePoint begin = the_clock->Now();
  const Mover mover;
  auto waits = Isolate::Run([] {
    ReceivePort<int> port;
    try {
      (void)port.Receive(hours(100));
      return false;
    } catch (const TimeoutError&) {
      return true;
    }
  });
  EXPECT_TRUE(waits.Get());
  EXPECT_GE(the_clock->Now() - begin, hours(100));
}

TEST(ManualClockWaitTest, AWaitForAResultEndsOnAThreadThatIsNoIsolate) {
  const TimePoint begin = the_clock->Now();
  const Mover mover;
  std::thread([] {
    Completer<int> never;
    auto future = never.future();
    EXPECT_FALSE(future.WaitFor(hours(100)));
  }).join();
  EXPECT_GE(the_clock->Now() - begin, hours(100));
}

TEST(ManualClockWaitTest, WithoutADeadlineTimeDoesNotMatter) {
  const Mover mover;
  ReceivePort<int> port;
  auto sends = Isolate::Run([](SendPort<int> to) { to.Send(3); }, port.send_port());
  EXPECT_EQ(port.Receive(kForever), 3);
  sends.Get();
}

void WaitForHours(int) {
  ReceivePort<int> listens;
  std::move(listens).Listen([](int) {});
  ReceivePort<int> port("waits for hours");
  try {
    (void)port.Receive(hours(1000));
  } catch (const TimeoutError&) {
  }
}

// The wait sees the request, which is none for the event at hand. The end of that event, the last
// of its turn, must not forget it, although nothing else comes.
TEST(ManualClockWaitTest, AnEndBeforeTheNextEventThatCameDuringAWaitComesAfterIt) {
  EventLoop loop = EventLoop::Create(WaitForHours, 0);
  std::thread ends([isolate = loop.isolate()] {
    const auto waits = [] {
      const auto live = LiveIsolates();
      return std::any_of(live.begin(), live.end(), [](const LiveIsolate& one) {
        return !one.kept_by.empty() &&
               one.kept_by.front() == "a wait for a message on port 'waits for hours'";
      });
    };
    while (!waits()) std::this_thread::yield();
    isolate.Kill(ControlPriority::kBeforeNextEvent);
    ReceivePort<int> pings;
    for (int i = 0; i < 2; ++i) {  // the second wakes it once more, when it has seen the request
      isolate.Ping(pings.send_port(), i);
      EXPECT_EQ(pings.Receive(kForever), i);
    }
    the_clock->Advance(hours(1000));
  });
  EXPECT_TRUE(loop.HandleEvent());
  ends.join();
  EXPECT_FALSE(loop.done());
  EXPECT_TRUE(loop.HandleEvent());
  EXPECT_TRUE(loop.done());
}

}  // namespace
}  // namespace isolates
