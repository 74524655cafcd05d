// Starvation: eight isolates that compute and one that must be in time: how late are the ticks of a
// timer that it has set, as an ordinary isolate, as an urgent one, and with a processor of its own?
// What it stresses: fairness, and the length of the queue before a worker.
//
// Each delay counts from the time at which its tick was due: a late tick does not hide that the
// ones behind it were due, too.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/programs/computing.h"
#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kComputing = 8;
constexpr std::chrono::milliseconds kTurn{2};    // how long a computing isolate computes in a turn
constexpr std::chrono::milliseconds kPeriod{1};  // of the ticks

using Delays = std::vector<std::uint64_t>;  // nanoseconds

Task<> Ticks(std::pair<SendPort<Delays>, int> job) {
  Delays delays;
  const auto start = Clock::now();
  for (int tick = 1; tick <= job.second;) {
    const auto due = start + tick * kPeriod;
    co_await Delay(std::max<Duration>(due - Clock::now(), {}));
    const auto now = Clock::now();
    for (; tick <= job.second && start + tick * kPeriod <= now; ++tick) {
      const std::chrono::nanoseconds late = now - (start + tick * kPeriod);
      delays.push_back(static_cast<std::uint64_t>(late.count()));
    }
  }
  job.first.Send(std::move(delays));
}

void Measure(Program& program, const std::string& name, const SpawnOptions& options, int ticks) {
  const Computing computing(kComputing, kTurn);
  Crew crew;
  ReceivePort<Delays> result;
  crew.Start(Ticks, std::pair(result.send_port(), ticks), options);
  const Delays delays = *result.Receive(kForever);
  crew.Wait();
  Require(delays.size() == static_cast<std::size_t>(ticks), "a delay for each tick");
  Histogram times;
  for (const std::uint64_t delay : delays) times.Record(delay);
  program.Latency(name + ", late by", std::move(times));
}

void Run(Program& program) {
  const int ticks = program.Scale(10'000, 50);
  Measure(program, "ordinary", SpawnOptions(), ticks);
  Measure(program, "urgent", SpawnOptions().Urgent(), ticks);
  if (!program.cpus()) return;
  Measure(program, "dedicated processor", SpawnOptions().Dedicated(), ticks);
  Measure(program, "dedicated processor, spinning", SpawnOptions().Dedicated().Idle(BusySpin()),
          ticks);
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
