// The mailbox of a port with all that its senders share.

#ifndef ISOLATES_SRC_PORT_PORT_MAILBOX_H_
#define ISOLATES_SRC_PORT_PORT_MAILBOX_H_

#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_host.h"
#include "isolates/port_options.h"
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

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_PORT_MAILBOX_H_
