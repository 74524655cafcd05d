// Probes: places to which perf, bpftrace and SystemTap can attach while the program runs (USDT).
// Where nobody has attached, one is an instruction that does nothing. Provider "isolates":
//
//   send           a message is put before a port: its id
//   receive        a message is taken out of a port: its id
//   wake           an isolate that was idle, or slept in a turn, is woken: its id, and that of the
//                  isolate that does it, or 0
//   turn_begin     a turn begins on this thread: id and name of the isolate
//   turn_end       it has ended: id of the isolate
//   isolate_start  the code of an isolate begins: its id and name
//   isolate_exit   an isolate has ended: its id, and why (ExitReason)
//   handover       a value was looked at with its heap: blocks and bytes that it owns, and whether
//                  the heap may be dropped whole

#ifndef ISOLATES_DETAIL_PROBE_H_
#define ISOLATES_DETAIL_PROBE_H_

#include <cstdint>

#include "isolates/detail/instruments_level.h"

#if ISOLATES_INSTRUMENTS
#include <sys/sdt.h>
#define ISOLATES_PROBE1(name, a) STAP_PROBE1(isolates, name, a)
#define ISOLATES_PROBE2(name, a, b) STAP_PROBE2(isolates, name, a, b)
#define ISOLATES_PROBE3(name, a, b, c) STAP_PROBE3(isolates, name, a, b, c)
#else
#define ISOLATES_PROBE1(name, a) static_cast<void>(0)
#define ISOLATES_PROBE2(name, a, b) static_cast<void>(0)
#define ISOLATES_PROBE3(name, a, b, c) static_cast<void>(0)
#endif

namespace isolates::internal {

// While alive, this thread runs a turn of the isolate.
class ProbedTurn {
 public:
  ProbedTurn(std::uint64_t id, [[maybe_unused]] const char* name) noexcept : id_(id) {
    ISOLATES_PROBE2(turn_begin, id_, name);
  }
  ProbedTurn(const ProbedTurn&) = delete;
  ProbedTurn& operator=(const ProbedTurn&) = delete;
  ~ProbedTurn() { ISOLATES_PROBE1(turn_end, id_); }

 private:
  [[maybe_unused]] const std::uint64_t id_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PROBE_H_
