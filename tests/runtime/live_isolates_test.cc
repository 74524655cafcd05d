// What is alive, and what keeps it alive.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

LiveIsolate Find(const std::string& name) {
  for (LiveIsolate& isolate : LiveIsolates()) {
    if (isolate.name == name) return std::move(isolate);
  }
  return {};
}

LiveIsolate AwaitState(const std::string& name, LiveIsolate::State state) {
  for (;;) {
    const LiveIsolate found = Find(name);
    if (found.name == name && found.state == state) return found;
    std::this_thread::yield();
  }
}

Task<> Keeps(int) {
  ReceivePort<int> orders("orders");
  orders.Listen([](int) {});
  ReceivePort<int> ignored("ignored");
  ReceivePort<int> nameless;
  auto late = Start([]() -> Task<> { co_await Delay(hours(1)); }());
  auto later = Start([]() -> Task<> { co_await Delay(hours(2)); }());
  (void)co_await Isolate::Run([] { return ReceivePort<int>("stuck").Receive(kForever).value(); });
}

TEST(LiveIsolatesTest, AnIdleOneTellsItsPortsTimersAndResults) {
  const auto isolate = Isolate::Spawn(Keeps, 0, SpawnOptions().DebugName("keeper")).Get();
  const LiveIsolate life = AwaitState("keeper", LiveIsolate::State::kIdle);
  EXPECT_THAT(life.kept_by, UnorderedElementsAre("port 'orders'", "2 timers", "1 awaited result"));
  EXPECT_EQ(ToString(life),
            "isolate 'keeper' (idle), kept alive by port 'orders', 2 timers, 1 awaited result");
  isolate.Kill(ControlPriority::kImmediate);
  (void)isolate.Ended().Get();
}

TEST(LiveIsolatesTest, ABlockedOneTellsWhatItWaitsFor) {
  const auto isolate =
      Isolate::Spawn([](int) { (void)ReceivePort<int>("questions").Receive(kForever); }, 0,
                     SpawnOptions().DebugName("asked"))
          .Get();
  EXPECT_THAT(AwaitState("asked", LiveIsolate::State::kBlocked).kept_by,
              ElementsAre("a wait for a message on port 'questions'"));
  isolate.Kill(ControlPriority::kImmediate);
  (void)isolate.Ended().Get();
}

TEST(LiveIsolatesTest, APausedOneSaysSo) {
  const auto isolate =
      Isolate::Spawn([](int) {}, 0, SpawnOptions().DebugName("paused").Paused()).Get();
  EXPECT_THAT(AwaitState("paused", LiveIsolate::State::kIdle).kept_by, ElementsAre("a pause"));
  isolate.Kill(ControlPriority::kImmediate);
  (void)isolate.Ended().Get();
}

TEST(LiveIsolatesTest, ARunningOneTellsOfItself) {
  const auto life =
      Isolate::Run(RunOptions().DebugName("self"), []() -> Task<std::vector<std::string>> {
        ReceivePort<int> port("own");
        port.Listen([](int) {});
        co_return Find("self").kept_by;
      }).Get();
  EXPECT_THAT(life, ElementsAre("port 'own'"));
}

TEST(LiveIsolatesTest, AThreadIsKeptAliveByItself) {
  (void)Isolate::Current();
  const LiveIsolate life = Find("main");
  EXPECT_EQ(life.state, LiveIsolate::State::kRunning);
  EXPECT_THAT(life.kept_by, ElementsAre("its thread"));
}

std::atomic<bool> stop{false};

// Whoever looks takes an idle isolate for a moment. What comes meanwhile must not get lost.
TEST(LiveIsolatesTest, LooksDisturbNobody) {
  constexpr int kRounds = 3000;
  ReceivePort<SendPort<int>> connected;
  ReceivePort<int> echoes;
  const auto isolate =
      Isolate::Spawn(
          [](std::pair<SendPort<SendPort<int>>, SendPort<int>> ports) {
            ReceivePort<int> port;
            ports.first.Send(port.send_port());
            std::move(port).Listen([out = ports.second](int number) { out.Send(int{number}); });
          },
          std::pair(connected.send_port(), echoes.send_port()))
          .Get();
  const SendPort<int> to = *connected.Receive(kForever);
  std::vector<std::thread> lookers;
  for (int i = 0; i < 2; ++i) {
    lookers.emplace_back([] {
      while (!stop.load()) (void)LiveIsolates();
    });
  }
  for (int i = 0; i < kRounds; ++i) {
    to.Send(int{i});
    ASSERT_EQ(echoes.Receive(kForever), i);
  }
  stop = true;
  for (auto& looker : lookers) looker.join();
  isolate.Kill(ControlPriority::kImmediate);
}

}  // namespace
}  // namespace isolates
