// The clock of counters and traces: nanoseconds of CLOCK_MONOTONIC, by the processor's counter
// where the system itself goes by that; or the time of the clock that the program or a simulation
// has put in its place.

#ifndef ISOLATES_DETAIL_STATS_CLOCK_H_
#define ISOLATES_DETAIL_STATS_CLOCK_H_

#include <atomic>
#include <cstdint>
#include <limits>

#include "isolates/clock.h"

namespace isolates::internal {

// How the processor's counter is read as nanoseconds. const once published.
struct StatsScale {
  std::uint64_t ticks = 0;                // of the counter, when it was
  std::uint64_t time = 0;                 // so many nanoseconds
  std::uint64_t nanoseconds_by_tick = 0;  // times 2^32
  std::uint64_t good_for = 0;             // ticks, then it is to be measured again
};

// nullptr: there is none, or not yet, or the program has a clock of its own.
extern constinit std::atomic<const StatsScale*> stats_scale;

// False: the counter does not run evenly, or there is none.
bool HasEvenTicks() noexcept;

inline std::uint64_t ReadTicks() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return 0;
#endif
}

std::uint64_t StatsNowSlow() noexcept;

// Any thread. About 13 ns.
inline std::uint64_t StatsNow() noexcept {
  if (thread_clock != nullptr) [[unlikely]] {
    return static_cast<std::uint64_t>(thread_clock->Now().time_since_epoch().count());
  }
  // acquire - pairs with StatsNowSlow: what it points to is complete.
  if (const StatsScale* const scale = stats_scale.load(std::memory_order_acquire)) {
    const std::uint64_t ticks = ReadTicks() - scale->ticks;
    if (ticks < scale->good_for) {
      __extension__ using Wide = unsigned __int128;
      return scale->time + static_cast<std::uint64_t>(
                               static_cast<Wide>(ticks) * scale->nanoseconds_by_tick >> 32);
    }
  }
  return StatsNowSlow();
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_STATS_CLOCK_H_
