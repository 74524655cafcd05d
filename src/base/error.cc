#include "isolates/error.h"

namespace isolates {

RemoteError::RemoteError(std::string type, std::string message, std::string isolate_name)
    : Error(type + ": " + message + " (in isolate '" + isolate_name + "')"),
      type_(std::move(type)),
      message_(std::move(message)),
      isolate_name_(std::move(isolate_name)) {}

}  // namespace isolates
