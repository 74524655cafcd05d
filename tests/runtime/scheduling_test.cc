// A Run that computes, blocks or sleeps does not stop the others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

std::atomic<bool> flag{false};

TEST(SchedulingTest, AComputingRunDoesNotStopALaterOne) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "needs two processors";
  for (int round = 0; round < 20; ++round) {
    flag = false;
    auto spins = Isolate::Run([] {
      while (!flag.load()) {
      }
      return 1;
    });
    auto sets = Isolate::Run([] { flag = true; });
    EXPECT_EQ(spins.Get(), 1);  // main waits: its processor is free
    sets.Get();
  }
}

TEST(SchedulingTest, AComputingCoroutineDoesNotStopOthersOfItsWorker) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "needs two processors";
  flag = false;
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.push_back(Isolate::Run(
        [](int n) -> Task<int> {
          co_await Delay(std::chrono::microseconds(1));
          co_return n;
        },
        i));
  }
  auto spins = Isolate::Run([] {
    while (!flag.load()) {
    }
  });
  EXPECT_EQ(WhenAll(std::move(waiting)).Get().size(), 8U);
  flag = true;
  spins.Get();
}

int ReadByte(int fd) {
  char byte = 0;
  return read(fd, &byte, 1) == 1 ? byte : -1;
}

TEST(SchedulingTest, RunsThatBlockInForeignCallsDoNotStopALaterOne) {
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  const int readers = 3 * static_cast<int>(runtime_info().cpus.size());
  std::vector<Future<int>> reads;
  for (int i = 0; i < readers; ++i) reads.push_back(Isolate::Run(ReadByte, pipe_ends[0]));
  auto writer = Isolate::Run(
      [](int fd, int count) {
        const std::string bytes(static_cast<std::size_t>(count), 'x');
        return write(fd, bytes.data(), bytes.size());
      },
      pipe_ends[1], readers);
  for (auto& byte : reads) EXPECT_EQ(byte.Get(), 'x');
  EXPECT_EQ(writer.Get(), readers);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST(SchedulingTest, ManyIsolatesThatBlockInGetAllEnd) {
  std::vector<Future<int>> outer;
  for (int i = 0; i < 60; ++i) {
    outer.push_back(Isolate::Run([](int n) { return Isolate::Run([n] { return n; }).Get(); }, i));
  }
  const auto results = WhenAll(std::move(outer)).Get();
  for (int i = 0; i < 60; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
}

TEST(SchedulingTest, PlainThreadsUseTheLibraryAtTheSameTime) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(Isolate::Run([](int a, int b) { return a * b; }, t, i).Get(), t * i);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(SchedulingTest, TheMainThreadGoesToSleepAndComesBackManyTimes) {
  for (int i = 0; i < 3000; ++i) EXPECT_EQ(Isolate::Run([](int n) { return n; }, i).Get(), i);
}

TEST(RuntimeInfoTest, ItCountsIsolates) {
  const auto before = runtime_info();
  EXPECT_GE(before.cpus.size(), 2U);
  for (int i = 0; i < 10; ++i) Isolate::Run([] {}).Get();
  const auto after = runtime_info();
  EXPECT_EQ(after.isolates_started, before.isolates_started + 10);
  EXPECT_GE(after.threads, 1U);
}

TEST(LiveIsolatesTest, TheyAreListedWithTheirNames) {
  ReceivePort<int> exits;
  const auto isolate = Isolate::Spawn(
                           [](int) {
                             ReceivePort<int> port;
                             std::move(port).Listen([](int) {});
                           },
                           0, SpawnOptions().DebugName("the listener").OnExit(exits.send_port(), 1))
                           .Get();
  ReceivePort<int> pings;
  isolate.Ping(pings.send_port(), 1);
  (void)pings.Receive(kForever);
  EXPECT_THAT(LiveIsolates(),
              testing::Contains(testing::Field(&LiveIsolate::name, "the listener")));
  isolate.Kill();
  (void)exits.Receive(kForever);
  while (runtime_info().isolates_live > 1) std::this_thread::yield();
  EXPECT_THAT(LiveIsolates(),
              testing::Not(testing::Contains(testing::Field(&LiveIsolate::name, "the listener"))));
}

TEST(TrimTest, TrimWhileIsolatesRunBreaksNothing) {
  for (int i = 0; i < 20; ++i) {
    auto future =
        Isolate::Run([] { return std::vector<std::string>(1000, std::string(100, 't')); });
    Trim();
    EXPECT_EQ(future.Get().size(), 1000U);
  }
}

TEST(ConfigureTest, AfterTheFirstUseItIsRefused) {
  (void)runtime_info();
  EXPECT_THROW(ConfigureRuntime(RuntimeOptions{}), StateError);
}

}  // namespace
}  // namespace isolates
