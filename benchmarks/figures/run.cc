// A trivial Run on the other processor, its result awaited; one after the other.

#include <sched.h>

#include <utility>
#include <vector>

#include "benchmarks/figures/figures.h"
#include "benchmarks/support/baselines.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/placement.h"
#include "benchmarks/support/spread.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

// The processor on which it runs.
int Here(int) { return sched_getcpu(); }

struct Runs {
  double us_each;
  double percent_elsewhere;  // of them, not on this thread's processor
};

Runs TakeRuns(int here, int count) {
  const PinnedHere pinned(here);
  for (int i = 0; i < count / 10; ++i) Isolate::Run(Here, i).Get();
  int elsewhere = 0;
  const Stopwatch watch;
  for (int i = 0; i < count; ++i) elsewhere += Isolate::Run(Here, i).Get() != here ? 1 : 0;
  return {watch.ns_each(count) / 1e3, 100.0 * elsewhere / count};
}

// Microseconds of the median one: without those in which a thread slept, if they are few.
double MedianRun(int here, int count) {
  const PinnedHere pinned(here);
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    times.push_back(TimeOf([&] { Isolate::Run(Here, i).Get(); }) / 1e3);
  }
  return SpreadOf(std::move(times)).median;
}

}  // namespace

void RunFigures(Figures& figures) {
  const CpuPair cpus = figures.cpus();
  const int count = figures.Scale(20'000, 200);
  const int calls = figures.Scale(200, 10);
  std::vector<double> elsewhere;
  const auto run = [&] {
    const Runs runs = TakeRuns(cpus.near, count);
    elsewhere.push_back(runs.percent_elsewhere);
    return runs.us_each;
  };
  figures.Measure(
      [=] { return RawBounce(cpus, count) / 1e3; },
      {{"Run and its result, mean (limit: a line to and fro)", run},
       {"Run and its result, the median one", [=] { return MedianRun(cpus.near, count); }},
       {"std::async and its result", [=] { return StdAsync(calls) / 1e3; }},
       {"std::thread with promise", [=] { return ThreadWithPromise(calls) / 1e3; }}},
      "us", {0.4, std::nullopt, std::nullopt, std::nullopt});
  // Otherwise the figures above are of something else.
  const int kept = static_cast<int>(elsewhere.size());
  figures.AddAtLeast(
      ResultOf("Run, on the other processor", SpreadOf(std::move(elsewhere)), "% of them", kept),
      90);
}

}  // namespace isolates::bench
