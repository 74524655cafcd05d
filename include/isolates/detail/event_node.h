// EventNode and EventStack: how other threads put events before an isolate.
//
// Protocol
//   operation   who may call             progress
//   Push        any thread               lock-free (one compare-exchange loop)
//   TakeAll     the owner of the stack   wait-free (one exchange)
//
// Rules
//   E1. A node is in at most one stack or list at a time; whoever may push it is agreed outside.
//   E2. The owner takes the whole stack at once. So no node is ever popped singly, and the ABA
//   problem
//       of a stack cannot arise.
//   E3. TakeAll returns the nodes in the order in which they were pushed.
//
// Not promised: a Push that is in progress during TakeAll may or may not be seen; the caller of
// Push tells the owner afterwards (PortHost::Push), and that order makes sure that nothing is left
// behind.

#ifndef ISOLATES_DETAIL_EVENT_NODE_H_
#define ISOLATES_DETAIL_EVENT_NODE_H_

#include "isolates/detail/atomics.h"

namespace isolates::internal {

// Something that waits to be handled by an isolate, in one of its turns.
class EventNode {
 public:
  // Called once on the isolate's thread, in a turn.
  virtual void OnEvent() = 0;
  // Called instead of OnEvent when the isolate has ended. On the isolate's thread.
  virtual void OnDiscard() noexcept = 0;

  EventNode* next_event = nullptr;  // written by whoever holds the node at the moment (E1)

 protected:
  ~EventNode() = default;
};

template <class Node, class Atomics = StdAtomics>
class EventStack {
 public:
  void Push(Node* node) noexcept {
    // relaxed - only a first guess for the compare-exchange.
    Node* head = head_.load(std::memory_order_relaxed);
    do {
      node->next_event = head;
      // release - pairs with TakeAll: the node's contents and its link become visible. On failure
      // relaxed: the value is only compared again.
    } while (!head_.compare_exchange_weak(head, node, std::memory_order_release,
                                          std::memory_order_relaxed));
  }

  // A hint: what is pushed at this moment may be missed.
  bool empty() const noexcept { return head_.load(std::memory_order_relaxed) == nullptr; }

  // All nodes pushed so far, oldest first, linked by next_event. nullptr if there are none.
  Node* TakeAll() noexcept {
    // relaxed - a hint: an owner that misses a push here is told of it afterwards.
    if (head_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    // acquire - pairs with Push.
    Node* newest_first = head_.exchange(nullptr, std::memory_order_acquire);
    Node* oldest_first = nullptr;
    while (newest_first != nullptr) {
      Node* next = newest_first->next_event;
      newest_first->next_event = oldest_first;
      oldest_first = newest_first;
      newest_first = next;
    }
    return oldest_first;
  }

 private:
  typename Atomics::template Atomic<Node*> head_{nullptr};
};

// A first-in first-out list of nodes for one thread.
template <class Node>
class EventList {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  Node* first() const noexcept { return first_; }

  void Append(Node* node) noexcept {
    node->next_event = nullptr;
    (last_ == nullptr ? first_ : last_->next_event) = node;
    last_ = node;
  }

  // Appends a chain as EventStack::TakeAll returns it.
  void AppendChain(Node* chain) noexcept {
    while (chain != nullptr) {
      Node* next = chain->next_event;
      Append(chain);
      chain = next;
    }
  }

  Node* PopFront() noexcept {
    Node* node = first_;
    if (node != nullptr) {
      first_ = node->next_event;
      if (first_ == nullptr) last_ = nullptr;
      node->next_event = nullptr;
    }
    return node;
  }

  // The first node that `wanted` holds for, or nullptr.
  template <class Wanted>
  Node* TakeFirst(Wanted wanted) noexcept {
    Node* before = nullptr;
    for (Node* at = first_; at != nullptr; before = at, at = at->next_event) {
      if (!wanted(*at)) continue;
      (before == nullptr ? first_ : before->next_event) = at->next_event;
      if (last_ == at) last_ = before;
      at->next_event = nullptr;
      return at;
    }
    return nullptr;
  }

 private:
  Node* first_ = nullptr;
  Node* last_ = nullptr;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_EVENT_NODE_H_
