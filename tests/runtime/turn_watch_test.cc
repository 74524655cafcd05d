// A turn that is stuck is told, with the place where it is; others are not.
//
// Time is moved by hand: it passes when a look is to find something, and not otherwise.

#include "isolates/turn_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "src/runtime/runtime_impl.h"

namespace isolates {
namespace {

using internal::Runtime;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Duration kLimit = seconds(1);

const std::shared_ptr<ManualClock> the_clock = [] {
  auto clock = std::make_shared<ManualClock>();
  RuntimeOptions options;
  options.clock = clock;
  ConfigureRuntime(options);
  return clock;
}();

// What has been told.
std::mutex told_mutex;
std::vector<StuckTurn> told_turns;

void Note(const StuckTurn& turn) {
  const std::lock_guard lock(told_mutex);
  told_turns.push_back(turn);
}
std::vector<StuckTurn> Told() {
  const std::lock_guard lock(told_mutex);
  return told_turns;
}

// Moves time, and waits until the runtime has looked since.
void AdvanceAndLook(Duration by) {
  const auto before = Runtime::Get().turn_watch().looks();
  the_clock->Advance(by);
  while (Runtime::Get().turn_watch().looks() == before) std::this_thread::yield();
}

StuckTurn AwaitTold(std::size_t number) {
  for (;;) {
    const auto turns = Told();
    if (turns.size() > number) return turns[number];
    AdvanceAndLook(kLimit);
  }
}

class TurnWatchTest : public testing::Test {
 protected:
  TurnWatchTest() {
    told_turns.clear();
    WatchTurns(kLimit, &Note);
  }
  ~TurnWatchTest() override {
    WatchTurns(kLimit, {});
    EXPECT_EQ(Told().size(), expected_);
  }
  std::size_t expected_ = 0;
};

std::atomic<bool> spins{false};
std::atomic<bool> released{false};

[[gnu::noinline]] void SpinUntilReleased() {
  spins = true;
  while (!released.load()) std::this_thread::yield();
  spins = false;
}

Future<void> SpinIn(std::string name) {
  released = false;
  auto end = Isolate::Run(RunOptions().DebugName(std::move(name)), SpinUntilReleased);
  while (!spins.load()) std::this_thread::yield();
  return end;
}

TEST_F(TurnWatchTest, AStuckTurnIsToldWithItsPlace) {
  auto end = SpinIn("stuck");
  const StuckTurn turn = AwaitTold(0);
  released = true;
  end.Get();
  expected_ = 1;
  EXPECT_EQ(turn.isolate_name, "stuck");
  EXPECT_GT(turn.isolate_id, 0U);
  EXPECT_GT(turn.worker, 0);
  EXPECT_GE(turn.lasted, kLimit);
  EXPECT_THAT(turn.stack, Contains(HasSubstr("SpinUntilReleased() + ")));
  EXPECT_THAT(ToString(turn), testing::AllOf(testing::StartsWith("isolate 'stuck' ("),
                                             HasSubstr(") has been in one turn on worker "),
                                             HasSubstr("\n  at isolates::SpinUntilReleased() + ")));
}

TEST_F(TurnWatchTest, ItIsToldOnce) {
  auto end = SpinIn("stuck");
  (void)AwaitTold(0);
  for (int i = 0; i < 10; ++i) AdvanceAndLook(kLimit);
  released = true;
  end.Get();
  expected_ = 1;
}

TEST_F(TurnWatchTest, EachStuckTurnIsTold) {
  for (const char* name : {"one", "two", "three"}) {
    auto end = SpinIn(name);
    EXPECT_EQ(AwaitTold(expected_).isolate_name, name);
    released = true;
    end.Get();
    ++expected_;
  }
}

TEST_F(TurnWatchTest, ATurnBelowTheLimitIsNotTold) {
  auto end = SpinIn("busy");
  for (int i = 0; i < 9; ++i) AdvanceAndLook(kLimit / 10);
  released = true;
  end.Get();
}

TEST_F(TurnWatchTest, ATurnThatWaitsIsNotTold) {
  auto end = Isolate::Run(RunOptions().DebugName("waits"), [] {
    EXPECT_THROW((void)ReceivePort<int>("nothing").Receive(std::chrono::hours(5)), TimeoutError);
  });
  const auto waits = [] {
    for (const LiveIsolate& isolate : LiveIsolates()) {
      if (isolate.name == "waits") return isolate.state == LiveIsolate::State::kBlocked;
    }
    return false;
  };
  while (!waits()) std::this_thread::yield();
  for (int i = 0; i < 10; ++i) AdvanceAndLook(kLimit);
  the_clock->Advance(std::chrono::hours(5));
  end.Get();
}

void Answer(SendPort<SendPort<int>> connect, SendPort<int> out) {
  ReceivePort<int> port("questions");
  connect.Send(port.send_port());
  while (const int question = port.Receive(kForever).value()) out.Send(int{question});
}

// Its only turn lasts for long, but it goes on between the looks.
TEST_F(TurnWatchTest, ATurnThatGoesOnIsNotTold) {
  ReceivePort<SendPort<int>> connect;
  ReceivePort<int> answers;
  auto end = Isolate::Run(RunOptions().DebugName("answers"), Answer, connect.send_port(),
                          answers.send_port());
  const SendPort<int> questions = connect.Receive(kForever).value();
  for (int i = 1; i < 20; ++i) {
    questions.Send(int{i});
    EXPECT_EQ(answers.Receive(kForever), i);
    AdvanceAndLook(kLimit / 10 * 9);
  }
  questions.Send(0);
  end.Get();
}

std::atomic<int> steps_asked{0};
std::atomic<int> steps_made{0};

// It takes a message for each step that it is asked for, and they are all there: it never sleeps.
void TakeWhatIsThere() {
  ReceivePort<int> port("full");
  for (int i = 0; i < 20; ++i) port.send_port().Send(int{i});
  for (int i = 0; i < 20; ++i) {
    while (steps_asked.load() <= i) std::this_thread::yield();
    (void)port.Receive(kForever);
    steps_made = i + 1;
  }
}

TEST_F(TurnWatchTest, ATurnThatFindsItsMessagesThereIsNotTold) {
  steps_asked = steps_made = 0;
  auto end = Isolate::Run(RunOptions().DebugName("takes"), TakeWhatIsThere);
  for (int i = 1; i <= 20; ++i) {
    AdvanceAndLook(kLimit / 10 * 9);
    steps_asked = i;
    while (steps_made.load() < i) std::this_thread::yield();
  }
  end.Get();
}

TEST_F(TurnWatchTest, AThreadThatDoesNotAnswerIsToldWithoutAPlace) {
  released = false;
  auto end = Isolate::Run(RunOptions().DebugName("deaf"), [] {
    sigset_t signals;
    sigset_t before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGURG);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    SpinUntilReleased();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);  // what was sent comes now, too late
  });
  while (!spins.load()) std::this_thread::yield();
  const StuckTurn turn = AwaitTold(0);
  EXPECT_EQ(turn.isolate_name, "deaf");
  EXPECT_THAT(turn.stack, IsEmpty());
  released = true;
  end.Get();
  // The next one is told as ever.
  auto next = SpinIn("next");
  EXPECT_THAT(AwaitTold(1).stack, Contains(HasSubstr("SpinUntilReleased() + ")));
  released = true;
  next.Get();
  expected_ = 2;
}

TEST_F(TurnWatchTest, WhatTheFunctionThrowsIsLost) {
  static std::atomic<int> calls{0};
  WatchTurns(kLimit, [](const StuckTurn&) {
    ++calls;
    throw 1;
  });
  auto end = SpinIn("stuck");
  while (calls.load() == 0) AdvanceAndLook(kLimit);
  released = true;
  end.Get();
}

TEST_F(TurnWatchTest, ALimitMustBePositive) {
  EXPECT_THROW(WatchTurns(Duration::zero(), &Note), StateError);
}

// Without the watch the same turn goes by unseen: it is the watch that tells.
TEST(TurnWatchOffTest, NothingIsTold) {
  told_turns.clear();
  WatchTurns(kLimit, &Note);
  WatchTurns(kLimit, {});
  auto end = SpinIn("stuck");
  for (int i = 0; i < 3; ++i) {
    // A round of the thread that would look.
    auto round = Start([]() -> Task<> { co_await Delay(kLimit); }());
    the_clock->Advance(2 * kLimit);
    round.Get();
  }
  released = true;
  end.Get();
  EXPECT_THAT(Told(), IsEmpty());
}

std::atomic<int> foreign_signals{0};

TEST(TurnWatchSignalTest, ASignalOfOthersGoesWhereItWent) {
  // In a process of its own, where the program's handler was there first.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        signal(SIGURG, [](int) { ++foreign_signals; });
        WatchTurns(kLimit, &Note);
        raise(SIGURG);
        std::_Exit(foreign_signals.load() == 1 ? 42 : 1);
      },
      testing::ExitedWithCode(42), "");
}

}  // namespace
}  // namespace isolates
