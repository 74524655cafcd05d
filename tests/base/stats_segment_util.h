// A segment of counters as a program would have it, for tests of those who read it.

#ifndef ISOLATES_TESTS_BASE_STATS_SEGMENT_UTIL_H_
#define ISOLATES_TESTS_BASE_STATS_SEGMENT_UTIL_H_

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "isolates/detail/stats_segment.h"

namespace isolates::internal {

inline void PutTable(StatsTable& table, const StatsSegment& segment, const void* begin,
                     std::size_t stride, std::size_t capacity) {
  const auto offset =
      static_cast<const std::byte*>(begin) - reinterpret_cast<const std::byte*>(&segment);
  StatsPut(table.offset, static_cast<std::uint64_t>(offset));
  StatsPut(table.stride, stride);
  StatsPut(table.capacity, capacity);
}

// Of this process, and empty.
inline std::unique_ptr<StatsSegment> MakeSegment() {
  auto segment = std::make_unique<StatsSegment>();
  StatsHeader& header = segment->header;
  StatsPut(header.version, kStatsVersion);
  StatsPut(header.bytes, sizeof(StatsSegment));
  StatsPut(header.pid, static_cast<std::uint64_t>(getpid()));
  header.program.Put("a program");
  PutTable(header.threads, *segment, &segment->threads, sizeof(StatsThread), kStatsThreads);
  PutTable(header.isolates, *segment, &segment->isolates, sizeof(StatsIsolate), kStatsIsolates);
  PutTable(header.ports, *segment, &segment->ports, sizeof(StatsPort), kStatsPorts);
  PutTable(header.histograms, *segment, &segment->histograms, sizeof(StatsHistograms),
           kStatsOwnHistograms);
  StatsPut(header.magic, kStatsMagic);
  return segment;
}

// The next entry of a table, in use.
inline StatsIsolate& AddIsolate(StatsSegment& segment, std::uint64_t id, std::string_view name) {
  StatsIsolate& isolate = segment.isolates[StatsGet(segment.header.isolates.used)];
  StatsAdd(segment.header.isolates.used, 1);
  StatsPut(isolate.id, id);
  isolate.name.Put(name);
  StatsPut(isolate.generation, 1);
  return isolate;
}
inline StatsPort& AddPort(StatsSegment& segment, std::uint64_t id, std::uint64_t isolate,
                          std::string_view name) {
  StatsPort& port = segment.ports[StatsGet(segment.header.ports.used)];
  StatsAdd(segment.header.ports.used, 1);
  StatsPut(port.id, id);
  StatsPut(port.isolate, isolate);
  port.name.Put(name);
  StatsPut(port.generation, 1);
  return port;
}
inline StatsThread& AddThread(StatsSegment& segment, std::uint64_t id, std::string_view name) {
  StatsThread& thread = segment.threads[StatsGet(segment.header.threads.used)];
  StatsAdd(segment.header.threads.used, 1);
  StatsPut(thread.id, id);
  thread.name.Put(name);
  StatsPut(thread.generation, 1);
  return thread;
}

}  // namespace isolates::internal

#endif  // ISOLATES_TESTS_BASE_STATS_SEGMENT_UTIL_H_
