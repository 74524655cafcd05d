// Storms over the whole library: fan-in, spawns and kills, ports that close while others send,
// threads that come and go. Small under sanitizers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "isolates/isolates.h"
#include "tests/stress/storms.h"

namespace isolates {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kScale = 1;
#else
constexpr int kScale = 10;
#endif

// No isolate but the thread's own is left.
void ExpectAllEnd() {
  while (runtime_info().isolates_live > 1) std::this_thread::yield();
  EXPECT_THAT(LiveIsolates(), testing::SizeIs(testing::Le(1)));
}

TEST(StormTest, FanInOfManyIsolatesLosesNothingAndKeepsEachOrder) {
  FanIn(40, 100 * kScale);
  ExpectAllEnd();
}

TEST(StormTest, SpawnsExitsAndKillsWhileOthersSend) {
  SpawnExitKill(60 * kScale, 2000);
  ExpectAllEnd();
}

TEST(StormTest, ThreadsComeAndGoWithPortsOfTheirOwn) {
  ReceivePort<int> exits;
  exits.Listen([](int) {});
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, sender = exits.send_port()] {
      for (int i = 0; i < 20 * kScale; ++i) {
        std::thread([&] {
          Isolate::Current().AddOnExitListener(sender, i);
          ReceivePort<int> port;
          auto future = Isolate::Run([](SendPort<int> to) { to.Send(4); }, port.send_port());
          EXPECT_EQ(port.Receive(kForever), 4);
          future.Get();
        }).join();
      }
      done.fetch_add(1);
    });
  }
  while (done.load() < 4) Isolate::Run([] {}).Get();
  for (auto& thread : threads) thread.join();
  exits.Close();
  ExpectAllEnd();
}

TEST(StormTest, TreesOfIsolatesThatAwait) {
  for (int i = 0; i < 3 * kScale; ++i) EXPECT_EQ(Isolate::Run(Tree, 5).Get(), 32);
}

TEST(StormTest, TreesOfIsolatesThatBlock) {
  for (int i = 0; i < 3 * kScale; ++i) EXPECT_EQ(Isolate::Run(BlockingTree, 4).Get(), 16);
}

TEST(StormTest, CoroutineParcelsBesideBlockingRuns) { ParcelsAndTrees(5 * kScale, 6); }

}  // namespace
}  // namespace isolates
