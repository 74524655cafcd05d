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

namespace isolates {

struct RuntimeOptions {
  // Threads that run isolates at the same time, besides the main thread. 0: one for each processor
  // that the process may use (affinity mask, cgroup quota) but the main thread's; at least one.
  int workers = 0;
  // Bind each worker to one processor. A bind that the system refuses is a warning (RuntimeInfo).
  bool pin_workers = true;
  // What a thread does while it waits. nullptr: SpinThenPark(). See SetIdleStrategy.
  std::shared_ptr<const IdleStrategy> idle;
  // Isolates that may block (Get, Receive(timeout)) in a turn at the same time. Beyond, LimitError.
  // As many again may sleep in a turn without telling; beyond, isolates wait for a place.
  int max_blocked = 256;
  // The clock of timers. nullptr: the machine's.
  std::shared_ptr<Clock> clock;
};

// Takes effect if called before the first use of the library; afterwards StateError.
void ConfigureRuntime(RuntimeOptions options);

struct RuntimeInfo {
  std::vector<int> cpus;              // one for each place to run; the first is the main thread's
  int quota = 0;                      // the cgroup's, in processors; 0: none
  std::size_t threads = 0;            // worker threads that exist now
  std::vector<std::string> warnings;  // for example a bind that was refused
  std::uint64_t isolates_started = 0;
  std::uint64_t isolates_live = 0;
  std::uint64_t dead_letters = 0;  // messages that were accepted and never received
  std::uint64_t stalls = 0;        // turns that blocked without telling; others went on meanwhile
};
// Any thread. Starts the runtime.
RuntimeInfo runtime_info();

// What is alive and why, one line each, for reports: "isolate 'parser', kept alive by 1 ports or
// waits".
std::vector<std::string> LiveIsolates();

struct ShutdownReport {
  // Isolates that had not ended at the deadline. Their threads are left to themselves.
  std::vector<std::string> still_running;
};
// Ends all isolates but those that are plain threads (their code is unwound, their ports close),
// then the worker threads, in this order. New isolates are refused from now on. Called by itself at
// the end of the program, with a deadline of two seconds. Not from an isolate.
ShutdownReport Shutdown(Duration deadline);

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
