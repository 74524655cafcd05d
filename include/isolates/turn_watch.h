// Turns that take too long are told, with the place in the code where they are.

#ifndef ISOLATES_TURN_WATCH_H_
#define ISOLATES_TURN_WATCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "isolates/clock.h"

namespace isolates {

// A turn that has lasted too long.
struct StuckTurn {
  std::uint64_t isolate_id = 0;  // Isolate::id
  std::string isolate_name;      // Isolate::debug_name
  int worker = 0;                // the thread "isolates-w<worker>"
  Duration lasted{0};            // since a look found it there; it began before
  // Where its thread is, innermost first: "Parse(Document&) + 42". Empty if the thread did not
  // answer, or the turn ended just then.
  std::vector<std::string> stack;
};

// "isolate 'parser' (7) has been in one turn on worker 2 for 250 ms\n  at Parse(...) + 42\n ...".
std::string ToString(const StuckTurn& turn);

// From now on `told` is called for each turn of an isolate on a worker that has lasted for `limit`
// in its code. A turn that waits in the library (Get, Receive, Blocking) is not stuck: LiveIsolates
// tells of it. Told once, and again when the turn has waited and then lasts as long. (Code that
// asks again and again whether something is there, with TryReceive, never waits.)
//
// Nothing is measured in the turns themselves: a thread of the runtime looks four times per
// `limit`, so a turn is told when it has lasted for between one and one and a half of it. Time is
// that of RuntimeOptions::clock. For the stack the thread is interrupted by SIGURG; system calls in
// which it sleeps are restarted, where the system can do that.
//
// `told` runs on that thread; it must not wait, and what it throws is lost. An empty function ends
// the watch; a call of the former one may still be under way. Any thread. A limit that is not
// positive is a StateError.
void WatchTurns(Duration limit, std::function<void(const StuckTurn&)> told);

}  // namespace isolates

#endif  // ISOLATES_TURN_WATCH_H_
