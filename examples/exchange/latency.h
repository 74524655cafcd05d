// Latencies of a run, in memory that does not grow with it.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_LATENCY_H_
#define ISOLATES_EXAMPLES_EXCHANGE_LATENCY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/support/histogram.h"

namespace exchange {

// One way of the orders: from a moment in one stage to a moment in the same or another.
struct HopReport {
  std::string name;
  std::uint64_t count = 0;
  std::uint64_t p50 = 0;  // nanoseconds, as all here
  std::uint64_t p99 = 0;
  std::uint64_t p999 = 0;
  std::uint64_t max = 0;
  std::vector<std::pair<double, std::uint64_t>> curve;  // percent, latency
};

HopReport Report(const std::string& name, const isolates::bench::Histogram& latencies);

// How latencies were over the run: the median, the 99th percentile and the maximum of each of a few
// hundred spans of time. When the run is longer than they are in all, each becomes twice as long.
class Timeline {
 public:
  struct Span {
    std::uint64_t start = 0;  // nanoseconds from the beginning
    std::uint64_t count = 0;
    std::uint64_t p50 = 0;
    std::uint64_t p99 = 0;
    std::uint64_t max = 0;
  };

  // `expected`: how long the run will last, in nanoseconds; 0: not known.
  explicit Timeline(std::uint64_t expected);

  void Record(std::uint64_t time, std::uint64_t latency);
  std::vector<Span> Report() const;

 private:
  static constexpr std::size_t kSpans = 240;
  // Four buckets for each doubling.
  static constexpr std::size_t kBuckets = 256;

  struct Slot {
    std::array<std::uint32_t, kBuckets> counts{};
    std::uint64_t count = 0;
    std::uint64_t max = 0;
  };

  static std::size_t BucketOf(std::uint64_t latency) noexcept;
  static std::uint64_t LastOf(std::size_t bucket) noexcept;
  static std::uint64_t Percentile(const Slot& slot, std::uint64_t thousandths);
  void Halve();

  std::vector<Slot> slots_;
  std::uint64_t length_;  // of a slot
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_LATENCY_H_
