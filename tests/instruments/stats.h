// What tests read of the counters: as a viewer does, from the segment alone.

#ifndef ISOLATES_TESTS_INSTRUMENTS_STATS_H_
#define ISOLATES_TESTS_INSTRUMENTS_STATS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>

#include "isolates/detail/instruments.h"
#include "isolates/detail/stats_segment.h"

namespace isolates::internal {

// Entries that nobody uses any more are found as well, until they are used again.
template <class Entry>
const Entry* FindStats(const StatsHeader& header, const StatsTable& table, std::string_view name) {
  const Entry* found = nullptr;
  for (std::uint64_t number = 1; number <= StatsGet(table.used); ++number) {
    const auto& entry = StatsEntry<Entry>(header, table, number);
    if (entry.generation.load(std::memory_order_acquire) == 0 || entry.name.Get() != name) continue;
    if (found == nullptr || StatsGet(found->id) < StatsGet(entry.id)) found = &entry;
  }
  return found;
}
// The newest of that name.
inline const StatsIsolate& IsolateStats(std::string_view name) {
  const StatsHeader& header = *LocalStats();
  static const StatsIsolate none{};
  const auto* const found = FindStats<StatsIsolate>(header, header.isolates, name);
  EXPECT_NE(found, nullptr) << name;
  return found != nullptr ? *found : none;
}
inline const StatsPort& PortStats(std::string_view name) {
  const StatsHeader& header = *LocalStats();
  static const StatsPort none{};
  const auto* const found = FindStats<StatsPort>(header, header.ports, name);
  EXPECT_NE(found, nullptr) << name;
  return found != nullptr ? *found : none;
}

}  // namespace isolates::internal

#endif  // ISOLATES_TESTS_INSTRUMENTS_STATS_H_
