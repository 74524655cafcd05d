// The mailbox of a port: Mailbox over moodycamel's queue, and the table of senders of one isolate.

#ifndef ISOLATES_SRC_PORT_PORT_MAILBOX_H_
#define ISOLATES_SRC_PORT_PORT_MAILBOX_H_

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/port_token_queue.h"
#include "src/port/mailbox.h"

namespace isolates::internal {

// A queue with the token of its one consumer, as Mailbox wants it.
class EnvelopeQueue : public TokenQueue<Envelope> {
 public:
  bool TryDequeue(Item& item) { return TokenQueue::TryDequeue(consumer_, item); }

 private:
  Consumer consumer_{*this};
};

class PortMailbox : public MainHeapObject {
 public:
  using Queue = EnvelopeQueue;
  Queue queue;
  Mailbox<StdAtomics, Queue> mailbox{queue};
};

class Producer : public PortMailbox::Queue::Producer {
 public:
  using PortMailbox::Queue::Producer::Producer;
};

// The senders that one isolate has used: exactly one for each port, which is what makes the order
// "first in, first out for each sending isolate". Keeps each port alive as long as its producer.
// Owner thread.
class ProducerTable : public MainHeapObject {
 public:
  Producer& For(PortCore& port) { return For(port, nullptr); }
  // `ready_made` is used for a port that has none yet, and freed otherwise.
  Producer& For(PortCore& port, std::unique_ptr<Producer> ready_made);

 private:
  struct Entry {
    Ref<PortCore> port;  // before the producer, so that it is destroyed after it
    std::unique_ptr<Producer> producer;
  };
  using Map = std::unordered_map<std::uint64_t, Entry, std::hash<std::uint64_t>,
                                 std::equal_to<std::uint64_t>,
                                 MainAllocator<std::pair<const std::uint64_t, Entry>>>;
  // Forgets ports that have closed, whenever the table has doubled.
  void Prune();

  Map by_port_;
  std::size_t prune_at_ = 32;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_PORT_MAILBOX_H_
