#include "isolates/error.h"

namespace isolates {

RemoteError::RemoteError(std::string type, std::string message, std::string isolate_name)
    : Error(type + ": " + message + " (in isolate '" + isolate_name + "')"),
      type_(std::move(type)),
      message_(std::move(message)),
      isolate_name_(std::move(isolate_name)) {}

// Strings of up to 15 characters lie inside of their objects.
RemoteError::RemoteError(OutOfMemory) noexcept
    : Error("std::bad_alloc"), type_("std::bad_alloc"), message_("out of memory") {}

namespace internal {

RemoteError OutOfMemoryError() noexcept { return RemoteError(RemoteError::OutOfMemory{}); }

}  // namespace internal

}  // namespace isolates
