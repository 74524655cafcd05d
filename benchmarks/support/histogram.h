// Histogram: a high dynamic range histogram of times, or of other whole numbers.
//
// Buckets are as wide as one part in 128 of what they count, or one: the value of a percentile is
// at most 1/128 too large, and never too small. The memory is the same whatever is recorded.
//
// Coordinated omission: a client that waits for each answer before it asks again asks nothing while
// an answer is late, so the late ones count too little. Where requests were due at a fixed
// interval, RecordCorrected adds those that were not made: had they been asked in time, they would
// have waited for value - interval, value - 2 * interval, and so on.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_HISTOGRAM_H_
#define ISOLATES_BENCHMARKS_SUPPORT_HISTOGRAM_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace isolates::bench {

class Histogram {
 public:
  Histogram() : counts_(kBuckets) {}

  void Record(std::uint64_t value, std::uint64_t count = 1) {
    if (count == 0) return;
    counts_[BucketOf(value)] += count;
    count_ += count;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }

  void RecordCorrected(std::uint64_t value, std::uint64_t expected_interval) {
    Record(value);
    if (expected_interval == 0) return;
    while (value >= 2 * expected_interval) {
      value -= expected_interval;
      Record(value);
    }
  }

  void Merge(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
  }

  // The least value that `percent` of all do not exceed; 100 is the maximum. 0 if there are none.
  std::uint64_t Percentile(double percent) const {
    if (count_ == 0) return 0;
    const double part = std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(count_);
    const auto rank =
        std::clamp(static_cast<std::uint64_t>(std::ceil(part)), std::uint64_t{1}, count_);
    std::uint64_t seen = 0;
    std::size_t bucket = 0;
    while ((seen += counts_[bucket]) < rank) ++bucket;
    return std::clamp(LastOf(bucket), min_, max_);
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }  // exact
  std::uint64_t max() const { return max_; }                    // exact

 private:
  // Numbers below 2 * kParts have a bucket each. From there on each doubling has kParts of them.
  static constexpr unsigned kPartBits = 7;
  static constexpr std::uint64_t kParts = std::uint64_t{1} << kPartBits;
  static constexpr std::size_t kBuckets = (64 - kPartBits + 1) * kParts;

  // How many low bits do not matter.
  static unsigned ShiftOf(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    return width <= kPartBits + 1 ? 0 : width - (kPartBits + 1);
  }
  static std::size_t BucketOf(std::uint64_t value) {
    const unsigned shift = ShiftOf(value);
    return shift * kParts + (value >> shift);
  }
  // The largest number in the bucket.
  static std::uint64_t LastOf(std::size_t bucket) {
    if (bucket < 2 * kParts) return bucket;
    const std::size_t shift = bucket / kParts - 1;
    const std::uint64_t top = bucket - shift * kParts;
    return (top << shift) + ((std::uint64_t{1} << shift) - 1);
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t max_ = 0;
};

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_HISTOGRAM_H_
