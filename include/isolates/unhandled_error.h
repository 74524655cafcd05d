// Errors that nobody takes.

#ifndef ISOLATES_UNHANDLED_ERROR_H_
#define ISOLATES_UNHANDLED_ERROR_H_

#include "isolates/error.h"

namespace isolates {

// See SetUnhandledErrorHandler.
using UnhandledErrorHandler = void (*)(const RemoteError& error);

// Sets what is called when an isolate dies of an uncaught error and nobody listens to its errors,
// or when a Future that has failed is dropped without a look at it. By default one line is written
// to the error output. The handler runs on the thread where this happens. nullptr restores the
// default. Returns the former handler. Any thread.
UnhandledErrorHandler SetUnhandledErrorHandler(UnhandledErrorHandler new_handler) noexcept;

}  // namespace isolates

#endif  // ISOLATES_UNHANDLED_ERROR_H_
