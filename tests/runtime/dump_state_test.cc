// The dump says what everything is at, on a call and on a signal.

#include "isolates/dump_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>

#include "isolates/detail/instruments.h"
#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

std::string Dump() {
  std::ostringstream text;
  DumpState(text);
  return text.str();
}

// Where there are counters.
constexpr bool kCounts = internal::kInstruments;

// The dump, as soon as it matches.
template <class Matcher>
std::string AwaitDump(const Matcher& matcher) {
  for (;;) {
    std::string dump = Dump();
    if (testing::Value(dump, matcher)) return dump;
    std::this_thread::yield();
  }
}

std::atomic<bool> spins{false};
std::atomic<bool> released{false};

void SpinUntilReleased() {
  spins = true;
  while (!released.load()) std::this_thread::yield();
  spins = false;
}

Future<void> SpinIn(const std::string& name) {
  released = false;
  auto end = Isolate::Run(RunOptions().DebugName(name), SpinUntilReleased);
  while (!spins.load()) std::this_thread::yield();
  return end;
}

TEST(DumpStateTest, ARunningIsolateIsShownWithItsWorker) {
  auto end = SpinIn("spinner");
  const std::string dump = Dump();
  EXPECT_THAT(dump, ContainsRegex("isolates: [0-9]+ live, [0-9]+ started\n"));
  EXPECT_THAT(dump,
              ContainsRegex("  [0-9]+: isolate 'spinner' \\(running\\).*, on worker [0-9]+\n"));
  EXPECT_THAT(dump,
              ContainsRegex("  worker [0-9]+, thread [0-9]+, processor [0-9]+: runs isolate [0-9]+ "
                            "'spinner'\n"));
  released = true;
  end.Get();
  (void)AwaitDump(Not(HasSubstr("spinner")));
}

TEST(DumpStateTest, AnIdleOneTellsWhatKeepsIt) {
  const auto isolate = Isolate::Spawn(
                           [](int) {
                             ReceivePort<int> port("orders");
                             std::move(port).Listen([](int) {});
                           },
                           0, SpawnOptions().DebugName("listener"))
                           .Get();
  const std::string dump =
      AwaitDump(HasSubstr("isolate 'listener' (idle), kept alive by port 'orders'\n"));
  if (kCounts) {
    EXPECT_THAT(dump,
                ContainsRegex("kept alive by port 'orders'\n      [0-9]+ turns, [0-9]+ ms; "
                              "waited [0-9]+ ms; received 0, sent [0-9]+\n      port [0-9]+ "
                              "'orders': 0 waited at the last look, 0 at most; received 0\n"));
  }
  isolate.Kill(ControlPriority::kImmediate);
  (void)isolate.Ended().Get();
}

TEST(DumpStateTest, ABlockedOneTellsWhatItWaitsFor) {
  const auto isolate =
      Isolate::Spawn([](int) { (void)ReceivePort<int>("questions").Receive(kForever); }, 0,
                     SpawnOptions().DebugName("asked"))
          .Get();
  AwaitDump(AllOf(ContainsRegex("isolate 'asked' \\(blocked\\), kept alive by a wait for a message "
                                "on port 'questions', on worker"),
                  ContainsRegex("worker [0-9]+, thread [0-9]+: waits in a turn of isolate [0-9]+ "
                                "'asked'")));
  isolate.Kill(ControlPriority::kImmediate);
  (void)isolate.Ended().Get();
}

TEST(DumpStateTest, AThreadThatWaitsIsTold) {
  Completer<int> completer;
  std::thread waits([future = completer.future()]() mutable { future.Get(); });
  AwaitDump(HasSubstr("threads that wait:\n  a thread (blocked), in a wait for a result\n"));
  completer.Complete(1);
  waits.join();
}

TEST(DumpStateTest, AnIsolateMayAskForIt) {
  const std::string dump =
      Isolate::Run(RunOptions().DebugName("asks"), [] { return Dump(); }).Get();
  EXPECT_THAT(dump, HasSubstr("isolate 'asks' (running)"));
}

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// All workers are stuck; the dump comes nevertheless.
TEST(DumpOnSignalTest, TheSignalAppendsADump) {
  const std::string path = testing::TempDir() + "/dump";
  unlink(path.c_str());
  DumpOnSignal(SIGUSR2, path);
  auto end = SpinIn("stuck");
  raise(SIGUSR2);
  while (!testing::Value(Read(path), ContainsRegex("messages never received: [0-9]+\n"))) {
    std::this_thread::yield();
  }
  const std::string first = Read(path);
  EXPECT_THAT(first, HasSubstr("isolate 'stuck' (running)"));
  raise(SIGUSR2);
  while (Read(path).size() < first.size() + 100) std::this_thread::yield();
  EXPECT_EQ(Read(path).substr(0, first.size()), first);
  released = true;
  end.Get();
}

TEST(DumpOnSignalTest, ThePathMayChange) {
  const std::string former = testing::TempDir() + "/former";
  const std::string path = testing::TempDir() + "/another";
  unlink(former.c_str());
  unlink(path.c_str());
  DumpOnSignal(SIGUSR2, former);
  DumpOnSignal(SIGUSR2, path);
  raise(SIGUSR2);
  while (!testing::Value(Read(path), HasSubstr("messages never received"))) {
    std::this_thread::yield();
  }
  EXPECT_NE(access(former.c_str(), F_OK), 0);
}

TEST(DumpOnSignalTest, ASignalThatNobodyCanHandleIsRefused) {
  EXPECT_THROW(DumpOnSignal(SIGKILL, "/tmp/never"), StateError);
  EXPECT_THROW(DumpOnSignal(-1, "/tmp/never"), StateError);
}

}  // namespace
}  // namespace isolates
