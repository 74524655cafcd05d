// PortQueue: the messages of one port, in two parts, and the senders that fill them.
//
// The first senders of a port each have a place of their own in moodycamel's queue, which is made
// when the first of them comes. All others share a list in order of arrival (EventStack): with very
// many places moodycamel's queue gets slow, since making one, and finding a message, walk over all
// of them. Where the order is to be total, everybody uses the list, and in simulations, where the
// owner chooses among the senders. So do plain threads, whose order shall last when they become
// isolates. A sender keeps its part as long as it lives; so in both parts its messages stay in
// order.
//
// Protocol
//   operation         who may call                               progress
//   Producer (made)   any thread                                 lock-free
//   Enqueue           the producer's user, one at a time         lock-free
//   TryDequeue        the owner (or under the consumers' lock)   lock-free
//
// An Enqueue that happened before a TryDequeue is seen by it (Mailbox relies on it).

#ifndef ISOLATES_SRC_PORT_PORT_QUEUE_H_
#define ISOLATES_SRC_PORT_PORT_QUEUE_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "isolates/detail/event_node.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_envelope.h"
#include "isolates/detail/port_host.h"
#include "isolates/detail/port_token_queue.h"
#include "isolates/port_options.h"
#include "src/port/envelope_pool.h"

namespace isolates::internal {

class PortQueue {
 public:
  using Item = Envelope*;
  class Producer;

  // `simulated`: the host whose schedule chooses among the senders, or nullptr.
  PortQueue(MessageOrder order, PortHost* simulated) noexcept
      : simulated_(simulated), list_only_(order == MessageOrder::kTotal || simulated != nullptr) {}
  PortQueue(const PortQueue&) = delete;
  PortQueue& operator=(const PortQueue&) = delete;
  ~PortQueue();

  // Throws std::bad_alloc; the item is not in the queue then.
  void Enqueue(Producer& producer, Item item);
  bool TryDequeue(Item& item) noexcept;
  // More is promised than the order of each sender's messages, or a schedule has to choose.
  bool keeps_to_list() const noexcept { return list_only_; }
  // The oldest that takes room in its port. Of a port in total order, which has the list alone.
  bool TryDequeueCounted(Item& item) noexcept;

 private:
  using Tokens = TokenQueue<Envelope>;
  struct TokenPart : MainHeapObject {
    Tokens queue;
    Tokens::Consumer consumer{queue};
  };
  // Places in moodycamel's queue: enough for those who send much, few enough to walk over.
  static constexpr std::int32_t kMostTokens = 32;

  TokenPart& InstalledTokens();
  bool DequeueFromTokens(Item& item) noexcept;
  bool DequeueFromList(Item& item) noexcept;
  Envelope* TakeChosen() noexcept;

  PortHost* const simulated_;
  const bool list_only_;
  std::atomic<TokenPart*> tokens_{nullptr};
  std::atomic<std::int32_t> token_senders_{0};
  std::atomic<std::uint32_t> next_sender_{0};
  EventStack<Envelope> arrivals_;
  // The consumer's.
  EventList<Envelope> list_;
  bool tokens_first_ = false;
};

// One sender of a port, used by one thread at a time. Lives no longer than the port.
class PortQueue::Producer {
 public:
  enum class Part { kAny, kList };

  Producer(PortQueue& queue, Part part);
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;
  ~Producer();

  FreeBlock* blocks = nullptr;  // for its next messages

 private:
  friend class PortQueue;
  PortQueue& queue_;
  const std::uint32_t number_;
  std::optional<Tokens::Producer> token_;  // none: it sends into the list
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_PORT_QUEUE_H_
