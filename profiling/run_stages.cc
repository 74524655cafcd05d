// Where the time of a Run goes: stamps at its stages, on one clock.
//
//   run_stages [--quick] [--json]
//   run_stages exercise COUNT    so many Runs whose threads sleep at once, for callgrind

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/programs/program.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

// What the code of the isolate tells.
struct Told {
  std::int64_t begun;
  std::int64_t ended;
  int cpu;
};
Told Tell(int) {
  const std::int64_t begun = Nanoseconds();
  const int cpu = sched_getcpu();
  return {begun, Nanoseconds(), cpu};
}

enum Stage : std::size_t { kLaunch, kStart, kCode, kResult, kStages };
constexpr std::array<std::string_view, kStages> kNames = {"launch (Run returns)",
                                                          "queue, wake, heap, turn (code begins)",
                                                          "code", "exit and result (Get returns)"};

struct Timed {
  std::array<std::int64_t, kStages> stages{};
  std::int64_t whole = 0;
  bool elsewhere = false;
  bool slept = false;
  bool faulted = false;
};

// Where Run returns before the code begins, the start counts from there; otherwise the code has
// overtaken it.
Timed RunOnce(int here) {
  const std::int64_t called = Nanoseconds();
  auto future = Isolate::Run(Tell, 0);
  const std::int64_t launched = Nanoseconds();
  const Told told = future.Get();
  const std::int64_t done = Nanoseconds();
  const std::int64_t launch_end = std::min(launched, told.begun);
  Timed timed;
  timed.stages = {launch_end - called, told.begun - launch_end, told.ended - told.begun,
                  done - told.ended};
  timed.whole = done - called;
  timed.elsewhere = told.cpu != here;
  return timed;
}

struct Counted {
  long waits;
  long preempted;
  long faults;
};
Counted CountedByNow() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {usage.ru_nvcsw, usage.ru_nivcsw, usage.ru_minflt};
}

std::vector<Timed> TakeRuns(int here, int count) {
  const PinnedHere pinned(here);
  for (int i = 0; i < count / 10; ++i) RunOnce(here);
  std::vector<Timed> runs(static_cast<std::size_t>(count));
  // Twice a call of getrusage between Runs, outside of their stamps.
  Counted before = CountedByNow();
  for (Timed& run : runs) {
    run = RunOnce(here);
    const Counted after = CountedByNow();
    run.slept = after.waits != before.waits || after.preempted != before.preempted;
    run.faulted = after.faults != before.faults;
    before = after;
  }
  return runs;
}

// So many one after the other, without any stamp.
double BareMean(int here, int count) {
  const PinnedHere pinned(here);
  for (int i = 0; i < count / 10; ++i) Isolate::Run(Tell, 0).Get();
  const Stopwatch watch;
  for (int i = 0; i < count; ++i) Isolate::Run(Tell, 0).Get();
  return watch.ns_each(count);
}

void AddFigure(Program& program, std::string name, double value, std::string unit, int of) {
  program.Add(ResultOf(std::move(name), SpreadOf({value}), std::move(unit), of));
}

void Report(Program& program, const std::vector<Timed>& runs) {
  const int count = static_cast<int>(runs.size());
  Histogram whole;
  std::array<Histogram, kStages> stages;
  std::array<double, kStages> sums{};
  double sum = 0;
  for (const Timed& run : runs) {
    whole.Record(static_cast<std::uint64_t>(run.whole));
    sum += static_cast<double>(run.whole);
    for (std::size_t i = 0; i < kStages; ++i) {
      stages[i].Record(static_cast<std::uint64_t>(run.stages[i]));
      sums[i] += static_cast<double>(run.stages[i]);
    }
  }
  AddFigure(program, "mean: whole", sum / count, "ns", count);
  for (std::size_t i = 0; i < kStages; ++i) {
    AddFigure(program, "mean: " + std::string(kNames[i]), sums[i] / count, "ns", count);
  }
  // The same of the Runs by what happened in them.
  struct Kind {
    std::string_view name;
    bool (*belongs)(const Timed&, std::int64_t median);
  };
  constexpr std::array<Kind, 6> kKinds = {
      {{"on the other processor, awake",
        [](const Timed& run, std::int64_t) { return run.elsewhere && !run.slept; }},
       {"on the caller's processor", [](const Timed& run, std::int64_t) { return !run.elsewhere; }},
       {"a thread slept or was preempted",
        [](const Timed& run, std::int64_t) { return run.slept; }},
       {"with a page fault", [](const Timed& run, std::int64_t) { return run.faulted; }},
       {"at most twice the median",
        [](const Timed& run, std::int64_t median) { return run.whole <= 2 * median; }},
       {"more than ten times the median",
        [](const Timed& run, std::int64_t median) { return run.whole > 10 * median; }}}};
  const auto median = static_cast<std::int64_t>(whole.Percentile(50));
  for (const Kind& kind : kKinds) {
    int number = 0;
    double time = 0;
    for (const Timed& run : runs) {
      if (!kind.belongs(run, median)) continue;
      ++number;
      time += static_cast<double>(run.whole);
    }
    const std::string name(kind.name);
    AddFigure(program, "share of Runs: " + name, 100.0 * number / count, "%", count);
    AddFigure(program, "share of time: " + name, 100.0 * time / sum, "%", count);
    AddFigure(program, "mean of these: " + name, number == 0 ? 0 : time / number, "ns", number);
  }
  program.Latency("whole", std::move(whole));
  for (std::size_t i = 0; i < kStages; ++i) {
    program.Latency(std::string(kNames[i]), std::move(stages[i]));
  }
}

int Measure(int argc, char** argv) {
  Program program(argc, argv);
  const auto cpus = TwoCpus();
  Require(cpus.has_value(), "two processors are needed");
  const int count = program.Scale(200'000, 300);
  Report(program, TakeRuns(cpus->near, count));
  program.Compare([=] { return RawBounce(*cpus, program.Scale(20'000, 200)); },
                  {{"Run without stamps, mean", [=] { return BareMean(cpus->near, count / 10); }}},
                  "ns");
  return program.Finish();
}

int Exercise(int count) {
  SetIdleStrategy(Park());  // nobody spins: what is counted is what was done
  BareMean(0, count);
  return 0;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "exercise") {
    return isolates::bench::Exercise(std::atoi(argv[2]));
  }
  return isolates::bench::Measure(argc, argv);
}
