// Wake-ups of isolates that sleep, against that of a thread by a bare futex.

#include <cstdint>
#include <vector>

#include "benchmarks/figures/figures.h"
#include "benchmarks/figures/pair.h"
#include "benchmarks/programs/wake.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/placement.h"
#include "benchmarks/support/spread.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

struct Times {
  std::int64_t sent;
  std::int64_t received;
};

// Nanoseconds from before Send until the other one has received; the median.
double Wake(std::uint64_t count, ReceivePort<Times>& own, const SendPort<Times>& other) {
  std::vector<double> times;
  for (std::uint64_t i = 0; i < count; ++i) {
    Pause(kPauseUs);
    other.Send(Times{Nanoseconds(), 0});
    const Times both = *own.Receive(kForever);
    times.push_back(static_cast<double>(both.received - both.sent));
  }
  return SpreadOf(std::move(times)).median;
}

double Sleep(std::uint64_t count, ReceivePort<Times>& own, const SendPort<Times>& other) {
  for (std::uint64_t i = 0; i < count; ++i) {
    Times both = *own.Receive(kForever);
    both.received = Nanoseconds();
    other.Send(std::move(both));
  }
  return 0;
}

// An isolate on a worker, woken by this thread.
double WakeOnWorker(int cpu, int wake_ups) {
  const PinnedHere pinned(cpu);
  SetIdleStrategy(Park());
  const Histogram times = WakeUps(wake_ups);
  SetIdleStrategy(SpinThenPark());  // the default
  return static_cast<double>(times.Percentile(50));
}

}  // namespace

void WakeUpFigures(Figures& figures) {
  const CpuPair cpus = figures.cpus();
  const int wake_ups = figures.Scale(50, 5);
  figures.Compare([=] { return FutexWakeUp(cpus, wake_ups, kPauseUs); },
                  {{"wake-up, dedicated (limit: a futex)",
                    [=] {
                      return DedicatedPair<Times>(cpus, static_cast<std::uint64_t>(wake_ups), Wake,
                                                  Sleep, Park());
                    }},
                   {"wake-up, on a worker (limit: a futex)",
                    [=] { return WakeOnWorker(cpus.near, wake_ups); }}},
                  "ns", {1.1, 1.1});
}

}  // namespace isolates::bench
