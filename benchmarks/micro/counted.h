// What one iteration costs besides time, as user counters of Google Benchmark: allocations of the
// whole process, and instructions and cycles of the calling thread where the machine counts them.

#ifndef ISOLATES_BENCHMARKS_MICRO_COUNTED_H_
#define ISOLATES_BENCHMARKS_MICRO_COUNTED_H_

#include <benchmark/benchmark.h>

#include <cstdint>
#include <optional>

#include "benchmarks/support/allocations.h"
#include "benchmarks/support/counters.h"

namespace isolates::bench {

// Made before the loop, ended by Finish after it.
class Counted {
 public:
  explicit Counted(benchmark::State& state) : state_(state) {}

  // `operations`: in each iteration.
  void Finish(std::int64_t operations = 1) {
    const std::uint64_t allocations = Allocations() - allocations_;
    const auto each = [&](std::uint64_t count) {
      return static_cast<double>(count) / static_cast<double>(operations);
    };
    const auto set = [&](const char* name, double value) {
      state_.counters[name] = benchmark::Counter(value, benchmark::Counter::kAvgIterations);
    };
    set("allocations", each(allocations));
    if (const auto count = counters_.instructions())
      set("instructions", each(*count - *start_instructions_));
    if (const auto count = counters_.cycles()) set("cycles", each(*count - *start_cycles_));
    if (operations != 1) state_.SetItemsProcessed(state_.iterations() * operations);
  }

 private:
  benchmark::State& state_;
  const ThreadCounters counters_;
  const std::uint64_t allocations_ = Allocations();
  const std::optional<std::uint64_t> start_instructions_ = counters_.instructions();
  const std::optional<std::uint64_t> start_cycles_ = counters_.cycles();
};

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_MICRO_COUNTED_H_
