// A trivial Run on the other processor, its result awaited; one after the other.

#include <sched.h>

#include <cstdint>

#include "benchmarks/figures/figures.h"
#include "benchmarks/support/baselines.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/placement.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

// The processor on which it runs.
int Here(int) { return sched_getcpu(); }

struct Runs {
  double us_each;
  double elsewhere;  // the part of them that did not run on this thread's processor
};

Runs TakeRuns(int here, int count) {
  const PinnedHere pinned(here);
  for (int i = 0; i < count / 10; ++i) Isolate::Run(Here, i).Get();
  int elsewhere = 0;
  const Stopwatch watch;
  for (int i = 0; i < count; ++i) elsewhere += Isolate::Run(Here, i).Get() != here ? 1 : 0;
  return {watch.ns_each(count) / 1e3, static_cast<double>(elsewhere) / count};
}

}  // namespace

void RunFigures(Figures& figures) {
  const CpuPair cpus = figures.cpus();
  const int count = figures.Scale(20'000, 200);
  const std::string name = "Run and its result, on the other processor";
  if (TakeRuns(cpus.near, count).elsewhere < 0.99) {
    Result nothing;
    nothing.name = name;
    nothing.unit = "us";
    nothing.kept = 0;
    figures.Add(std::move(nothing), 0.4);
    return;
  }
  const int calls = figures.Scale(200, 10);
  figures.Measure([=] { return RawBounce(cpus, count) / 1e3; },
                  {{name, [=] { return TakeRuns(cpus.near, count).us_each; }},
                   {"std::async and its result", [=] { return StdAsync(calls) / 1e3; }},
                   {"std::thread with promise", [=] { return ThreadWithPromise(calls) / 1e3; }}},
                  "us", {0.4, std::nullopt, std::nullopt});
}

}  // namespace isolates::bench
