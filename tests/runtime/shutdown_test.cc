// Ends of programs: each test runs in a process of its own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ShutdownTest : public testing::Test {
 protected:
  ShutdownTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

std::size_t Threads() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    (void)entry;
    ++count;
  }
  return count;
}

// What a child says through its exit status.
void Expect(bool condition, int line) {
  if (condition) return;
  std::fprintf(stderr, "line %d\n", line);
  std::_Exit(1);
}
#define CHILD_EXPECT(condition) Expect(condition, __LINE__)

[[noreturn]] void Done() { std::exit(42); }
#define EXPECT_CHILD(function) EXPECT_EXIT(function(), testing::ExitedWithCode(42), "")

void Unused() {
  const std::size_t before = Threads();  // a sanitizer may have one of its own
  RuntimeOptions options;
  options.workers = 2;
  ConfigureRuntime(options);
  const Capability capability = Capability::Create();
  CHILD_EXPECT(static_cast<bool>(capability));
  CHILD_EXPECT(Threads() == before);
  Isolate::Run([] {}).Get();
  CHILD_EXPECT(Threads() > before);
  Done();
}
TEST_F(ShutdownTest, AnUnusedLibraryStartsNoThread) { EXPECT_CHILD(Unused); }

void Listen(int) {
  ReceivePort<int> port;
  std::move(port).Listen([](int) {});
}

void AllKinds() {
  (void)Isolate::Spawn(Listen, 0).Get();
  (void)Isolate::Spawn(Listen, 0, SpawnOptions().Paused()).Get();
  auto blocked = Isolate::Run([] {
    ReceivePort<int> port;
    (void)port.Receive(kForever);
  });
  auto delayed = Isolate::Run([]() -> Task<> { co_await Delay(std::chrono::hours(1)); });
  auto loops = Isolate::Run([] {
    for (;;) Isolate::CheckStop();
  });
  const auto report = Shutdown(ShutdownMode::kDiscard, seconds(30));
  CHILD_EXPECT(report.still_running.empty());
  CHILD_EXPECT(blocked.ready() && delayed.ready() && loops.ready());
  bool refused = false;
  try {
    (void)Isolate::Run([] {});
  } catch (const StateError&) {
    refused = true;
  }
  CHILD_EXPECT(refused);
  refused = false;
  try {
    (void)Isolate::Spawn(Listen, 0).Get();
  } catch (const IsolateSpawnException&) {
    refused = true;
  }
  CHILD_EXPECT(refused);
  CHILD_EXPECT(Shutdown(ShutdownMode::kDiscard, seconds(1)).still_running.empty());
  Done();
}
TEST_F(ShutdownTest, ItEndsIdlePausedListeningBlockedAndLoopingIsolates) { EXPECT_CHILD(AllKinds); }

std::atomic<bool> release{false};

void Stuck() {
  ReceivePort<int> started;
  auto stuck = Isolate::Run(
      RunOptions().DebugName("stuck one"),
      [](SendPort<int> out) {
        out.Send(1);
        while (!release.load()) std::this_thread::yield();
      },
      started.send_port());
  (void)started.Receive(kForever);
  const auto report = Shutdown(ShutdownMode::kDiscard, milliseconds(50));
  CHILD_EXPECT(report.still_running.size() == 1);
  CHILD_EXPECT(report.still_running.front().name == "stuck one");
  CHILD_EXPECT(report.still_running.front().state == LiveIsolate::State::kRunning);
  release = true;
  Done();
}
TEST_F(ShutdownTest, TheReportNamesWhatWouldNotEnd) { EXPECT_CHILD(Stuck); }

// --- drain and discard

std::atomic<int> arrived{0};
std::atomic<bool> gate{false};

void WaitAtGate() {
  while (!gate.load()) Isolate::CheckStop();
}

// Handles nothing until the gate is open; passes on what it gets, or counts it.
struct Link {
  SendPort<SendPort<int>> connected;
  SendPort<int> next;  // of the last one: its own, which nobody listens to
  bool last = false;
};
void PassOn(Link link) {
  ReceivePort<int> port;
  link.connected.Send(port.send_port());
  std::move(port).Listen([next = link.next, last = link.last](int number) {
    WaitAtGate();
    if (last) {
      arrived.fetch_add(1);
    } else {
      next.Send(int{number});
    }
  });
}

SendPort<int> StartChain(int links) {
  ReceivePort<SendPort<int>> connected;
  ReceivePort<int> none;
  SendPort<int> next = none.send_port();
  for (int i = 0; i < links; ++i) {
    (void)Isolate::Spawn(PassOn, Link{connected.send_port(), next, i == 0}).Get();
    next = *connected.Receive(kForever);
  }
  return next;
}

// Returns when the runtime takes no isolates of threads any more.
void AwaitRefusal() {
  try {
    for (;;) Isolate::Run([] {}).Get();
  } catch (const StateError&) {
  }
}

constexpr int kMessages = 300;  // more than a turn handles

void Drains() {
  const SendPort<int> first = StartChain(5);
  for (int i = 0; i < kMessages; ++i) first.Send(int{i});
  std::thread opener([] {
    AwaitRefusal();
    gate = true;
  });
  const auto report = Shutdown(ShutdownMode::kDrain, seconds(100));
  opener.join();
  CHILD_EXPECT(arrived.load() == kMessages);
  CHILD_EXPECT(runtime_info().dead_letters == 0);
  CHILD_EXPECT(report.not_drained.empty() && report.still_running.empty());
  Done();
}
TEST_F(ShutdownTest, DrainHandlesWhateverWasSent) { EXPECT_CHILD(Drains); }

// What one of two sends the other: where to send back, and how often still.
struct Ball {
  SendPort<Ball> back;
  int hops = 0;
  using IsolatesMembers = Members<&Ball::back, &Ball::hops>;
};

void Play(SendPort<SendPort<Ball>> connected) {
  ReceivePort<Ball> port;
  const SendPort<Ball> self = port.send_port();
  connected.Send(self);
  std::move(port).Listen([self](Ball ball) {
    arrived.fetch_add(1);
    if (ball.hops > 0) ball.back.Send(Ball{self, ball.hops - 1});
  });
}

// Each is idle half of the time. A look at one, and later at the other, may well find both so; the
// isolates in between make it later.
void DrainsOneMessage() {
  constexpr int kHops = 20'000;
  constexpr int kBetween = 1000;
  ReceivePort<SendPort<Ball>> connected;
  std::vector<SendPort<Ball>> players;
  for (int i = 0; i < 2; ++i) {
    (void)Isolate::Spawn(Play, connected.send_port()).Get();
    players.push_back(*connected.Receive(kForever));
    for (int k = 0; i == 0 && k < kBetween; ++k) (void)Isolate::Spawn(Listen, 0).Get();
  }
  players[0].Send(Ball{players[1], kHops});
  const auto report = Shutdown(ShutdownMode::kDrain, seconds(100));
  CHILD_EXPECT(arrived.load() == kHops + 1);
  CHILD_EXPECT(report.not_drained.empty() && report.still_running.empty());
  Done();
}
TEST_F(ShutdownTest, DrainFollowsAMessageThatGoesToAndFro) { EXPECT_CHILD(DrainsOneMessage); }

void Discards() {
  const SendPort<int> first = StartChain(5);
  for (int i = 0; i < kMessages; ++i) first.Send(int{i});
  const auto report = Shutdown(ShutdownMode::kDiscard, seconds(100));
  CHILD_EXPECT(arrived.load() == 0);
  CHILD_EXPECT(runtime_info().dead_letters > 0);
  CHILD_EXPECT(report.still_running.empty());
  Done();
}
TEST_F(ShutdownTest, DiscardHandlesNothingMore) { EXPECT_CHILD(Discards); }

void DrainsWithChildren() {
  ReceivePort<SendPort<int>> connected;
  (void)Isolate::Spawn(
      [](SendPort<SendPort<int>> out) {
        ReceivePort<int> port;
        out.Send(port.send_port());
        std::move(port).Listen([](int number) {
          WaitAtGate();
          arrived.fetch_add(Isolate::Run([](int n) { return n; }, number).Get());
        });
      },
      connected.send_port())
      .Get();
  const SendPort<int> to = *connected.Receive(kForever);
  to.Send(1);
  to.Send(2);
  std::thread opener([] {
    AwaitRefusal();
    gate = true;
  });
  const auto report = Shutdown(ShutdownMode::kDrain, seconds(100));
  opener.join();
  CHILD_EXPECT(arrived.load() == 3);
  CHILD_EXPECT(report.not_drained.empty() && report.still_running.empty());
  Done();
}
TEST_F(ShutdownTest, WhileItDrainsIsolatesMayStartIsolatesAndOthersNot) {
  EXPECT_CHILD(DrainsWithChildren);
}

void DrainsToDeadline() {
  ReceivePort<int> started;
  (void)Isolate::Spawn(
      [](SendPort<int> out) -> Task<> {
        ReceivePort<int> port;
        const SendPort<int> self = port.send_port();
        self.Send(0);
        out.Send(1);
        for (;;) self.Send((co_await port.Receive()).value());
      },
      started.send_port(), SpawnOptions().DebugName("restless"))
      .Get();
  (void)started.Receive(kForever);
  const auto report = Shutdown(ShutdownMode::kDrain, seconds(1));
  CHILD_EXPECT(report.not_drained.size() == 1);
  CHILD_EXPECT(report.not_drained.front().name == "restless");
  CHILD_EXPECT(report.still_running.empty());
  Done();
}
TEST_F(ShutdownTest, AtItsDeadlineADrainGoesOnAsADiscard) { EXPECT_CHILD(DrainsToDeadline); }

void DrainsBesideWaits() {
  auto blocked = Isolate::Run([] {
    ReceivePort<int> port;
    (void)port.Receive(kForever);
  });
  auto limited = Isolate::Run([] {
    ReceivePort<int> port;
    (void)port.Receive(std::chrono::hours(1));
  });
  auto delayed = Isolate::Run([]() -> Task<> { co_await Delay(std::chrono::hours(1)); });
  (void)Isolate::Spawn(Listen, 0, SpawnOptions().Paused()).Get();
  const auto report = Shutdown(ShutdownMode::kDrain, std::chrono::hours(1));
  CHILD_EXPECT(report.not_drained.empty() && report.still_running.empty());
  CHILD_EXPECT(blocked.ready() && limited.ready() && delayed.ready());
  Done();
}
TEST_F(ShutdownTest, WaitsTimersAndPausesDoNotHoldUpADrain) { EXPECT_CHILD(DrainsBesideWaits); }

// There a wait is many short sleeps, each of which is no step.
void DrainsBesideShortSleeps() {
  RuntimeOptions options;
  options.idle = BackOff();
  ConfigureRuntime(options);
  DrainsBesideWaits();
}
TEST_F(ShutdownTest, WaitsThatSleepForShortTimesDoNotHoldUpADrain) {
  EXPECT_CHILD(DrainsBesideShortSleeps);
}

void ShutsDownFromIsolate() {
  const bool refused = Isolate::Run([] {
                         try {
                           (void)Shutdown(ShutdownMode::kDiscard, seconds(1));
                           return false;
                         } catch (const StateError&) {
                           return true;
                         }
                       }).Get();
  CHILD_EXPECT(refused);
  Done();
}
TEST_F(ShutdownTest, AnIsolateMayNotCallIt) { EXPECT_CHILD(ShutsDownFromIsolate); }

void ExitWithRunning() {
  (void)Isolate::Spawn(Listen, 0).Get();
  static auto never = Isolate::Run([] {
    ReceivePort<int> port;
    (void)port.Receive(kForever);
  });
  Done();
}
TEST_F(ShutdownTest, AProgramThatExitsWithRunningIsolatesEnds) { EXPECT_CHILD(ExitWithRunning); }

void ExitWithComputing() {
  ReceivePort<int> started;
  static auto never = Isolate::Run(
      [](SendPort<int> out) {
        out.Send(1);
        for (;;) std::this_thread::yield();
      },
      started.send_port());
  (void)started.Receive(kForever);
  Done();
}
TEST_F(ShutdownTest, AProgramThatExitsWithAnIsolateThatComputesForEverEnds) {
  EXPECT_CHILD(ExitWithComputing);
}

void ExitWithPorts() {
  static ReceivePort<int> port;
  static SendPort<int> sender = port.send_port();
  port.Listen([](int) {});
  sender.Send(1);
  Done();
}
TEST_F(ShutdownTest, PortsInStaticsOutliveTheMainIsolate) { EXPECT_CHILD(ExitWithPorts); }

void StormAgainst(ShutdownMode mode) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([] {
      try {
        for (;;) (void)Isolate::Spawn([](int) { (void)Isolate::Spawn(Listen, 0); }, 0).Get();
      } catch (const Error&) {
      }
    });
  }
  while (runtime_info().isolates_started < 200) std::this_thread::yield();
  const auto report = Shutdown(mode, seconds(30));
  for (auto& thread : threads) thread.join();
  CHILD_EXPECT(report.not_drained.empty() && report.still_running.empty());
  Done();
}
TEST_F(ShutdownTest, ItWinsAgainstThreadsThatSpawn) {
  EXPECT_EXIT(StormAgainst(ShutdownMode::kDiscard), testing::ExitedWithCode(42), "");
  EXPECT_EXIT(StormAgainst(ShutdownMode::kDrain), testing::ExitedWithCode(42), "");
}

void ThreadsGo() {
  std::thread([] {}).join();  // a sanitizer starts a thread of its own with the first one
  const std::size_t before = Threads();
  for (int i = 0; i < 20; ++i) Isolate::Run([] {}).Get();
  CHILD_EXPECT(Shutdown(ShutdownMode::kDiscard, seconds(30)).still_running.empty());
  while (Threads() != before) std::this_thread::yield();  // the system may list one a little longer
  Done();
}
TEST_F(ShutdownTest, AfterItTheThreadsAreGone) { EXPECT_CHILD(ThreadsGo); }

}  // namespace
}  // namespace isolates
