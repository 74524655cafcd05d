// The mailbox of a port with all that its senders share, and the senders of one isolate.

#ifndef ISOLATES_SRC_PORT_PORT_MAILBOX_H_
#define ISOLATES_SRC_PORT_PORT_MAILBOX_H_

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_core.h"
#include "src/port/envelope_pool.h"
#include "src/port/mailbox.h"
#include "src/port/port_queue.h"
#include "src/port/sender_count.h"

namespace isolates::internal {

struct PortMailbox : MainHeapObject {
  using Box = Mailbox<StdAtomics, PortQueue>;

  PortMailbox(MessageOrder order, PortHost& host) noexcept
      : queue(order, order == MessageOrder::kPerSender && host.Chooses() ? &host : nullptr) {}

  PortQueue queue;
  Box mailbox{queue};
  EnvelopePool<StdAtomics> pool;
  SenderCount<StdAtomics> senders;
};

class Producer : public PortQueue::Producer {
 public:
  using PortQueue::Producer::Producer;
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
