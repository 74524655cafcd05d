// A copy of the counters in a segment (isolates/detail/stats_segment.h), for those who show them:
// the metrics and the dump of this process, and viewers of other processes.

#ifndef ISOLATES_SRC_BASE_STATS_COPY_H_
#define ISOLATES_SRC_BASE_STATS_COPY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "isolates/detail/stats_segment.h"

namespace isolates::internal {

struct HistogramCopy {
  std::uint64_t sum = 0;    // of all durations; where isolates share it, by the middles of buckets
  std::uint64_t max = 0;    // the longest
  std::uint64_t count = 0;  // of all buckets
  std::array<std::uint64_t, StatsHistogram::kBuckets> buckets{};

  // The duration that `share` (0..1) of all did not exceed, as the end of its bucket, and no more
  // than the longest; 0 if there are none.
  std::uint64_t Quantile(double share) const noexcept;
  // What came since an earlier copy. The longest stays that of all.
  HistogramCopy Since(const HistogramCopy& earlier) const noexcept;
};

struct HistogramsCopy {
  HistogramCopy waiting;
  HistogramCopy handling;
};

// The members are those of StatsIsolate, StatsPort and StatsThread.
struct IsolateCopy {
  std::uint64_t id = 0;
  std::string name;
  std::uint64_t flags = 0;
  std::uint64_t thread = 0;
  std::uint64_t born = 0;
  std::uint64_t heap_live = 0;
  std::uint64_t heap_committed = 0;
  std::uint64_t heap_time = 0;
  std::uint64_t turn_began = 0;
  std::uint64_t turns = 0;
  std::uint64_t events = 0;
  std::uint64_t handling = 0;
  std::uint64_t waiting = 0;
  std::uint64_t lingered = 0;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t parks = 0;
  std::uint64_t parked = 0;
  std::uint64_t wakes = 0;
  std::uint64_t last_waker = 0;
  std::optional<HistogramsCopy> histograms;  // its own, if it has them
};

struct PortCopy {
  std::uint64_t id = 0;
  std::uint64_t isolate = 0;
  std::string name;
  std::uint64_t flags = 0;
  std::uint64_t received = 0;
  std::uint64_t batches = 0;
  std::uint64_t depth = 0;
  std::uint64_t depth_max = 0;
};

struct ThreadCopy {
  std::uint64_t number = 0;  // of its entry
  std::uint64_t id = 0;
  std::uint64_t worker = 0;
  std::string name;
  std::uint64_t state = 0;
  std::uint64_t isolate = 0;
  std::uint64_t turn_began = 0;
  std::uint64_t place = 0;
  std::uint64_t turns = 0;
  std::uint64_t busy = 0;
  std::uint64_t idle = 0;
  std::uint64_t parks = 0;
  std::uint64_t wakes = 0;
  std::uint64_t steals = 0;
  std::uint64_t taken_over = 0;
  IsolateCopy others;
  PortCopy other_ports;
  HistogramsCopy histograms;
};

struct StatsCopy {
  std::uint64_t pid = 0;
  std::uint64_t started = 0;
  std::uint64_t started_time = 0;
  std::uint64_t clock = 0;
  bool ended = false;
  std::string program;
  std::uint64_t threads_beyond = 0;
  std::uint64_t isolates_beyond = 0;
  std::uint64_t ports_beyond = 0;
  // Entries in use, in the order of the tables.
  std::vector<ThreadCopy> threads;
  std::vector<IsolateCopy> isolates;
  std::vector<PortCopy> ports;
};

// Why the segment of `bytes` bytes cannot be read: another version, or not one at all. Empty: it
// can. What it says of itself is believed afterwards, as far as it lies within.
std::string RefuseStats(const StatsHeader& header, std::size_t bytes);

// Of a segment that is not refused. Any thread or process, while it is written: what is taken or
// given back meanwhile may be missing.
StatsCopy CopyStats(const StatsHeader& header);

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_BASE_STATS_COPY_H_
