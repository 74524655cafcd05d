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
  const auto report = Shutdown(seconds(30));
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
  CHILD_EXPECT(Shutdown(seconds(1)).still_running.empty());
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
  const auto report = Shutdown(milliseconds(50));
  CHILD_EXPECT(report.still_running == std::vector<std::string>{"stuck one"});
  release = true;
  Done();
}
TEST_F(ShutdownTest, TheReportNamesWhatWouldNotEnd) { EXPECT_CHILD(Stuck); }

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

void Storm() {
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
  const auto report = Shutdown(seconds(30));
  for (auto& thread : threads) thread.join();
  CHILD_EXPECT(report.still_running.empty());
  Done();
}
TEST_F(ShutdownTest, ItWinsAgainstThreadsThatSpawn) { EXPECT_CHILD(Storm); }

void ThreadsGo() {
  std::thread([] {}).join();  // a sanitizer starts a thread of its own with the first one
  const std::size_t before = Threads();
  for (int i = 0; i < 20; ++i) Isolate::Run([] {}).Get();
  CHILD_EXPECT(Shutdown(seconds(30)).still_running.empty());
  while (Threads() != before) std::this_thread::yield();  // the system may list one a little longer
  Done();
}
TEST_F(ShutdownTest, AfterItTheThreadsAreGone) { EXPECT_CHILD(ThreadsGo); }

}  // namespace
}  // namespace isolates
