// With one worker thread at a time nothing may depend on a second one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

class OneWorker : public testing::Environment {
  void SetUp() override {
    RuntimeOptions options;
    options.workers = 1;
    options.max_blocked = 8;
    ConfigureRuntime(options);
  }
};
const auto* const environment = testing::AddGlobalTestEnvironment(new OneWorker);

TEST(OneWorkerTest, AGetOnAnotherIsolateInATurnDoesNotDeadlock) {
  EXPECT_EQ(Isolate::Run([] { return Isolate::Run([] { return 1; }).Get() + 1; }).Get(), 2);
}

TEST(OneWorkerTest, TwoIsolatesThatBlockOnEachOthersMessagesEnd) {
  ReceivePort<SendPort<SendPort<int>>> ports;
  auto first = Isolate::Run(
      [](SendPort<SendPort<SendPort<int>>> out) {
        ReceivePort<SendPort<int>> port;
        out.Send(port.send_port());
        port.Receive(kForever)->Send(7);
        return 1;
      },
      ports.send_port());
  auto second = Isolate::Run(
      [](SendPort<SendPort<int>> other) {
        ReceivePort<int> port;
        other.Send(port.send_port());
        return *port.Receive(kForever);
      },
      *ports.Receive(kForever));
  EXPECT_EQ(second.Get(), 7);
  EXPECT_EQ(first.Get(), 1);
}

using Table = std::map<int, std::string>;

Task<Table> SlowTable(int rows) {
  Table table;
  for (int i = 0; i < rows; ++i) {
    table[i] = std::string(50, 's');
    co_await Delay(std::chrono::microseconds(1));
  }
  co_return table;
}

// The builder is bound to the worker that it began on; there its asker blocks.
Task<std::size_t> StartsAParcelThenBlocks() {
  auto parcel = Isolate::RunParcel(SlowTable, 20);
  co_await Delay(std::chrono::microseconds(100));
  co_return parcel.Get()->size();
}

TEST(OneWorkerTest, AGetOnAParcelThatWasBegunOnTheSameWorkerDoesNotDeadlock) {
  for (int i = 0; i < 20; ++i) {
    auto future = Isolate::Run(StartsAParcelThenBlocks);
    while (!future.ready()) {  // main keeps its processor, so that there is one worker indeed
    }
    EXPECT_EQ(future.Get(), 20U);
  }
}

TEST(OneWorkerTest, MoreBlockedIsolatesThanTheLimitGetLimitError) {
  struct Nest {
    static int Run(int depth) {
      return depth == 0 ? 0 : 1 + Isolate::Run(&Nest::Run, depth - 1).Get();
    }
  };
  EXPECT_EQ(Isolate::Run(&Nest::Run, 8).Get(), 8);
  try {
    (void)Isolate::Run(&Nest::Run, 30).Get();
    FAIL() << "no limit";
  } catch (const RemoteError& error) {
    EXPECT_THAT(error.type(), testing::HasSubstr("LimitError"));
    EXPECT_THAT(error.message(), testing::HasSubstr("co_await"));
    EXPECT_THAT(error.message(), testing::HasSubstr("max_blocked"));
  }
  // What the refused one had started goes on by itself, and ends. Then nothing stays behind.
  (void)Isolate::Current();
  while (runtime_info().isolates_live > 1) std::this_thread::yield();
  EXPECT_EQ(Isolate::Run(&Nest::Run, 8).Get(), 8);
}

// A foreign call that is announced holds up nobody, on the one worker there is.
TEST(OneWorkerTest, BlockingLetsOthersRun) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  auto reads = Isolate::Run(
      [](int fd) {
        return Blocking([fd] {
          char byte = 0;
          return read(fd, &byte, 1) == 1 ? byte : '-';
        });
      },
      ends[0]);
  // Not waiting in the library: only the worker's place is there.
  auto writes = Isolate::Run([](int fd) { return write(fd, "x", 1); }, ends[1]);
  while (!reads.ready()) std::this_thread::yield();
  EXPECT_EQ(reads.Get(), 'x');
  EXPECT_EQ(writes.Get(), 1);
  close(ends[0]);
  close(ends[1]);
}

TEST(OneWorkerTest, BlockingPassesValuesReferencesAndErrors) {
  int value = 3;
  int& same = Blocking([&value]() -> int& { return value; });
  EXPECT_EQ(&same, &value);
  EXPECT_THROW(Blocking([] { throw std::runtime_error("no"); }), std::runtime_error);
}

std::atomic<bool> hold{false};
std::atomic<bool> holding{false};
std::atomic<int> ranks{0};
std::atomic<int> urgent_rank{-1};

// The one worker is in a turn and main does not wait in the library, so isolates queue up; the
// urgent one, made last, passes them.
TEST(OneWorkerTest, AnUrgentIsolatePassesReadyOnes) {
  hold = true;
  auto holder = Isolate::Run([] {
    holding = true;
    while (hold.load()) std::this_thread::yield();
  });
  while (!holding.load()) std::this_thread::yield();
  std::vector<Future<void>> runs;
  for (int i = 0; i < 5; ++i) runs.push_back(Isolate::Run([] { ranks.fetch_add(1); }));
  runs.push_back(Isolate::Run(RunOptions().Urgent(), [] { urgent_rank = ranks.fetch_add(1); }));
  hold = false;
  while (ranks.load() < 6) std::this_thread::yield();
  // One search in sixteen begins with the others, so that they do not starve.
  EXPECT_LE(urgent_rank.load(), 1);
  for (auto& run : runs) run.Get();
  holder.Get();
}

std::atomic<bool> in_turn{false};
std::atomic<bool> go{false};
std::atomic<int> handled{0};
std::atomic<int> handled_before_urgent{-1};

// A turn may handle many messages; it ends after the one at hand when an urgent isolate is ready.
TEST(OneWorkerTest, AnUrgentIsolateDoesNotWaitForTheEndOfATurn) {
  ReceivePort<SendPort<int>> connected;
  ReceivePort<int> ended;
  Isolate::Spawn(
      [](SendPort<SendPort<int>> out) {
        ReceivePort<int> port;
        out.Send(port.send_port());
        std::move(port).Listen([](ReceivePort<int>& own, int number) {
          in_turn = true;
          while (!go.load()) std::this_thread::yield();
          // Another worker may have been free for the urgent one. (Bounded: where neither that nor
          // the end of this turn lets it run, the test is to fail and not to hang.)
          for (int i = 0; number > 1 && i < 20'000 && handled_before_urgent.load() < 0; ++i) {
            std::this_thread::yield();
          }
          handled.fetch_add(1);
          if (number == 50) own.Close();
        });
      },
      connected.send_port(), SpawnOptions().OnExit(ended.send_port(), 1))
      .Get();
  const SendPort<int> to = *connected.Receive(kForever);
  for (int i = 1; i <= 50; ++i) to.Send(int{i});
  while (!in_turn.load()) std::this_thread::yield();
  auto urgent = Isolate::Run(RunOptions().Urgent(), [] { handled_before_urgent = handled.load(); });
  go = true;
  while (handled_before_urgent.load() < 0) std::this_thread::yield();
  // Not exactly 1: one search in sixteen begins with the others, which handle one event then.
  EXPECT_LT(handled_before_urgent.load(), 50);
  urgent.Get();
  EXPECT_EQ(ended.Receive(kForever), 1);
}

}  // namespace
}  // namespace isolates
