// Nothing waits for ever: isolates that only one worker may run, that always have something to do,
// that nobody holds a handle of, and waits with a deadline while events come.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolate.h"
#include "isolates/runtime.h"

namespace isolates {
namespace {

constexpr Duration kLong = std::chrono::seconds(20);

// Builds a parcel from three messages, so that it needs several turns.
Task<std::vector<int>> BuildFromMessages(SendPort<SendPort<int>> ready) {
  ReceivePort<int> numbers;
  ready.Send(numbers.send_port());
  std::vector<int> built;
  for (int i = 0; i < 3; ++i) built.push_back((co_await numbers.Receive()).value());
  co_return built;
}

// Blocks its worker until the builder, which any worker may have begun, is done.
std::size_t WaitForBuilder() {
  ReceivePort<SendPort<int>> ready;
  auto parcel = Isolate::RunParcel(BuildFromMessages, ready.send_port());
  const SendPort<int> numbers = ready.Receive(kLong).value();
  for (int i = 0; i < 3; ++i) numbers.Send(i);
  return parcel.Get(kLong)->size();
}

TEST(LivenessTest, WaitsForBuildersEnd) {
  for (int i = 0; i < 50; ++i) {
    std::vector<Future<std::size_t>> waits;
    for (int k = 0; k < 3; ++k) waits.push_back(Isolate::Run(&WaitForBuilder));
    for (auto& wait : waits) EXPECT_EQ(wait.Get(kLong), 3u);
  }
}

// Sends itself a message for each that it receives: there is always one.
Task<> NeverIdle(SendPort<int> running) {
  ReceivePort<int> port;
  const SendPort<int> self = port.send_port();
  self.Send(0);
  running.Send(0);
  for (;;) self.Send((co_await port.Receive()).value() + 1);
}

TEST(LivenessTest, ACoroutineThatAlwaysFindsAMessageCanBeKilled) {
  ReceivePort<int> running;
  ReceivePort<int> exits;
  auto isolate =
      Isolate::Spawn(NeverIdle, running.send_port(), SpawnOptions().OnExit(exits.send_port(), 7))
          .Get();
  ASSERT_TRUE(running.Receive(kLong).has_value());
  isolate.Kill();
  EXPECT_EQ(exits.Receive(kLong), 7);
}

TEST(LivenessTest, OthersRunBesidesIsolatesThatAreNeverIdle) {
  ReceivePort<int> running;
  ReceivePort<int> exits;
  std::vector<Isolate> busy;
  const auto options = SpawnOptions().OnExit(exits.send_port(), 0);  // one notice for all
  for (int i = 0; i < 4; ++i) {
    busy.push_back(Isolate::Spawn(NeverIdle, running.send_port(), options).Get());
    ASSERT_TRUE(running.Receive(kLong).has_value());
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Isolate::Run([](int x) { return x + 1; }, i).Get(kLong), i + 1);
  }
  for (const Isolate& isolate : busy) isolate.Kill();
  for (std::size_t i = 0; i < busy.size(); ++i) EXPECT_TRUE(exits.Receive(kLong).has_value());
}

constexpr int kMany = 65;  // more than a turn handles

Task<> Count(int& handled, const bool& stop, Completer<int>& many) {
  ReceivePort<int> port;
  const SendPort<int> self = port.send_port();
  self.Send(0);
  while (!stop) {
    (void)co_await port.Receive();
    if (++handled == kMany) many.Complete(1);
    self.Send(0);
  }
}

TEST(LivenessTest, ATurnEndsAlsoIfACoroutineAlwaysFindsAMessage) {
  int handled = 0;
  bool stop = false;
  Completer<int> many;
  auto future = many.future();
  auto counting = Start(Count(handled, stop, many));
  EXPECT_EQ(future.Get(kLong), 1);  // looks after each turn
  EXPECT_LE(handled, 2 * kMany);
  stop = true;
  counting.Get(kLong);
}

TEST(LivenessTest, ADeadlineIsKeptWhileEventsCome) {
  ReceivePort<int> port;
  const SendPort<int> self = port.send_port();
  bool stop = false;
  port.Listen([&](int) {
    if (!stop) self.Send(0);
  });
  self.Send(0);
  Completer<int> never;
  auto future = never.future();
  EXPECT_FALSE(future.WaitFor(std::chrono::milliseconds(20)));
  stop = true;
  never.Complete(1);
  EXPECT_EQ(future.Get(kLong), 1);
}

// Last: the isolates stay until the shutdown.
TEST(LivenessTest, IsolatesThatNobodyHoldsCanStillBeEnded) {
  ReceivePort<int> exits;
  constexpr int kIsolates = 20;
  for (int i = 0; i < kIsolates; ++i) {
    (void)Isolate::Spawn([](int) {}, 1, SpawnOptions().Paused().OnExit(exits.send_port(), i)).Get();
  }
  EXPECT_GE(LiveIsolates().size(), static_cast<std::size_t>(kIsolates));
  EXPECT_TRUE(Shutdown(ShutdownMode::kDiscard, kLong).still_running.empty());
  for (int i = 0; i < kIsolates; ++i) EXPECT_TRUE(exits.Receive(kLong).has_value());
}

}  // namespace
}  // namespace isolates
