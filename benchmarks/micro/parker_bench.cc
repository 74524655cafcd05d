// The parker, by which a thread sleeps until another wakes it. benchmarks/README.md says what each
// row drives.

#include <benchmark/benchmark.h>

#include <atomic>
#include <thread>

#include "benchmarks/micro/counted.h"
#include "benchmarks/support/limits.h"
#include "isolates/detail/parker.h"

namespace {

using isolates::bench::Counted;
using isolates::bench::PinnedHere;
using isolates::bench::TwoCpus;
using isolates::internal::Parker;

// Its thread is awake: no system call.
void BM_TokenTaken(benchmark::State& state) {
  Parker parker;
  Counted counted(state);
  for (auto _ : state) {
    parker.Unpark();
    parker.Park();
  }
  counted.Finish();
}
BENCHMARK(BM_TokenTaken);

// Two threads on two processors wake each other.
void BM_ParkerRoundTrip(benchmark::State& state) {
  const auto cpus = TwoCpus();
  if (!cpus) {
    state.SkipWithError("one processor");
    return;
  }
  Parker here;
  Parker there;
  std::atomic<bool> over{false};
  std::thread other([&] {
    const PinnedHere pinned(cpus->far);
    for (;;) {
      there.Park();
      // relaxed - written before the Unpark that ended Park.
      if (over.load(std::memory_order_relaxed)) return;
      here.Unpark();
    }
  });
  {
    const PinnedHere pinned(cpus->near);
    Counted counted(state);
    for (auto _ : state) {
      there.Unpark();
      here.Park();
    }
    counted.Finish();
  }
  over.store(true, std::memory_order_relaxed);  // relaxed - see above
  there.Unpark();
  other.join();
}
BENCHMARK(BM_ParkerRoundTrip)->UseRealTime();

// Limit: the same by bare futexes.
void BM_FutexRoundTrip(benchmark::State& state) {
  const auto cpus = TwoCpus();
  if (!cpus) {
    state.SkipWithError("one processor");
    return;
  }
  constexpr int kEach = 100;
  for (auto _ : state) {
    state.SetIterationTime(isolates::bench::FutexRoundTrip(*cpus, kEach) / 1e9);
  }
}
BENCHMARK(BM_FutexRoundTrip)->Iterations(20)->UseManualTime();

}  // namespace
