// A worker that is killed at its every step: whoever waits for it learns of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "isolates/simulation.h"
#include "tests/faults/robust_worker.h"

namespace isolates {
namespace {

using testing::IsEmpty;

constexpr std::uint64_t kSeeds = 25;

// Of one run.
int answers = 0;
int failures = 0;
std::optional<Isolate>& victim = RobustWorker::last_isolate;

template <class T>
Task<> Count(Task<T> request) {
  try {
    static_cast<void>(co_await std::move(request));
    ++answers;
  } catch (const Error&) {
    ++failures;
  }
}

// Runs it again and again; each time the victim lives one step longer, until it comes to its end.
// Returns how many runs there were.
int KillAtEveryStep(Task<> (*program)(), int requests, ControlPriority priority) {
  int runs = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    bool killed = true;
    for (std::uint64_t at = 0; killed; ++at) {
      killed = false;
      answers = 0;
      failures = 0;
      const auto options =
          SimulationOptions(seed).MaxEventsInATurn(1).OnStep([&, at](std::uint64_t step) {
            if (step < at || killed || !victim.has_value()) return;
            killed = true;
            victim->Kill(priority, "the test");
          });
      const SimulationReport report = Simulate(options, program);
      victim.reset();
      EXPECT_THAT(report.waiting, IsEmpty()) << "seed " << seed << ", killed at step " << at;
      EXPECT_EQ(answers + failures, requests) << "seed " << seed << ", killed at step " << at;
      if (!killed) {
        EXPECT_EQ(failures, 0) << "seed " << seed;
      }
      ++runs;
      if (testing::Test::HasFailure()) return runs;
    }
  }
  return runs;
}

// --- ports and completers

Task<int> Store(Task<std::unique_ptr<RobustWorker>> spawned, std::unique_ptr<RobustWorker>& to) {
  to = co_await std::move(spawned);
  co_return 0;
}

Task<> UseRobustWorker() {
  std::unique_ptr<RobustWorker> worker;
  co_await Count(Store(RobustWorker::Spawn(), worker));
  if (worker == nullptr) {
    failures += 5;
    co_return;
  }
  co_await Count(worker->ParseJson(R"({"key":"value"})"));
  co_await Count(worker->ParseJson(R"("banana")"));
  auto one = Start(Count(worker->ParseJson(R"([true,false,null,1,"string"])")));
  auto two = Start(Count(worker->ParseJson(R"("yes")")));
  auto three = Start(Count(worker->ParseJson(R"("no")")));
  co_await one;
  co_await two;
  co_await three;
  worker->Close();
}

TEST(KillTest, TheRobustWorkersRequestsAllEnd) {
  for (const auto priority : {ControlPriority::kImmediate, ControlPriority::kBeforeNextEvent}) {
    EXPECT_GT(KillAtEveryStep(&UseRobustWorker, 6, priority), 10 * static_cast<int>(kSeeds));
  }
}

// The same without the watch: the simulation tells that somebody waits.
Task<> AskWithoutWatching() {
  ReceivePort<SendPort<int>> addresses;
  ReceivePort<int> replies;
  victim = co_await Isolate::Spawn(
      [](std::pair<SendPort<SendPort<int>>, SendPort<int>> to) {
        ReceivePort<int> port;
        to.first.Send(port.send_port());
        std::move(port).Listen([out = to.second](ReceivePort<int>& self, int number) {
          out.Send(number);
          self.Close();
        });
      },
      std::pair(addresses.send_port(), replies.send_port()));
  const auto to = co_await addresses.Receive();
  to->Send(1);
  static_cast<void>(co_await replies.Receive());
}

TEST(KillTest, WhoeverWaitsWithoutWatchingIsTold) {
  bool told = false;
  bool killed = true;
  for (std::uint64_t at = 0; killed; ++at) {
    killed = false;
    const auto options = SimulationOptions(1).OnStep([&, at](std::uint64_t step) {
      if (step < at || killed || !victim.has_value()) return;
      killed = true;
      victim->Kill(ControlPriority::kImmediate);
    });
    const SimulationReport report = Simulate(options, &AskWithoutWatching);
    victim.reset();
    told = told || !report.waiting.empty();
    if (!killed) {
      EXPECT_THAT(report.waiting, IsEmpty());
    }
  }
  EXPECT_TRUE(told);
}

// --- requests of the library

using Parser = Requester<std::string, std::string>;

void Parse(SendPort<Parser> out) {
  RequestPort<std::string, std::string> port;
  out.Send(port.requester());
  std::move(port).Handle([](std::string text) -> Task<std::string> {
    co_await Delay(Duration(text.size()));
    co_return text;
  });
}

Task<std::string> Ask(const Parser& parser, std::string text) {
  co_return co_await parser.Call(std::move(text));
}

Task<> UseRequests() {
  ReceivePort<Parser> in;
  victim = co_await Isolate::Spawn(Parse, in.send_port());
  auto ended = victim->Ended();
  const auto parser = co_await ReceiveWithin(in, std::chrono::seconds(1));
  co_await Count(Ask(*parser, "one"));
  auto two = Start(Count(Ask(*parser, "two")));
  auto three = Start(Count(Ask(*parser, "three")));
  co_await two;
  co_await three;
  victim->Kill();
  co_await ended;
}

Task<> UseRequestsIfTheyCome() {
  try {
    co_await UseRequests();
  } catch (const TimeoutError&) {  // it was killed before it could say where to ask
    failures += 3;
  }
}

TEST(KillTest, AllRequestsEnd) {
  for (const auto priority : {ControlPriority::kImmediate, ControlPriority::kBeforeNextEvent}) {
    EXPECT_GT(KillAtEveryStep(&UseRequestsIfTheyCome, 3, priority), 5 * static_cast<int>(kSeeds));
  }
}

// --- results

Task<std::string> Compute(int rounds) {
  for (int i = 0; i < rounds; ++i) co_await Delay(Duration(1));
  auto part = Isolate::Run([] { return std::string("part"); });
  co_return co_await part;
}

Task<> WaitForResults(int) {
  auto result = Isolate::Run(Compute, 3);
  co_await result;
}

// Who waits is the victim: what it has started goes on, and nobody is left.
Task<> WaitToBeKilled() {
  victim = co_await Isolate::Spawn(WaitForResults, 0);
  auto ended = victim->Ended();
  co_await ended;
}

TEST(KillTest, WhoeverWaitsMayBeKilled) {
  const int runs = [] {
    int count = 0;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      bool killed = true;
      for (std::uint64_t at = 0; killed; ++at, ++count) {
        killed = false;
        const auto options = SimulationOptions(seed).OnStep([&, at](std::uint64_t step) {
          if (step < at || killed || !victim.has_value()) return;
          killed = true;
          victim->Kill(ControlPriority::kImmediate);
        });
        EXPECT_THAT(Simulate(options, &WaitToBeKilled).waiting, IsEmpty()) << "seed " << seed;
        victim.reset();
      }
    }
    return count;
  }();
  EXPECT_GT(runs, 5 * static_cast<int>(kSeeds));
}

}  // namespace
}  // namespace isolates
