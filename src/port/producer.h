// The senders of ports: one for each isolate and port, or for each SendPort object that a plain
// thread uses.

#ifndef ISOLATES_SRC_PORT_PRODUCER_H_
#define ISOLATES_SRC_PORT_PRODUCER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/ref.h"
#include "src/port/port_queue.h"
#include "src/port/sender_line.h"

namespace isolates::internal {

// Whoever uses it holds a reference: the table of its isolate, SendPorts that have found it there,
// and each message on its way out, since user code that runs meanwhile may empty the others. Used
// by one thread at a time, released by any.
class Producer final : public RefCounted, public MainHeapObject {
 public:
  using Part = PortQueue::Producer::Part;

  Producer(PortCore& to, PortQueue& queue, Part part) : port(&to), end(queue, part) {}
  ~Producer() override {
    if (lane) lane->lane.Leave();
  }

  const Ref<PortCore> port;  // before the end of its queue, so that it is released after it
  PortQueue::Producer end;
  SenderLine line;
  // Once opened, all messages go there.
  Ref<SenderLane> lane;
  int hot = 0;  // how often the port was found awake, and not asleep
  // Of a plain thread's: set during a send, to find two threads in one SendPort.
  std::atomic<bool> busy{false};
};

// The senders that one isolate has used: exactly one for each port, which is what makes the order
// "first in, first out for each sending isolate". Owner thread.
class ProducerTable : public MainHeapObject {
 public:
  // `ready_made`, which may be none, is used for a port that has none yet; `part` for a fresh one.
  Producer& For(PortCore& port, Ref<Producer> ready_made, Producer::Part part);

 private:
  using Map = std::unordered_map<std::uint64_t, Ref<Producer>, std::hash<std::uint64_t>,
                                 std::equal_to<std::uint64_t>,
                                 MainAllocator<std::pair<const std::uint64_t, Ref<Producer>>>>;
  // Forgets ports that have closed, whenever the table has doubled.
  void Prune();

  Map by_port_;
  std::size_t prune_at_ = 32;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_PRODUCER_H_
