// Isolates with a processor of their own, and light ones.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

using Ports = std::pair<SendPort<int>, SendPort<SendPort<int>>>;

// Tells its processor for each message; ends on 0.
void TellProcessor(Ports ports) {
  ReceivePort<int> requests;
  ports.second.Send(requests.send_port());
  std::move(requests).Listen([answers = ports.first](ReceivePort<int>& port, int n) {
    if (n == 0) {
      port.Close();
    } else {
      answers.Send(sched_getcpu());
    }
  });
}

struct Dedicated {
  ReceivePort<int> answers;
  ReceivePort<SendPort<int>> connected;
  ReceivePort<int> ended;
  SendPort<int> to_it;

  explicit Dedicated(SpawnOptions options) {
    options.OnExit(ended.send_port(), 1);
    Isolate::Spawn(TellProcessor, Ports(answers.send_port(), connected.send_port()), options).Get();
    to_it = *connected.Receive(kForever);
  }
  int Processor() {
    to_it.Send(1);
    return *answers.Receive(kForever);
  }
  void End() {
    to_it.Send(0);
    EXPECT_EQ(ended.Receive(kForever), 1);
  }
};

std::vector<int> AllProcessors() {
  static const std::vector<int> all = runtime_info().cpus;
  return all;
}

TEST(DedicatedTest, RunsOnItsProcessorAndTheOthersKeepOff) {
  if (AllProcessors().size() < 2) GTEST_SKIP() << "needs two processors";
  const int cpu = AllProcessors().back();
  for (int round = 0; round < 3; ++round) {
    Dedicated isolate(SpawnOptions().Dedicated(cpu));
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(isolate.Processor(), cpu);
      EXPECT_NE(Isolate::Run([] { return sched_getcpu(); }).Get(), cpu);
    }
    EXPECT_THAT(runtime_info().cpus, Not(Contains(cpu)));
    isolate.End();
  }
}

TEST(DedicatedTest, GivesItsProcessorBack) {
  const int cpu = AllProcessors().back();
  Dedicated(SpawnOptions().Dedicated(cpu)).End();
  // The thread gives it back after the listeners were told: the next one waits for nothing.
  Dedicated again(SpawnOptions().Dedicated(cpu));
  EXPECT_EQ(again.Processor(), cpu);
  again.End();
}

std::string NameOfThisThread() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}

TEST(DedicatedTest, ItsThreadHasItsName) {
  ReceivePort<std::string> names;
  const auto isolate =
      Isolate::Spawn([](SendPort<std::string> out) { out.Send(NameOfThisThread()); },
                     names.send_port(),
                     SpawnOptions().DebugName("feed handler number two").Dedicated())
          .Get();
  EXPECT_EQ(names.Receive(kForever), "feed handler nu");
  (void)isolate.Ended().Get();
  // And gives it back: others run there.
  EXPECT_THAT(Isolate::Run(NameOfThisThread).Get(), ::testing::StartsWith("isolates-w"));
}

TEST(DedicatedTest, ALimitIsAnErrorThatNamesIt) {
  std::vector<std::unique_ptr<Dedicated>> all;
  for (std::size_t i = 0; i < AllProcessors().size(); ++i) {
    all.push_back(std::make_unique<Dedicated>(SpawnOptions().Dedicated()));
  }
  auto one_more = Isolate::Spawn([](int) {}, 0, SpawnOptions().Dedicated());
  try {
    one_more.Get();
    ADD_FAILURE() << "a processor too many";
  } catch (const IsolateSpawnException& error) {
    EXPECT_THAT(error.what(), HasSubstr("has a dedicated isolate already"));
  }
  // The others go on, beside them.
  EXPECT_EQ(Isolate::Run([] { return 5; }).Get(), 5);
  for (auto& isolate : all) isolate->End();
}

TEST(DedicatedTest, AForeignProcessorIsRefused) {
  auto failed = Isolate::Spawn([](int) {}, 0, SpawnOptions().Dedicated(100'000));
  EXPECT_THROW(failed.Get(), IsolateSpawnException);
}

TEST(DedicatedTest, SpinsWhileTheOthersPark) {
  Dedicated isolate(SpawnOptions().Dedicated().Idle(BusySpin()));
  for (int i = 0; i < 100; ++i) isolate.Processor();
  isolate.End();
}

TEST(DedicatedTest, MayBlockAndBeKilled) {
  ReceivePort<int> ended;
  ReceivePort<int> running;
  const Isolate isolate =
      Isolate::Spawn(
          [](SendPort<int> port) {
            ReceivePort<int> never;
            port.Send(1);
            never.Receive(kForever).has_value();
          },
          running.send_port(), SpawnOptions().Dedicated().OnExit(ended.send_port(), 1))
          .Get();
  EXPECT_EQ(running.Receive(kForever), 1);
  isolate.Kill(ControlPriority::kImmediate);
  EXPECT_EQ(ended.Receive(kForever), 1);
}

TEST(LightTest, AllocatesInTheProgramsHeapAndRunsAnywhere) {
  ReceivePort<std::vector<std::string>> results;
  ReceivePort<int> ended;
  for (int i = 0; i < 100; ++i) {
    Isolate::Spawn(
        [](SendPort<std::vector<std::string>> port) -> Task<void> {
          co_await Delay(std::chrono::microseconds(1));
          port.Send(std::vector<std::string>(3, std::string(100, 'x')));
        },
        results.send_port(), SpawnOptions().Light().OnExit(ended.send_port(), 1))
        .Get();
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(results.Receive(kForever)->back(), std::string(100, 'x'));
    EXPECT_EQ(ended.Receive(kForever), 1);
  }
}

}  // namespace
}  // namespace isolates
