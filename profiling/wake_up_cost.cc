// What a wake-up costs by idle strategy and by how long the isolate has waited: the time until its
// code runs, the processor time that it burns meanwhile, and how often it slept.
//
//   wake_up_cost [--quick] [--json]
//   wake_up_cost exercise STRATEGY GAP_US COUNT    so many wake-ups and nothing else, for counters

#include <sys/resource.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "benchmarks/figures/pair.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

struct Strategy {
  std::string_view name;
  std::shared_ptr<const IdleStrategy> (*make)();
};
constexpr std::array<Strategy, 4> kStrategies = {{{"BusySpin", [] { return BusySpin(); }},
                                                  {"BackOff", [] { return BackOff(); }},
                                                  {"SpinThenPark", [] { return SpinThenPark(); }},
                                                  {"Park", [] { return Park(); }}}};
constexpr std::array<int, 4> kGapsUs = {10, 100, 1'000, 10'000};

// What the isolate that is woken tells of itself, each time.
struct Report {
  std::int64_t received;      // the time
  std::int64_t processor_ns;  // of its thread so far
  std::int64_t waits;         // how often its thread has gone to sleep so far
};

std::int64_t ThreadProcessorNs() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}
std::int64_t ThreadWaits() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

double Woken(std::uint64_t count, ReceivePort<Report>& own, const SendPort<Report>& other) {
  for (std::uint64_t i = 0; i < count; ++i) {
    Report report = *own.Receive(kForever);
    report = {Nanoseconds(), ThreadProcessorNs(), ThreadWaits()};
    other.Send(std::move(report));
  }
  return 0;
}

// What the waker's isolate reads and fills; the main thread looks at it before and after.
struct {
  std::int64_t gap_ns = 0;
  std::vector<std::int64_t> times;  // with enough capacity
  double processor_percent = 0;
  double waits_each = 0;
} exchanged;

double Waker(std::uint64_t count, ReceivePort<Report>& own, const SendPort<Report>& other) {
  Report first{};
  Report last{};
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::int64_t due = Nanoseconds() + exchanged.gap_ns;
    while (Nanoseconds() < due) internal::CpuPause();
    const std::int64_t sent = Nanoseconds();
    other.Send(Report{});
    last = Next(own);
    if (i == 0) first = last;
    exchanged.times.push_back(last.received - sent);
  }
  exchanged.processor_percent = 100 * static_cast<double>(last.processor_ns - first.processor_ns) /
                                static_cast<double>(last.received - first.received);
  exchanged.waits_each =
      static_cast<double>(last.waits - first.waits) / static_cast<double>(count - 1);
  return 0;
}

void WakeUps(CpuPair cpus, const Strategy& strategy, int gap_us, std::uint64_t count) {
  exchanged.gap_ns = gap_us * std::int64_t{1'000};
  exchanged.times.clear();
  exchanged.times.reserve(count);
  RunPair<Report>(
      count, {RunOfPair<Report>, Waker, SpawnOptions().Dedicated(cpus.near).Idle(BusySpin())},
      {RunOfPair<Report>, Woken, SpawnOptions().Dedicated(cpus.far).Idle(strategy.make())});
}

std::uint64_t CountFor(const Program& program, int gap_us) {
  return program.Scale<std::uint64_t>(gap_us >= 10'000 ? 20 : gap_us >= 1'000 ? 200 : 1'000, 5);
}

int Measure(int argc, char** argv) {
  Program program(argc, argv);
  const auto cpus = TwoCpus();
  Require(cpus.has_value(), "two processors are needed");
  SetIdleStrategy(Park());  // of all threads that take no part
  for (const int gap_us : kGapsUs) {
    const std::string gap = ": " + std::to_string(gap_us) + " us";
    const std::uint64_t count = CountFor(program, gap_us);
    std::array<Histogram, kStrategies.size()> all;
    std::array<std::vector<double>, kStrategies.size()> burnt;
    std::array<std::vector<double>, kStrategies.size()> waits;
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < kStrategies.size(); ++i) {
      candidates.push_back({std::string(kStrategies[i].name) + gap, [&, i] {
                              WakeUps(*cpus, kStrategies[i], gap_us, count);
                              Histogram times;
                              for (const std::int64_t time : exchanged.times) {
                                times.Record(static_cast<std::uint64_t>(time));
                              }
                              all[i].Merge(times);
                              burnt[i].push_back(exchanged.processor_percent);
                              waits[i].push_back(exchanged.waits_each);
                              return static_cast<double>(times.Percentile(50));
                            }});
    }
    InterleaveOptions options;
    options.wanted = program.Scale(7, 1);
    options.most_repetitions = program.Scale(7, 1);
    options.tolerance = 1e9;  // a futex is no steady limit: nothing is dropped for it
    options.warm_up = !program.quick();
    const int futexes = static_cast<int>(std::min<std::uint64_t>(count, 100));
    const auto futex = [&] { return FutexWakeUp(*cpus, futexes, gap_us); };
    for (const Compared& one : Interleave(futex, candidates, options).candidates) {
      program.Add(ResultOf(one, "ns"));
    }
    for (std::size_t i = 0; i < kStrategies.size(); ++i) {
      const std::string name = std::string(kStrategies[i].name);
      const int taken = static_cast<int>(burnt[i].size());
      program.Add(ResultOf(name + ", burnt" + gap, SpreadOf(burnt[i]), "% of a processor", taken));
      program.Add(ResultOf(name + ", sleeps" + gap, SpreadOf(waits[i]), "each", taken));
      program.Latency(name + gap, std::move(all[i]));
    }
  }
  return program.Finish();
}

int Exercise(std::string_view name, int gap_us, std::uint64_t count) {
  const auto cpus = TwoCpus();
  Require(cpus.has_value(), "two processors are needed");
  SetIdleStrategy(Park());
  for (const Strategy& strategy : kStrategies) {
    if (strategy.name != name) continue;
    WakeUps(*cpus, strategy, gap_us, count);
    return 0;
  }
  std::fprintf(stderr, "no such strategy\n");
  return 2;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  if (argc == 5 && std::string_view(argv[1]) == "exercise") {
    return isolates::bench::Exercise(argv[2], std::atoi(argv[3]),
                                     std::strtoull(argv[4], nullptr, 10));
  }
  return isolates::bench::Measure(argc, argv);
}
