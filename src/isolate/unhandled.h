// Errors that nobody takes: an isolate that dies of an uncaught error without an error listener, a
// failed Future that is dropped.

#ifndef ISOLATES_SRC_ISOLATE_UNHANDLED_H_
#define ISOLATES_SRC_ISOLATE_UNHANDLED_H_

#include <exception>
#include <string_view>

#include "isolates/error.h"

namespace isolates::internal {

// Rebuilds an exception as plain text in the main heap (rule V7). Call it outside of the handler
// whose exception it is, or inside; it keeps nothing of the exception. Without memory for the text:
// OutOfMemoryError.
RemoteError DescribeException(const std::exception_ptr& exception,
                              std::string_view isolate_name) noexcept;

// A copy in the main heap, or OutOfMemoryError.
RemoteError CopyError(const RemoteError& error) noexcept;

// Gives the error to the function set by SetUnhandledErrorHandler; by default one line on the error
// output, because the program would otherwise fail in silence. Any thread.
void ReportUnhandledError(const RemoteError& error) noexcept;

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_ISOLATE_UNHANDLED_H_
