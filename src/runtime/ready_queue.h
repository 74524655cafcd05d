// ReadyQueue: isolates that wait for a worker, first come, first served.
//
// Protocol
//   operation   who may call   progress
//   Push        any thread     lock-free (EventStack)
//   TryPop      any worker     wait-free; one takes at a time, and who comes meanwhile gets nothing
//
// Rules
//   R1. What was pushed before another Push began comes out before it: arrivals are taken over as a
//       whole, in their order, when all that was taken over before has gone.
//   R2. Whoever has changed taking_ from false to true has the list, until it changes it back.
//   R3. "Nothing" may mean that another worker takes one at this moment. Whoever must not miss an
//       isolate counts those that are ready (Runtime::ready_count_), and comes back.
//
// A queue of moodycamel's served this before. It is not first in, first out between producers: a
// worker that puts its isolates back kept its own part full, and was served from there for long,
// while isolates that others had made ready waited.

#ifndef ISOLATES_SRC_RUNTIME_READY_QUEUE_H_
#define ISOLATES_SRC_RUNTIME_READY_QUEUE_H_

#include "isolates/detail/atomics.h"
#include "isolates/detail/event_node.h"

namespace isolates::internal {

// Node: has a member next_event.
template <class Node, class Atomics = StdAtomics>
class ReadyQueue {
 public:
  void Push(Node* node) noexcept { arrivals_.Push(node); }

  [[nodiscard]] Node* TryPop() noexcept {
    // acquire - pairs with the release below: the list is as the worker before left it (R2).
    if (taking_.exchange(true, std::memory_order_acquire)) return nullptr;
    if (list_.empty()) list_.AppendChain(arrivals_.TakeAll());
    Node* const node = list_.PopFront();
    // release - pairs with the exchange above.
    taking_.store(false, std::memory_order_release);
    return node;
  }

 private:
  EventStack<Node, Atomics> arrivals_;
  typename Atomics::template Atomic<bool> taking_{false};
  EventList<Node> list_;  // of whoever takes (R2)
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_READY_QUEUE_H_
