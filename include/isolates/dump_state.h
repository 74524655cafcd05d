// What everything is at, as text: for a program that does not do what it should.

#ifndef ISOLATES_DUMP_STATE_H_
#define ISOLATES_DUMP_STATE_H_

#include <iosfwd>
#include <string>

namespace isolates {

// Writes what the runtime is at: each isolate with its state, what it waits for and what keeps it
// alive, its ports and how many messages wait there; each worker thread and what it runs; who else
// waits in the library; the counters. Text for people, whose form may change.
//
// Any thread, also in an isolate; it waits for nobody, so what it says of those that are at work
// has passed when it is read. Isolates of simulations are not in it.
void DumpState(std::ostream& out);

// From now on the signal appends a dump to the file, which is made if need be. The handler only
// tells a thread of the runtime to do it, so the dump works while all workers are stuck; it comes
// soon after the signal. Replaces the handler that the signal had, and the path of an earlier call.
// Any thread. StateError if the signal cannot be handled; a file that cannot be written then is
// passed over in silence.
void DumpOnSignal(int signal, std::string path);

}  // namespace isolates

#endif  // ISOLATES_DUMP_STATE_H_
