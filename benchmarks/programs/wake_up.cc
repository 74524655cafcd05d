// Wake-up: from Send to the handler of an isolate that has waited, and the processor time of a
// runtime in which nothing happens, by idle strategy. What it stresses: going to sleep and being
// woken.
//
// The limit is the wake-up of a thread by a bare futex.

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/programs/wake.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Percent of one processor while nothing happens.
double IdlePercent(int idle_ms) {
  Pause(200'000);  // whatever was adapting has settled
  const Stopwatch watch;
  const double before = ProcessorSeconds();
  Pause(idle_ms * 1'000);
  return 100 * (ProcessorSeconds() - before) / watch.seconds();
}

struct Row {
  std::string name;
  std::shared_ptr<const IdleStrategy> strategy;
};

void Run(Program& program) {
  const int wake_ups = program.Scale(50, 5);
  const std::vector<Row> rows = {{"BusySpin", BusySpin()},
                                 {"BackOff", BackOff()},
                                 {"SpinThenPark", SpinThenPark()},
                                 {"Park", Park()}};
  std::vector<Histogram> all(rows.size());
  const auto wake = [&](std::size_t i) {
    SetIdleStrategy(rows[i].strategy);
    const Histogram times = WakeUps(wake_ups);
    all[i].Merge(times);
    return static_cast<double>(times.Percentile(50));
  };
  if (const auto cpus = program.cpus()) {
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      candidates.push_back({rows[i].name + ", wake-up (limit: a futex)", [=] { return wake(i); }});
    }
    program.Compare([=] { return FutexWakeUp(*cpus, wake_ups, kPauseUs); }, candidates, "ns");
  } else {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      program.Measure(rows[i].name + ", wake-up", "ns", [=] { return wake(i); });
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    program.Latency(rows[i].name + ", wake-up", all[i]);
  }
  for (const Row& row : rows) {
    SetIdleStrategy(row.strategy);
    program.Measure(row.name + ", an idle runtime", "% of a processor",
                    [&] { return IdlePercent(program.Scale(300, 50)); });
  }
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
