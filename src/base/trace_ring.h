// The rings that threads write their records of a trace to.
//
//   word              writer                       readers
//   Ring::next        its creator, before          everybody
//                     publication
//   Ring::trace       the thread of the ring       everybody: which trace its records belong to
//   Ring::head        the same                     everybody: records that were written, ever
//   records           the same                     everybody: those from head - kRecords on may be
//                                                  overwritten while they are read
//   Ring::owned       whoever takes the ring,      ClaimRing
//                     its thread's end
//
// A reader reads head, then records, then head again, and drops what may have been overwritten
// meanwhile. Rings are never unmapped; a thread that comes later takes one whose thread has ended
// and whose records belong to an earlier trace.

#ifndef ISOLATES_SRC_BASE_TRACE_RING_H_
#define ISOLATES_SRC_BASE_TRACE_RING_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "isolates/detail/instruments_trace.h"

namespace isolates::internal {

#if ISOLATES_INSTRUMENTS

struct TraceWords {
  static constexpr int kKindShift = 56;
  static constexpr std::uint64_t kOtherClock = std::uint64_t{1} << 55;  // a simulation's time
  static constexpr std::uint64_t kIsolateMask = kOtherClock - 1;

  std::array<StatsWord, 4> words;  // time; kind, clock and isolate; first; second
};
static_assert(sizeof(TraceWords) == 32);

struct TraceRing {
  StatsWord head;
  StatsWord trace;
  StatsWord thread;  // of the system
  StatsText<4> name;
  std::atomic<bool> owned;
  std::size_t records;  // a power of two. const
  TraceRing* next;      // const once published

  TraceWords* slots() noexcept {
    return reinterpret_cast<TraceWords*>(reinterpret_cast<std::byte*>(this) + kHead);
  }
  static constexpr std::size_t kHead = 4096;
};

// A record as a reader has it.
struct TraceRecord {
  std::uint64_t time = 0;
  TraceKind kind = TraceKind::kNone;
  bool other_clock = false;
  std::uint64_t isolate = 0;
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

// What one thread has recorded in this trace, oldest first.
struct TracedThread {
  std::uint64_t thread = 0;
  std::string name;
  bool overwritten = false;  // there were more, older ones
  std::vector<TraceRecord> records;
};

// The first ring, or nullptr.
TraceRing* FirstRing() noexcept;
std::uint64_t CurrentTrace() noexcept;
// Reads a record. False: it has been overwritten.
bool ReadRecord(TraceRing& ring, std::uint64_t number, TraceRecord& record) noexcept;
// Begins another trace: former records are forgotten.
void BeginTrace(std::size_t records_of_thread);
void EndTrace() noexcept;
std::vector<TracedThread> CollectTrace();

// The name of an isolate that has had a turn in this trace, or "".
std::string TracedName(std::uint64_t isolate);

#endif

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_BASE_TRACE_RING_H_
