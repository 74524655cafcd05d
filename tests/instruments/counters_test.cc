// In a simulation each count is known.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "tests/instruments/stats.h"

namespace isolates::internal {
namespace {

constexpr int kMessages = 1000;

struct Ports {
  SendPort<int> answers;
  SendPort<SendPort<int>> introduction;
};

Task<void> Echo(Ports ports) {
  ReceivePort<int> questions(PortOptions().DebugName("questions"));
  ports.introduction.Send(questions.send_port());
  while (const auto question = co_await questions.Receive()) {
    if (*question < 0) co_return;
    ports.answers.Send(int{*question});
  }
}

Task<void> Ask() {
  ReceivePort<int> answers(PortOptions().DebugName("answers"));
  ReceivePort<SendPort<int>> introduction(PortOptions().DebugName("introduction"));
  // A name of its own: g++ 12 destroys such a temporary of a co_await twice.
  Ports ports{answers.send_port(), introduction.send_port()};
  co_await Isolate::Spawn(Echo, std::move(ports), SpawnOptions().DebugName("echo"));
  const SendPort<int> questions = *co_await introduction.Receive();
  for (int i = 0; i < kMessages; ++i) {
    questions.Send(int{i});
    EXPECT_EQ(*co_await answers.Receive(), i);
  }
  co_await Delay(std::chrono::milliseconds(5));
  questions.Send(-1);
}

int TurnsOf(const SimulationReport& report, std::uint64_t isolate) {
  return static_cast<int>(std::count_if(
      report.trace.begin(), report.trace.end(), [isolate](const SimulationStep& step) {
        return step.kind == SimulationStep::Kind::kTurn && step.isolate == isolate;
      }));
}

TEST(CountersTest, AreExactInASimulation) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    const SimulationReport report = Simulate(seed, Ask);
    const StatsIsolate& echo = IsolateStats("echo");
    const StatsIsolate& main = IsolateStats("main");
    EXPECT_EQ(StatsGet(echo.generation) % 2, 0U) << "it has ended";
    EXPECT_EQ(StatsGet(echo.turns), static_cast<std::uint64_t>(TurnsOf(report, 1)));
    EXPECT_EQ(StatsGet(main.turns), static_cast<std::uint64_t>(TurnsOf(report, 0)));
    EXPECT_EQ(StatsGet(echo.received), kMessages + 1U);
    EXPECT_EQ(StatsGet(echo.sent), kMessages + 1U) << "the answers, and its port";
    EXPECT_EQ(StatsGet(main.sent), kMessages + 1U);
    EXPECT_EQ(StatsGet(main.received), kMessages + 1U);
    EXPECT_EQ(StatsGet(PortStats("questions").received), kMessages + 1U);
    EXPECT_EQ(StatsGet(PortStats("answers").received), std::uint64_t{kMessages});
    EXPECT_EQ(StatsGet(PortStats("questions").isolate), StatsGet(echo.id));
    EXPECT_EQ(StatsGet(PortStats("questions").depth), 0U);
    EXPECT_EQ(StatsGet(echo.last_waker), StatsGet(main.id));
    EXPECT_GE(StatsGet(echo.wakes), 1U);
    EXPECT_LE(StatsGet(echo.wakes), StatsGet(echo.turns));
    // By the time of the simulation, in which turns take none.
    EXPECT_EQ(StatsGet(echo.handling), 0U);
    EXPECT_EQ(StatsGet(echo.waiting), 0U);
  }
}

TEST(CountersTest, HistogramsHaveEachTurnOnce) {
  Simulate(7, Ask);
  const StatsIsolate& echo = IsolateStats("echo");
  ASSERT_NE(StatsGet(echo.histograms), 0U);
  const StatsHeader& header = *LocalStats();
  const auto& histograms =
      StatsEntry<StatsHistograms>(header, header.histograms, StatsGet(echo.histograms));
  EXPECT_EQ(histograms.waiting.Count(), StatsGet(echo.turns));
  EXPECT_EQ(histograms.handling.Count(), StatsGet(echo.turns));
}

TEST(CountersTest, WaitingAndHandlingGoByTheClockOfTheSimulation) {
  // `sleeper` sleeps for 3 ms in its turn, in which it is not counted as handling.
  Simulate(3, []() -> Task<void> {
    auto done = Isolate::Run(RunOptions().DebugName("sleeper"), [] {
      ReceivePort<int> never(PortOptions().DebugName("never"));
      EXPECT_THROW(static_cast<void>(never.Receive(std::chrono::milliseconds(3))), TimeoutError);
    });
    co_await std::move(done);
  });
  const StatsIsolate& sleeper = IsolateStats("sleeper");
  EXPECT_EQ(StatsGet(sleeper.parks), 1U);
  EXPECT_EQ(StatsGet(sleeper.parked), 3'000'000U);
  EXPECT_EQ(StatsGet(sleeper.handling), 0U);
  EXPECT_EQ(StatsGet(sleeper.turns), 1U);
}

TEST(CountersTest, WhoFindsNoEntryIsCountedWithOthers) {
  constexpr std::size_t kPorts = kStatsPorts + 100;
  Simulate(1, []() -> Task<void> {
    std::vector<ReceivePort<int>> ports(kPorts);
    for (auto& port : ports) {
      port.send_port().Send(1);
      EXPECT_EQ(port.TryReceive(), 1);
      EXPECT_EQ(port.TryReceive(), std::nullopt);
    }
    co_return;
  });
  const StatsHeader& header = *LocalStats();
  EXPECT_EQ(StatsGet(header.ports.used), kStatsPorts);
  EXPECT_GE(StatsGet(header.ports_beyond), 100U);
  std::uint64_t others = 0;
  for (std::uint64_t number = 1; number <= StatsGet(header.threads.used); ++number) {
    others +=
        StatsGet(StatsEntry<StatsThread>(header, header.threads, number).other_ports.received);
  }
  EXPECT_EQ(others, StatsGet(header.ports_beyond));
  // Afterwards there is room again.
  Simulate(1, Ask);
  EXPECT_EQ(StatsGet(PortStats("answers").received), std::uint64_t{kMessages});
}

TEST(CountersTest, IsolatesBeyondTheTableAreCountedWithOthers) {
  constexpr std::size_t kMany = kStatsIsolates + 50;
  Simulate(1, []() -> Task<void> {
    std::vector<Isolate> isolates;
    ReceivePort<int> ready;
    isolates.reserve(kMany);
    for (std::size_t i = 0; i < kMany; ++i) {
      isolates.push_back(co_await Isolate::Spawn(
          [](SendPort<int> to) -> Task<void> {
            const ReceivePort<int> own;
            to.Send(1);
            co_await Delay(std::chrono::seconds(1));
          },
          ready.send_port(), SpawnOptions().Light()));
    }
    for (std::size_t i = 0; i < kMany; ++i) co_await ready.Receive();
  });
  const StatsHeader& header = *LocalStats();
  EXPECT_EQ(StatsGet(header.isolates.used), kStatsIsolates);
  EXPECT_GE(StatsGet(header.isolates_beyond), 50U);
  std::uint64_t sent = 0;
  for (std::uint64_t number = 1; number <= StatsGet(header.threads.used); ++number) {
    const auto& thread = StatsEntry<StatsThread>(header, header.threads, number);
    EXPECT_EQ(StatsGet(thread.others.id), 0U);
    sent += StatsGet(thread.others.sent);
  }
  EXPECT_EQ(sent, StatsGet(header.isolates_beyond));
}

TEST(HistogramTest, BucketsFollowEachOther) {
  for (std::size_t bucket = 0; bucket < StatsHistogram::kBuckets; ++bucket) {
    const std::uint64_t low = StatsHistogram::LowerBound(bucket);
    const std::uint64_t next = StatsHistogram::LowerBound(bucket + 1);
    EXPECT_EQ(StatsHistogram::BucketOf(low), bucket);
    EXPECT_EQ(StatsHistogram::BucketOf(next - 1), bucket);
    EXPECT_LE(next - low, low / 4 + 16);
  }
  EXPECT_EQ(StatsHistogram::BucketOf(~std::uint64_t{0}), StatsHistogram::kBuckets - 1);
}

TEST(HistogramTest, ClearForgetsAll) {
  static StatsHistogram histogram{};
  for (const std::uint64_t time : {1U, 100U, 5000U, 4'000'000'000U}) histogram.Record(time);
  EXPECT_EQ(histogram.Count(), 4U);
  EXPECT_EQ(StatsGet(histogram.max), 4'000'000'000U);
  histogram.Clear();
  EXPECT_EQ(histogram.Count(), 0U);
  EXPECT_EQ(StatsGet(histogram.max), 0U);
  histogram.Record(70);
  EXPECT_EQ(histogram.Count(), 1U);
}

}  // namespace
}  // namespace isolates::internal
