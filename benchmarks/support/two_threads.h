// Two pinned threads that start together: what limits and baselines are made of.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_TWO_THREADS_H_
#define ISOLATES_BENCHMARKS_SUPPORT_TWO_THREADS_H_

#include <atomic>
#include <cstdint>
#include <thread>

#include "benchmarks/support/placement.h"
#include "benchmarks/support/stopwatch.h"

namespace isolates::bench {

// Runs `far` on a thread on cpus.far and, once that is up, `near` here on cpus.near. Nanoseconds
// from then until `near` has returned; `far` must end, too.
template <class Near, class Far>
double TimeOfBoth(CpuPair cpus, Near near, Far far) {
  std::atomic<bool> up{false};
  std::thread other([&] {
    const PinnedHere pinned(cpus.far);
    // relaxed - nothing but the fact that the thread runs.
    up.store(true, std::memory_order_relaxed);
    far();
  });
  const PinnedHere pinned(cpus.near);
  while (!up.load(std::memory_order_relaxed)) {
  }
  const double ns = TimeOf(near);
  other.join();
  return ns;
}

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_TWO_THREADS_H_
