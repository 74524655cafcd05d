// Place and Worker; see README.md in this folder.

#ifndef ISOLATES_SRC_RUNTIME_PLACE_H_
#define ISOLATES_SRC_RUNTIME_PLACE_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "isolates/detail/cpu.h"
#include "isolates/detail/event_node.h"
#include "isolates/detail/main_heap.h"
#include "src/isolate/core.h"
#include "src/isolate/thread_context.h"
#include "src/runtime/ready_queue.h"

namespace isolates::internal {

class PerfAccount;
class Worker;

// The owner of a place: a worker, the main thread, or nobody.
//   nobody -> worker   Runtime::FillPlace (any thread), or the worker itself after it blocked
//   worker -> nobody   the worker before it blocks; the keeper, when its turn sleeps
//   nobody <-> main    the main thread around a wait
//   worker -> main     the main thread after a wait
class Place : public MainHeapObject {
 public:
  Place(int place_index, int cpu_number) : index(place_index), cpu(cpu_number) {}

  // Stands for the main thread as an owner; never dereferenced.
  static Worker* MainThread() noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    return reinterpret_cast<Worker*>(std::uintptr_t{1});
  }

  const int index;
  // The processor that its owner is bound to; changed when an isolate gets one for itself.
  std::atomic<int> cpu;
  // Ready isolates: those that pass the others, and the others.
  ReadyQueue<IsolateCore> urgent;
  ReadyQueue<IsolateCore> ready;
  alignas(kCacheLine) std::atomic<Worker*> owner{nullptr};
  // The worker that sleeps here because it found nothing to do. Whoever takes it out must unpark
  // it.
  std::atomic<Worker*> idle{nullptr};
};

// A worker that has a processor, and one isolate, for itself.
struct Dedication : MainHeapObject {
  Ref<IsolateCore> core;
  std::shared_ptr<const IdleStrategy> idle;
  std::size_t cpu_index = 0;  // among the allowed processors
};

class Worker : public MainHeapObject {
 public:
  explicit Worker(int worker_number) : number(worker_number) {}

  std::string thread_name() const { return "isolates-w" + std::to_string(number); }

  const int number;  // in creation order
  std::thread thread;
  pid_t tid = 0;                     // set by the thread before it is announced
  ThreadContext* context = nullptr;  // set by the thread before it is announced
  WorkerHeaps* heaps = nullptr;      // the same
  std::atomic<Place*> place{
      nullptr};  // assigned by Runtime::FillPlace; the worker may have lost it since
  // Given to a spare by Runtime::Dedicate, which owns nothing of it then; back to nullptr by the
  // worker.
  std::atomic<Dedication*> dedication{nullptr};
  Dedication* dedicated = nullptr;  // the worker only, while it has a processor for itself
  // Isolates that only this worker may run. Any thread pushes and unparks; the worker takes all.
  EventStack<IsolateCore> bound;
  EventList<IsolateCore> bound_now;  // the worker only
  std::size_t searches = 0;          // the worker only
  // Not zero while the worker waits in a turn: nobody runs what is bound to it (see Schedule).
  std::atomic<std::uint32_t> waits{0};
  // Odd while a turn runs. The keeper compares two looks.
  std::atomic<std::uint64_t> turns{0};
  // The isolate whose turn runs, or ran last: its id.
  std::atomic<std::uint64_t> runs{0};
  // It has lost its place in the turn that it runs. Set by the keeper, the main thread or the
  // worker, cleared by the worker.
  std::atomic<bool> stalled{false};
  std::atomic<bool> collect_asked{false};
  // Made by the worker when its turns are charged for the first time (CountPerf); never freed.
  std::atomic<PerfAccount*> perf{nullptr};
  std::atomic<bool> exited{false};
  Worker* next_spare = nullptr;  // guarded by the runtime's spares mutex
};

// The worker that the calling thread is, or nullptr.
extern thread_local constinit Worker* current_worker;

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_PLACE_H_
