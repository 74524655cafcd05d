#include "examples/exchange/latency.h"

#include <algorithm>
#include <bit>

namespace exchange {

HopReport Report(const std::string& name, const isolates::bench::Histogram& latencies) {
  HopReport report{.name = name,
                   .count = latencies.count(),
                   .p50 = latencies.Percentile(50),
                   .p99 = latencies.Percentile(99),
                   .p999 = latencies.Percentile(99.9),
                   .max = latencies.max(),
                   .curve = {}};
  if (report.count == 0) return report;
  for (const double percent : {0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95,
                               99.99, 99.995, 99.999, 99.9999}) {
    // Beyond what there are orders for, all would be the maximum.
    if ((1 - percent / 100) * static_cast<double>(report.count) < 1) break;
    report.curve.emplace_back(percent, latencies.Percentile(percent));
  }
  report.curve.emplace_back(100.0, report.max);
  return report;
}

Timeline::Timeline(std::uint64_t expected)
    : slots_(kSpans), length_(std::max<std::uint64_t>(1'000'000, expected / (kSpans - 20))) {}

std::size_t Timeline::BucketOf(std::uint64_t latency) noexcept {
  if (latency < 8) return latency;
  const auto shift = static_cast<unsigned>(std::bit_width(latency)) - 3;
  return 4 * (shift + 1) + (latency >> shift & 3);
}
std::uint64_t Timeline::LastOf(std::size_t bucket) noexcept {
  if (bucket < 8) return bucket;
  const std::size_t shift = bucket / 4 - 1;
  return ((4 + bucket % 4 + 1) << shift) - 1;
}

void Timeline::Record(std::uint64_t time, std::uint64_t latency) {
  while (time / length_ >= kSpans) Halve();
  Slot& slot = slots_[time / length_];
  ++slot.counts[BucketOf(latency)];
  ++slot.count;
  slot.max = std::max(slot.max, latency);
}

void Timeline::Halve() {
  for (std::size_t i = 0; i < kSpans; ++i) {
    Slot both;
    for (std::size_t k = 2 * i; k < std::min(2 * i + 2, kSpans); ++k) {
      for (std::size_t b = 0; b < kBuckets; ++b) both.counts[b] += slots_[k].counts[b];
      both.count += slots_[k].count;
      both.max = std::max(both.max, slots_[k].max);
    }
    slots_[i] = both;
  }
  length_ *= 2;
}

std::uint64_t Timeline::Percentile(const Slot& slot, std::uint64_t thousandths) {
  const std::uint64_t rank = (slot.count * thousandths + 999) / 1000;
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while ((seen += slot.counts[bucket]) < rank) ++bucket;
  return std::min(LastOf(bucket), slot.max);
}

std::vector<Timeline::Span> Timeline::Report() const {
  std::vector<Span> spans;
  for (std::size_t i = 0; i < kSpans; ++i) {
    const Slot& slot = slots_[i];
    if (slot.count == 0) continue;
    spans.push_back({.start = i * length_,
                     .count = slot.count,
                     .p50 = Percentile(slot, 500),
                     .p99 = Percentile(slot, 990),
                     .max = slot.max});
  }
  return spans;
}

}  // namespace exchange
