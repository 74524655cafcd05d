// The mailbox of a port with all that its senders share.

#ifndef ISOLATES_SRC_PORT_PORT_MAILBOX_H_
#define ISOLATES_SRC_PORT_PORT_MAILBOX_H_

#include <atomic>
#include <memory>

#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_host.h"
#include "isolates/port_options.h"
#include "src/port/envelope_pool.h"
#include "src/port/mailbox.h"
#include "src/port/port_lanes.h"
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

  ~PortMailbox() { delete lanes(); }
  PortMailbox(const PortMailbox&) = delete;
  PortMailbox& operator=(const PortMailbox&) = delete;

  // nullptr until a sender wants the first one.
  PortLanes* lanes() const noexcept {
    // acquire - pairs with MakeLanes.
    return lanes_.load(std::memory_order_acquire);
  }
  // Throws std::bad_alloc.
  PortLanes& MakeLanes() {
    if (PortLanes* const there = lanes()) return *there;
    auto fresh = std::make_unique<PortLanes>();
    PortLanes* there = nullptr;
    // acq_rel - release half pairs with lanes(); acquire half (also on failure): those of another
    // sender are complete.
    if (lanes_.compare_exchange_strong(there, fresh.get(), std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
      return *fresh.release();
    }
    return *there;
  }

 private:
  std::atomic<PortLanes*> lanes_{nullptr};
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_PORT_MAILBOX_H_
