// atomic_queue: its bounded queues of values, for one producer and for many.

#include <atomic_queue/atomic_queue.h>

#include "harness.h"

namespace {

using peers::Message;

template <bool kOneToOne>
class Spinning {
 public:
  Spinning& sender() { return *this; }
  Spinning& receiver() { return *this; }
  void Push(const Message& message) {
    for (peers::Patience patience; !queue_.try_push(message);) patience.Wait();
  }
  void Pop(Message& message) {
    while (!queue_.try_pop(message)) peers::Pause();
  }

 private:
  // Capacity; not of the smallest footprint, not in total order.
  atomic_queue::AtomicQueue2<Message, 4096, true, true, false, kOneToOne> queue_;
};

}  // namespace

int main(int argc, char** argv) {
  peers::Cases cases;
  peers::AddChannel<Spinning<true>>(cases, "_spsc");
  peers::AddChannel<Spinning<false>>(cases, "_mpmc");
  cases.erase("w3_spsc");
  return peers::Main(argc, argv, "", cases);
}
