// Ports: the only way for isolates to communicate.
//
// A ReceivePort<T> belongs to the isolate that created it. Its SendPort<T>s are cheap values: copy
// them, compare them, send them to other isolates. Messages that one isolate (or one SendPort
// object on a plain thread) sends to a port arrive there in the order in which they were sent. When
// a plain thread becomes an isolate, what it has sent before comes first, through whichever
// SendPort it was sent. Between senders no order is promised unless the port's options say so, and
// none between two ports.
//
// Memory order: what a sender did before Send is visible to the receiver when it has the message.

#ifndef ISOLATES_PORT_H_
#define ISOLATES_PORT_H_

#include "isolates/port_options.h"  // IWYU pragma: export
#include "isolates/receive_port.h"  // IWYU pragma: export
#include "isolates/send_port.h"     // IWYU pragma: export

#endif  // ISOLATES_PORT_H_
