// The stack of another thread of this process, while it runs: for reports of turns that are stuck.
//
// The thread is interrupted by a signal, whose handler writes down the return addresses; names are
// found afterwards, by whoever asked. The signal is SIGURG, which does nothing where nobody waits
// for it; one that did not come from here goes to the handler that was there before.

#ifndef ISOLATES_SRC_RUNTIME_THREAD_STACK_H_
#define ISOLATES_SRC_RUNTIME_THREAD_STACK_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace isolates::internal {

// Installs the handler, once for the process. Before the first CaptureStack.
void PrepareStackCapture();

// The addresses of the code that the thread (gettid) is in, innermost first. Empty if it did not
// answer: it has ended, or has the signal blocked, or the system did not let it run in time. One
// call at a time, on any thread.
std::vector<std::uintptr_t> CaptureStack(pid_t thread);

// "Parse(Document&) + 42", or "libfoo.so + 4660" where no name is known; one for each address.
std::vector<std::string> NameCode(const std::vector<std::uintptr_t>& addresses);

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_THREAD_STACK_H_
