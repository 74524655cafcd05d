// That nothing can happen any more is found and told; that something may, is never mistaken for it.
//
// The first tests let the runtime look by itself, each in a process of its own, which ends in the
// handler. The others look themselves, so that no time has to pass.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "src/runtime/runtime_impl.h"

namespace isolates {
namespace {

using internal::BlockedWait;
using internal::Runtime;
using std::chrono::hours;

// --- the runtime looks

DeadlockHandler default_handler = nullptr;

[[noreturn]] void ReportAndExit(const DeadlockReport& report) {
  default_handler(report);
  std::_Exit(42);
}
// The usual end of a program shuts the runtime down, whose thread this is.
[[noreturn]] void ReportAndExitAsUsual(const DeadlockReport& report) {
  default_handler(report);
  std::exit(42);
}

// The child never comes back from `function` but through the handler.
template <class Function>
[[noreturn]] void UntilReported(Function function, DeadlockHandler handler = &ReportAndExit) {
  default_handler = SetDeadlockHandler(handler);
  function();
  std::_Exit(1);
}

class DeadlockTest : public testing::Test {
 protected:
  DeadlockTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(DeadlockTest, AMainThreadThatReceivesFromAPortThatNobodyHolds) {
  EXPECT_EXIT(UntilReported([] {
                ReceivePort<int> port("nobody holds");
                (void)port.Receive(kForever);
              }),
              testing::ExitedWithCode(42),
              "nothing can happen any more, unless .*\n  isolate 'main' \\(blocked\\), kept alive "
              "by a wait for a message on port 'nobody holds'");
}

int WaitForMessageThenSend(SendPort<SendPort<int>> out) {
  ReceivePort<int> port("the first one's");
  out.Send(port.send_port());
  return port.Receive(kForever).value();
}

int WaitForTheOther(SendPort<int> unused) {
  ReceivePort<SendPort<int>> ports;
  auto other =
      Isolate::Run(RunOptions().DebugName("first"), WaitForMessageThenSend, ports.send_port());
  const SendPort<int> to_it = ports.Receive(kForever).value();
  const int result = other.Get();
  to_it.Send(int{result});
  unused.Send(1);
  return result;
}

TEST_F(DeadlockTest, TheHandlerMayEndTheProgram) {
  EXPECT_EXIT(UntilReported(
                  [] {
                    ReceivePort<int> port;
                    (void)port.Receive(kForever);
                  },
                  &ReportAndExitAsUsual),
              testing::ExitedWithCode(42), "nothing can happen any more");
}

TEST_F(DeadlockTest, TwoIsolatesThatWaitForEachOther) {
  EXPECT_EXIT(UntilReported([] {
                ReceivePort<int> port;
                (void)Isolate::Run(RunOptions().DebugName("second"), WaitForTheOther,
                                   port.send_port())
                    .Get();
              }),
              testing::ExitedWithCode(42),
              "'second' \\(blocked\\), kept alive by a wait for a result.*\n.*'first' "
              "\\(blocked\\), kept alive by a wait for a message on port 'the first one's'");
}

Task<int> AwaitNobody() {
  ReceivePort<int> port("never sent to");
  co_return (co_await port.Receive()).value();
}

TEST_F(DeadlockTest, AThreadThatWaitsForAnIsolateThatAwaits) {
  EXPECT_EXIT(
      UntilReported(
          [] { (void)Isolate::Run(RunOptions().DebugName("idle one"), AwaitNobody).Get(); }),
      testing::ExitedWithCode(42),
      "'idle one' \\(idle\\), kept alive by port 'never sent to'\n.*the main thread \\(blocked\\), "
      "in a wait for a result");
}

void RunMainBesideStuckIsolate() {
  RunMain([] {
    static ReceivePort<int> listens("main's");
    listens.Listen([](int) {});
    (void)Isolate::Spawn([](int) { (void)ReceivePort<int>("stuck").Receive(kForever); }, 0).Get();
  });
}

TEST_F(DeadlockTest, AnIsolateThatWaitsWhileMainIsIdle) {
  EXPECT_EXIT(
      UntilReported(RunMainBesideStuckIsolate), testing::ExitedWithCode(42),
      "'main' \\(idle\\), kept alive by its thread.*\n.*a wait for a message on port 'stuck'");
}

// The main thread comes to its loop when the runtime has looked already.
void RunMainLate() {
  alarm(30);
  (void)Isolate::Spawn([](int) { (void)ReceivePort<int>("stuck").Receive(kForever); }, 0).Get();
  while (Runtime::Get().standstill_looks() == 0) std::this_thread::yield();
  RunMain([] {
    static ReceivePort<int> listens("main's");
    listens.Listen([](int) {});
  });
}

TEST_F(DeadlockTest, AMainThreadThatComesToItsLoopLater) {
  EXPECT_EXIT(UntilReported(RunMainLate), testing::ExitedWithCode(42),
              "a wait for a message on port 'stuck'");
}

// While one thread waits without end, another gives up its own wait, and ends.
void WaitBesideAThreadThatGivesUp() {
  alarm(30);
  Completer<int> completer;
  std::thread([future = completer.future()]() mutable {
    (void)future.WaitFor(std::chrono::milliseconds(1500));
  }).detach();
  (void)ReceivePort<int>("nobody holds").Receive(kForever);
}

TEST_F(DeadlockTest, AThreadThatHasGivenUp) {
  EXPECT_EXIT(UntilReported(WaitBesideAThreadThatGivesUp), testing::ExitedWithCode(42),
              "a wait for a message on port 'nobody holds'");
}

// --- the test looks

bool Waits(const std::string& subject) {
  const auto all = BlockedWait::All(Runtime::Get());
  return std::any_of(all.waits.begin(), all.waits.end(),
                     [&](const auto& wait) { return wait.subject == subject; });
}

// The main thread waits without end while `observe` runs.
void WhileMainWaits(const std::function<void()>& observe) {
  ReceivePort<int> port("main's");
  std::thread observer([&observe, to = port.send_port()] {
    while (!Waits("a message on port 'main's'")) std::this_thread::yield();
    observe();
    to.Send(1);
  });
  EXPECT_EQ(port.Receive(kForever), 1);
  observer.join();
}

// Two looks that say the same; so there is a standstill, sooner or later.
void AwaitStandstill() {
  for (std::optional<Runtime::Standstill> last;;) {
    const auto look = Runtime::Get().LookForStandstill();
    if (look.has_value() && look == last) return;
    last = look;
    std::this_thread::yield();
  }
}

TEST(StandstillTest, WhereAllWaitItIsFound) { WhileMainWaits(AwaitStandstill); }

// A main thread that is no isolate, beside one that waits without end.
[[noreturn]] void LookFromMain() {
  (void)Isolate::Spawn([](int) { (void)ReceivePort<int>("stuck").Receive(kForever); }, 0).Get();
  while (!Waits("a message on port 'stuck'")) std::this_thread::yield();
  for (int i = 0; i < 1000; ++i) {
    if (Runtime::Get().LookForStandstill().has_value()) std::_Exit(1);
  }
  std::_Exit(42);
}

TEST(StandstillDeathTest, NotWhileTheMainThreadDoesSomethingElse) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(LookFromMain(), testing::ExitedWithCode(42), "");
}

std::atomic<bool> running{false};
std::atomic<bool> run{false};

TEST(StandstillTest, NotWhileAnIsolateRuns) {
  run = true;
  running = false;
  auto runs = Isolate::Run([] {
    running = true;
    while (run.load()) std::this_thread::yield();
  });
  while (!running.load()) std::this_thread::yield();
  WhileMainWaits([] {
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(Runtime::Get().LookForStandstill().has_value());
    run = false;
    AwaitStandstill();
  });
  runs.Get();
}

TEST(StandstillTest, NotDuringAForeignCall) {
  run = true;
  running = false;
  auto runs = Isolate::Run([] {
    Blocking([] {
      running = true;
      while (run.load()) std::this_thread::yield();
    });
  });
  while (!running.load()) std::this_thread::yield();
  WhileMainWaits([] {
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(Runtime::Get().LookForStandstill().has_value());
    run = false;
    AwaitStandstill();
  });
  runs.Get();
}

TEST(StandstillTest, NotWhileATimerIsPending) {
  const auto isolate = Isolate::Spawn([](int) -> Task<> { co_await Delay(hours(1)); }, 0).Get();
  const auto delays = [] {
    const auto live = LiveIsolates();
    return std::any_of(live.begin(), live.end(), [](const LiveIsolate& one) {
      return one.kept_by == std::vector<std::string>{"1 timer"};
    });
  };
  while (!delays()) std::this_thread::yield();
  WhileMainWaits([&isolate] {
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(Runtime::Get().LookForStandstill().has_value());
    isolate.Kill();
    AwaitStandstill();
  });
}

TEST(StandstillTest, NotWhileAWaitHasADeadline) {
  Completer<int> completer;
  std::thread waits([future = completer.future()]() mutable { (void)future.WaitFor(hours(1)); });
  while (!Waits("a result")) std::this_thread::yield();
  WhileMainWaits([] {
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(Runtime::Get().LookForStandstill().has_value());
  });
  completer.Complete(1);
  waits.join();
}

TEST(StandstillTest, NotWhileAnEventLoopMayWaitForADescriptor) {
  auto loop = EventLoop::Create(
      [](int) {
        ReceivePort<int> port;
        std::move(port).Listen([](int) {});
      },
      0);
  while (loop.HandleEvent()) {
  }
  WhileMainWaits([] {
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(Runtime::Get().LookForStandstill().has_value());
  });
}

void ListenForEver(int) {
  ReceivePort<int> port;
  std::move(port).Listen([](int) {});
}

// An isolate that was idle in both looks, and not in between.
TEST(StandstillTest, TwoLooksDifferIfSomethingHappenedBetweenThem) {
  const auto isolate = Isolate::Spawn(ListenForEver, 0).Get();
  ReceivePort<int> pings;
  isolate.Ping(pings.send_port(), 1);
  (void)pings.Receive(kForever);
  WhileMainWaits([&isolate] {
    AwaitStandstill();
    const auto first = Runtime::Get().LookForStandstill();
    const Capability pause = isolate.Pause();
    isolate.Resume(pause);
    AwaitStandstill();
    const auto second = Runtime::Get().LookForStandstill();
    EXPECT_TRUE(first.has_value());
    EXPECT_TRUE(second.has_value());
    EXPECT_FALSE(first == second);
  });
  isolate.Kill();
}

}  // namespace
}  // namespace isolates
