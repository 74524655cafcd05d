// Idle strategies: what each says, and that a runtime works under each of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Kind = IdleStrategy::Step::Kind;

TEST(IdleTest, BusySpinNeverSleeps) {
  const auto strategy = BusySpin();
  const IdleStrategy::Memory memory;
  EXPECT_EQ(strategy->Next(memory, std::chrono::hours(1), false).kind, Kind::kLook);
  EXPECT_EQ(strategy->Next(memory, std::chrono::hours(1), true).kind, Kind::kYield);
}

TEST(IdleTest, ParkSleepsAtOnce) {
  const auto step = Park()->Next({}, Duration::zero(), false);
  EXPECT_EQ(step.kind, Kind::kSleep);
  EXPECT_EQ(step.at_most, kForever);
}

TEST(IdleTest, BackOffSleepsLongerAndLonger) {
  const auto strategy = BackOff(microseconds(10), microseconds(100));
  EXPECT_EQ(strategy->Next({}, microseconds(9), false).kind, Kind::kLook);
  EXPECT_EQ(strategy->Next({}, microseconds(9), true).kind, Kind::kYield);
  EXPECT_EQ(strategy->Next({}, microseconds(19), false).kind, Kind::kYield);
  EXPECT_EQ(strategy->Next({}, microseconds(20), false).at_most, microseconds(1));
  EXPECT_EQ(strategy->Next({}, microseconds(60), false).at_most, microseconds(40));
  EXPECT_EQ(strategy->Next({}, milliseconds(60), false).at_most, microseconds(100));
}

TEST(IdleTest, SpinThenParkGrowsFastAndShrinksSlowly) {
  const auto strategy = SpinThenPark(microseconds(64), microseconds(1));
  IdleStrategy::Memory memory;
  const auto window = [&] {  // up to where it looks
    Duration end = Duration::zero();
    while (strategy->Next(memory, end, false).kind == Kind::kLook) end += Duration(100);
    return end;
  };
  EXPECT_EQ(window(), microseconds(64));
  // Long waits: spinning was in vain.
  std::vector<Duration> windows;
  for (int i = 0; i < 60; ++i) {
    strategy->Learn(memory, milliseconds(5));
    windows.push_back(window());
  }
  EXPECT_TRUE(std::is_sorted(windows.rbegin(), windows.rend()));
  EXPECT_GT(windows.front(), microseconds(50));
  EXPECT_EQ(windows.back(), microseconds(1));
  // A wait that spinning would have caught.
  strategy->Learn(memory, microseconds(5));
  EXPECT_EQ(window(), microseconds(5));
  strategy->Learn(memory, microseconds(6));
  EXPECT_EQ(window(), microseconds(10));
  // One that it did catch changes nothing.
  strategy->Learn(memory, microseconds(9));
  EXPECT_EQ(window(), microseconds(10));
  EXPECT_EQ(strategy->Next(memory, Duration::zero(), true).kind, Kind::kSleep);
}

TEST(IdleTest, NonsenseIsRefused) {
  EXPECT_THROW(SpinThenPark(microseconds(1), microseconds(2)), StateError);
  EXPECT_THROW(BackOff(microseconds(-1)), StateError);
  EXPECT_THROW(SetIdleStrategy(nullptr), StateError);
}

// Switched while isolates talk: nothing is lost under any of them.
TEST(IdleTest, SwitchedWhileRunning) {
  ReceivePort<int> answers;
  ReceivePort<SendPort<int>> connected;
  Isolate::Spawn(
      [](std::pair<SendPort<int>, SendPort<SendPort<int>>> ports) {
        ReceivePort<int> requests;
        ports.second.Send(requests.send_port());
        std::move(requests).Listen([answers = ports.first](ReceivePort<int>& port, int n) {
          answers.Send(n + 1);
          if (n < 0) port.Close();
        });
      },
      std::pair(answers.send_port(), connected.send_port()))
      .Get();
  const SendPort<int> to_it = *connected.Receive(kForever);
  const std::vector<std::shared_ptr<const IdleStrategy>> strategies = {BusySpin(), BackOff(),
                                                                       Park(), SpinThenPark()};
  int sent = 0;
  for (int round = 0; round < 20; ++round) {
    for (const auto& strategy : strategies) {
      SetIdleStrategy(strategy);
      for (int i = 0; i < 10; ++i) {
        to_it.Send(++sent);
        ASSERT_EQ(answers.Receive(kForever), sent + 1);
      }
    }
  }
  to_it.Send(-1);
  EXPECT_EQ(answers.Receive(kForever), 0);
}

// Everybody spins and more isolates block than there are processors: nobody waits for ever.
TEST(IdleTest, BusySpinWithMoreWaitersThanProcessors) {
  SetIdleStrategy(BusySpin());
  auto result = Isolate::Run([] {
    return Isolate::Run([] {
             return Isolate::Run([] { return Isolate::Run([] { return 1; }).Get() + 1; }).Get() + 1;
           }).Get() +
           1;
  });
  EXPECT_EQ(result.Get(), 4);
  SetIdleStrategy(SpinThenPark());
}

}  // namespace
}  // namespace isolates
