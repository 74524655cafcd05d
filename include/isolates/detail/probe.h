// Probes: places to which perf, bpftrace and SystemTap can attach while the program runs (USDT).
// Where nobody has attached, one is an instruction that does nothing. Provider "isolates":
//
//   send           a message was accepted: id of the port
//   receive        a message is taken out: id of the port
//   wake           an isolate that was idle, or slept in a turn, is woken: its id
//   turn_begin     a turn begins on this thread: id and name of the isolate
//   turn_end       it has ended: id of the isolate
//   isolate_start  the code of an isolate begins: its id and name
//   isolate_exit   an isolate has ended: its id, and why (ExitReason)
//   handover       a value was looked at with its heap: blocks and bytes that it owns, and whether
//                  the heap may be dropped whole

#ifndef ISOLATES_DETAIL_PROBE_H_
#define ISOLATES_DETAIL_PROBE_H_

#include "isolates/detail/instruments.h"

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

#endif  // ISOLATES_DETAIL_PROBE_H_
