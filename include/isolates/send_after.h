// A message that is sent later.

#ifndef ISOLATES_SEND_AFTER_H_
#define ISOLATES_SEND_AFTER_H_

#include <type_traits>
#include <utility>

#include "isolates/clock.h"
#include "isolates/port.h"
#include "isolates/timer.h"
#include "isolates/transfer.h"

namespace isolates {

// Sends the message after that time, by the runtime's clock, from this isolate, which it keeps
// alive until then. Cancelled with the timer, and with the isolate: the message is destroyed.
// Throws TransferError here if the message may not be sent. If the port is closed by then, nobody
// is told.
//   SendAfter(port, std::move(message), std::chrono::seconds(1)).Detach();
template <class T>
[[nodiscard]] Timer SendAfter(SendPort<T> port, std::type_identity_t<T> message, Duration delay) {
  internal::RequireTransferable<T>();
  internal::VerifyForSend(message, "message", VerifyLevel::kDefault);
  return Timer(delay, [port = std::move(port), message = std::move(message)]() mutable {
    port.Send(std::move(message));
  });
}

}  // namespace isolates

#endif  // ISOLATES_SEND_AFTER_H_
