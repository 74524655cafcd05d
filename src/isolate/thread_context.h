// What the isolate room keeps for each thread.

#ifndef ISOLATES_SRC_ISOLATE_THREAD_CONTEXT_H_
#define ISOLATES_SRC_ISOLATE_THREAD_CONTEXT_H_

#include <atomic>

#include "isolates/detail/instruments.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/parker.h"
#include "isolates/detail/ref.h"
#include "isolates/idle_strategy.h"

namespace isolates::internal {

class IsolateCore;
class WorkerHeaps;

// Contexts are never freed, only reused by later threads: so a wake-up that comes late reaches a
// live object, and an awake thread takes no harm from it.
struct ThreadContext : MainHeapObject {
  Parker parker;
  ThreadContext* next_free = nullptr;
  // The runtime asks the turn that runs here to end after its event. Any thread sets it.
  std::atomic<bool> end_turn{false};
  // A worker thread's heaps; nullptr on plain threads.
  WorkerHeaps* heaps = nullptr;
  // How this thread waits; nullptr: as all do (Scheduler::idle_strategy). Set by the thread itself.
  const IdleStrategy* idle_strategy = nullptr;
  // The thread has a processor for itself, however crowded the others are.
  bool has_processor = false;
  IdleStrategy::Memory idle_memory;
  [[no_unique_address]] ThreadMeter meter;  // used by the thread
};

// The calling thread's context, made at the first call.
ThreadContext& ThisThread();

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_ISOLATE_THREAD_CONTEXT_H_
