// Messages that nobody will receive can be seen by the program.

#ifndef ISOLATES_DEAD_LETTER_H_
#define ISOLATES_DEAD_LETTER_H_

#include <cstdint>
#include <functional>
#include <string_view>

namespace isolates {

// Why nobody will receive a message.
enum class DeadLetterReason {
  kPortClosed,     // accepted, or the last message of Isolate::Exit; the port closed before it came
  kDroppedOldest,  // accepted; destroyed because the port was full
  kDroppedNewest,  // not accepted; destroyed because the port was full
};

// A message that nobody will receive. Valid during the call.
struct DeadLetter {
  std::uint64_t port_id = 0;      // SendPort::id
  std::string_view port_name;     // its debug name
  std::string_view message_type;  // the C++ type of the message
  DeadLetterReason reason = DeadLetterReason::kPortClosed;
};

// Called for each dead letter of the process from now on, on the thread that destroys the message,
// with several at once if several do. It must not throw. An empty function: nobody is called. Any
// thread. RuntimeInfo counts them in any case, except for kDroppedNewest: those were not accepted,
// and stand only in the PortCounters of their port.
void SetDeadLetterHandler(std::function<void(const DeadLetter&)> handler);

}  // namespace isolates

#endif  // ISOLATES_DEAD_LETTER_H_
