// What the library writes into the trace (isolates/trace.h), while there is one.
//
// Each thread has a ring of records of its own. A message has no number of its own: on both sides
// it is known by the lane that it goes by and its number there, or by the address of its envelope.

#ifndef ISOLATES_DETAIL_INSTRUMENTS_TRACE_H_
#define ISOLATES_DETAIL_INSTRUMENTS_TRACE_H_

#include <atomic>
#include <cstdint>

#include "isolates/detail/instruments_level.h"
#include "isolates/detail/stats_segment.h"

namespace isolates::internal {

// One record each: the isolate that does it (0: a plain thread), and what stands here.
enum class TraceKind : std::uint8_t {
  kNone,
  kTurnBegin,
  kTurnEnd,
  kPark,  // the isolate sleeps in its turn
  kUnpark,
  kSend,          // message, port: it is handed to the port
  kVisible,       // the same: the receiver can find it
  kDequeued,      // the same
  kHandlerBegin,  // the same; of listeners. Others handle what they have received until they
                  // receive the next
  kHandlerEnd,
  kWake,   // isolate that was idle or slept
  kStart,  // isolate that is started
  kExit,   // ExitReason
  kParcelSent,
  kParcelAdopted,
};

#if ISOLATES_INSTRUMENTS

extern constinit std::atomic<bool> trace_on;

// Any thread.
inline bool Tracing() noexcept {
  return trace_on.load(std::memory_order_relaxed);  // relaxed - nothing is published by it
}
// Any thread, while Tracing(). Allocates nothing; a thread's ring is mapped at its first record.
void TraceEvent(TraceKind kind, std::uint64_t isolate, std::uint64_t first = 0,
                std::uint64_t second = 0) noexcept;
// The isolate begins a turn. Its name stands in its entry.
void TraceTurn(const StatsIsolate& entry, std::uint64_t id) noexcept;

// Of a lane. Numbers of messages begin with 1.
class LaneMeter {
 public:
  std::uint64_t MessageId(std::uint64_t number) const noexcept {
    return kInLane | id_ << kNumberBits | (number & ((std::uint64_t{1} << kNumberBits) - 1));
  }

 private:
  static constexpr std::uint64_t kInLane = std::uint64_t{1} << 63;
  static constexpr int kNumberBits = 40;
  static std::uint64_t NextId() noexcept {
    return next_id_.fetch_add(1, std::memory_order_relaxed);  // relaxed - a number generator
  }
  static constinit std::atomic<std::uint64_t> next_id_;

  const std::uint64_t id_ = NextId();
};

#else

constexpr bool Tracing() noexcept { return false; }
inline void TraceEvent(TraceKind, std::uint64_t, std::uint64_t = 0, std::uint64_t = 0) noexcept {}

class LaneMeter {
 public:
  std::uint64_t MessageId(std::uint64_t) const noexcept { return 0; }
};

#endif

// Of a message in an envelope; unique while it is on its way.
inline std::uint64_t MessageIdOf(const void* envelope) noexcept {
  return reinterpret_cast<std::uintptr_t>(envelope);
}

// While alive, a message is sent; afterwards its receiver can find it.
class TracedSend {
 public:
  TracedSend(std::uint64_t isolate, std::uint64_t message, std::uint64_t port) noexcept
      : isolate_(isolate), message_(message), port_(port) {
    if (Tracing()) TraceEvent(TraceKind::kSend, isolate_, message_, port_);
  }
  TracedSend(const TracedSend&) = delete;
  TracedSend& operator=(const TracedSend&) = delete;
  ~TracedSend() {
    if (Tracing()) TraceEvent(TraceKind::kVisible, isolate_, message_, port_);
  }

 private:
  const std::uint64_t isolate_;
  const std::uint64_t message_;
  const std::uint64_t port_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_INSTRUMENTS_TRACE_H_
