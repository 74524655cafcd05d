// What the system says of a thread of this process.

#ifndef ISOLATES_SRC_BASE_THREAD_STATE_H_
#define ISOLATES_SRC_BASE_THREAD_STATE_H_

#include <sys/types.h>

namespace isolates::internal {

enum class ThreadState {
  kRunnable,  // running, or waiting for a processor
  kAsleep,    // waiting for something else
  kGone,      // there is no such thread any more
};

// Reads the state of the thread with this number (gettid). Some microseconds: for occasional looks.
ThreadState StateOfThread(pid_t thread) noexcept;

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_BASE_THREAD_STATE_H_
