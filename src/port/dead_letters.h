// Who is told of messages that nobody will receive.

#ifndef ISOLATES_SRC_PORT_DEAD_LETTERS_H_
#define ISOLATES_SRC_PORT_DEAD_LETTERS_H_

#include <typeinfo>

#include "isolates/dead_letter.h"
#include "isolates/detail/port_core.h"

namespace isolates::internal {

// Calls the program's handler, if there is one.
void TellOfDeadLetter(const PortCore& port, const std::type_info& type,
                      DeadLetterReason reason) noexcept;

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_DEAD_LETTERS_H_
