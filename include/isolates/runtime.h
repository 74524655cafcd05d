// The runtime: the threads that isolates run on. It starts at the first use and costs nothing
// before.

#ifndef ISOLATES_RUNTIME_H_
#define ISOLATES_RUNTIME_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "isolates/clock.h"
#include "isolates/detail/runtime_main.h"
#include "isolates/future.h"
#include "isolates/idle_strategy.h"
#include "isolates/live_isolate.h"

namespace isolates {

// Options of ConfigureRuntime.
struct RuntimeOptions {
  // Threads that run isolates at the same time, besides the main thread. 0: one for each processor
  // that the process may use (affinity mask, cgroup quota) but the main thread's; at least one.
  // While the main thread waits in the library one more takes its processor, unless these are as
  // many as there are processors.
  int workers = 0;
  // Bind each worker to one processor. A bind that the system refuses is a warning (RuntimeInfo).
  bool pin_workers = true;
  // What a thread does while it waits. nullptr: SpinThenPark(). See SetIdleStrategy.
  std::shared_ptr<const IdleStrategy> idle;
  // Isolates that may block (Get, Receive(timeout)) in a turn at the same time. Beyond, LimitError.
  // As many again may sleep in a turn without telling; beyond, isolates wait for a place.
  int max_blocked = 256;
  // The clock of timers and of the deadlines of waits (Get, Receive, WaitFor). nullptr: the
  // machine's. Shutdown and what the runtime does for itself go by the machine's in any case.
  std::shared_ptr<Clock> clock;
  // Where other programs (isolates-top) may read the counters while this one runs: a file, best in
  // /dev/shm, with the number of the process in place of "PID"; it goes at the end. "": what
  // ISOLATES_STATS in the environment says, which may be such a path, or "1" for
  // "/dev/shm/isolates.PID"; else the counters stay in this process (docs/instruments.md).
  std::string stats_file;
};

// Takes effect if called before the first use of the library; afterwards StateError.
void ConfigureRuntime(RuntimeOptions options);

// What the runtime is made of and what has happened in it.
struct RuntimeInfo {
  std::vector<int> cpus;               // one for each place to run; the first is the main thread's
  int quota = 0;                       // the cgroup's, in processors; 0: none
  std::size_t threads = 0;             // worker threads that exist now
  std::vector<std::string> warnings;   // for example a bind that was refused
  std::uint64_t isolates_started = 0;  // so far
  std::uint64_t isolates_live = 0;     // now
  std::uint64_t dead_letters = 0;      // messages that were accepted and never received
  std::uint64_t stalls = 0;  // turns that blocked without telling; others went on meanwhile
};
// Any thread. Starts the runtime.
RuntimeInfo runtime_info();

// What is alive and why, in the order of start. Any thread; it waits for nobody, so what it says of
// an isolate that is at work has passed when it is read.
std::vector<LiveIsolate> LiveIsolates();

// What a shutdown does first.
enum class ShutdownMode {
  // First whatever was sent is handled: until every isolate is idle, or waits for something that
  // only time or a thread of the program could bring. Meanwhile isolates may start isolates; others
  // may not. Not waited for are timers and delayed messages that are not due, messages that threads
  // of the program send meanwhile, and messages for isolates that are paused or are such threads.
  kDrain,
  // Events that have not begun are dropped; their messages count as dead letters.
  kDiscard,
};

// What a shutdown had to leave.
struct ShutdownReport {
  // kDrain: isolates that still had something to do at the deadline.
  std::vector<LiveIsolate> not_drained;
  // Isolates that had not ended at the deadline. Their threads are left to themselves.
  std::vector<LiveIsolate> still_running;
};
// Ends all isolates but those that are plain threads, in three steps: with kDrain, what was sent is
// handled; then the isolates are told to end, in the order of their start (their code is unwound,
// their ports close), and new ones are refused; when they have ended, timers and worker threads
// end. `deadline` limits the first step; what is left then goes as by kDiscard. It limits the other
// two together as well. Called by itself at the end of the program, with kDiscard and two seconds.
// Only the first call does anything; without memory it throws std::bad_alloc, and the next one is
// the first. Any thread, but not in an event of the runtime's isolates
// (StateError). A program that runs an EventLoop keeps running it until then.
ShutdownReport Shutdown(ShutdownMode mode, Duration deadline);

// A standstill: see SetDeadlockHandler.
struct DeadlockReport {
  // Who is left and what each waits for, a line each.
  std::vector<std::string> waiting;
};
// See SetDeadlockHandler.
using DeadlockHandler = void (*)(const DeadlockReport& report);

// Sets what is called when, for about a second, nothing happens and nothing can: all isolates are
// idle or wait without a deadline, no timer is pending, the main thread waits in the library, and
// at least one isolate or thread is in a wait without end (Get, Receive(kForever)). It is a guess
// that may be wrong: a thread that the library does not know, or the handler of a signal, may still
// send something. So it is told, once for each standstill, and nothing is ended. By default the
// report is written to the error output. The handler runs on a thread of the runtime and must not
// wait. (std::exit in it ends all isolates, so others may go on meanwhile.) nullptr restores the
// default. Returns the former handler. Any thread.
DeadlockHandler SetDeadlockHandler(DeadlockHandler new_handler) noexcept;

// Gives memory that is free in the heaps of this thread and of all workers back to the system.
// Workers do it when they come to it.
void Trim();

// Runs `main` as the main isolate: an ordinary function or a coroutine, which returns nothing or
// the exit status. Returns when nothing keeps the main isolate alive any more. Throws what main
// throws, and an uncaught error of one of its listeners.
template <class Main>
int RunMain(Main main) {
  int status = 0;
  internal::RunAsMain(std::make_unique<internal::MainComputation<Main>>(std::move(main), status));
  return status;
}

}  // namespace isolates

#endif  // ISOLATES_RUNTIME_H_
