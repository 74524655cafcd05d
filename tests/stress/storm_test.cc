// Storms over the whole library: fan-in, spawns and kills, ports that close while others send,
// threads that come and go. Small under sanitizers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

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

struct Numbered {
  int sender = 0;
  int number = 0;
};

Task<> SendNumbers(std::pair<int, SendPort<Numbered>> job) {
  for (int i = 0; i < 100 * kScale; ++i) {
    job.second.Send(Numbered{job.first, i});
    if (i % 64 == 0) co_await Delay(Duration::zero());
  }
}

TEST(StormTest, FanInOfManyIsolatesLosesNothingAndKeepsEachOrder) {
  constexpr int kSenders = 40;
  ReceivePort<Numbered> port;
  for (int s = 0; s < kSenders; ++s) {
    Isolate::Spawn(SendNumbers, std::make_pair(s, port.send_port())).Get();
  }
  std::vector<int> next(kSenders, 0);
  for (int taken = 0; taken < kSenders * 100 * kScale; ++taken) {
    const auto message = port.Receive(kForever);
    ASSERT_EQ(message->number, next[static_cast<std::size_t>(message->sender)]++);
  }
  ExpectAllEnd();
}

void Serve(SendPort<SendPort<std::string>> out) {
  ReceivePort<std::string> port;
  out.Send(port.send_port());
  std::move(port).Listen([](ReceivePort<std::string>& self, std::string text) {
    if (text == "exit") Isolate::Exit();
    if (text == "close") self.Close();
  });
}

TEST(StormTest, SpawnsExitsAndKillsWhileOthersSend) {
  ReceivePort<int> exits;
  ReceivePort<SendPort<std::string>> ports;
  ReceivePort<SendPort<std::string>> nobodys;
  const int rounds = 60 * kScale;
  int expected = 0;
  for (int round = 0; round < rounds; ++round) {
    const bool kill_at_once = round % 5 == 0;  // before it has run, perhaps
    const auto isolate = Isolate::Spawn(Serve, (kill_at_once ? nobodys : ports).send_port(),
                                        SpawnOptions().OnExit(exits.send_port(), 1))
                             .Get();
    ++expected;
    if (kill_at_once) {
      isolate.Kill(round % 2 == 0 ? ControlPriority::kImmediate
                                  : ControlPriority::kBeforeNextEvent);
      continue;
    }
    const auto port = *ports.Receive(kForever);
    auto sends = Isolate::Run(
        [](SendPort<std::string> to) {
          int accepted = 0;
          while (accepted < 2000 && to.Send(std::string(60, 's')) == SendResult::kAccepted)
            ++accepted;
          return accepted;
        },
        port);
    switch (round % 4) {
      case 0:
        port.Send("exit");
        break;
      case 1:
        port.Send("close");
        break;
      case 2:
        isolate.Kill(ControlPriority::kImmediate);
        break;
      case 3:
        isolate.Pause();
        isolate.Kill();
        break;
    }
    EXPECT_GE(sends.Get(), 0);
  }
  for (int i = 0; i < expected; ++i) EXPECT_EQ(exits.Receive(kForever), 1);
  EXPECT_EQ(exits.TryReceive(), std::nullopt);
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

Task<int> Tree(int depth) {
  if (depth == 0) co_return 1;
  auto [left, right] =
      co_await WhenAll(Isolate::Run(Tree, depth - 1), Isolate::Run(Tree, depth - 1));
  co_return left + right;
}

int BlockingTree(int depth) {
  if (depth == 0) return 1;
  auto left = Isolate::Run(BlockingTree, depth - 1);
  auto right = Isolate::Run(BlockingTree, depth - 1);
  return left.Get() + right.Get();
}

TEST(StormTest, TreesOfIsolatesThatAwait) {
  for (int i = 0; i < 3 * kScale; ++i) EXPECT_EQ(Isolate::Run(Tree, 5).Get(), 32);
}

TEST(StormTest, TreesOfIsolatesThatBlock) {
  for (int i = 0; i < 3 * kScale; ++i) EXPECT_EQ(Isolate::Run(BlockingTree, 4).Get(), 16);
}

Task<std::map<int, std::string>> SlowTable(int rows) {
  std::map<int, std::string> table;
  for (int i = 0; i < rows; ++i) {
    table[i] = std::string(50, 't');
    if (i % 8 == 0) co_await Delay(Duration::zero());
  }
  co_return table;
}

TEST(StormTest, CoroutineParcelsBesideBlockingRuns) {
  for (int round = 0; round < 5 * kScale; ++round) {
    std::vector<Future<Parcel<std::map<int, std::string>>>> parcels;
    std::vector<Future<int>> trees;
    for (int i = 0; i < 6; ++i) {
      parcels.push_back(Isolate::RunParcel(SlowTable, 64));
      trees.push_back(Isolate::Run(BlockingTree, 2));
    }
    for (auto& parcel : parcels) EXPECT_EQ(parcel.Get()->size(), 64U);
    for (auto& tree : trees) EXPECT_EQ(tree.Get(), 4);
  }
}

}  // namespace
}  // namespace isolates
