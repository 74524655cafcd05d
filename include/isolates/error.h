// The exceptions that the library throws. Every one derives from isolates::Error.

#ifndef ISOLATES_ERROR_H_
#define ISOLATES_ERROR_H_

#include <exception>
#include <string>
#include <utility>

namespace isolates {

// Base of all errors of the library.
class Error : public std::exception {
 public:
  // `message` is what what() says.
  explicit Error(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

// An operation does not fit the state of its object: a port that is closed, a future whose value
// was taken, a wait that could never end. (Dart's StateError.)
class StateError : public Error {
 public:
  using Error::Error;
};

// A deadline passed before the awaited thing happened. Nothing was lost: the caller may wait again.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

// A documented limit of the library was hit; the message names the limit and the way around it.
class LimitError : public Error {
 public:
  using Error::Error;
};

// An isolate could not be created. (Dart's IsolateSpawnException.)
class IsolateSpawnException : public Error {
 public:
  using Error::Error;
};

class RemoteError;
namespace internal {
// What is said where there is no memory for more; needs none itself.
RemoteError OutOfMemoryError() noexcept;
}  // namespace internal

// An error that happened in another isolate. The exception object itself never crosses: its type
// name and message are copied, and this object is built on the receiver's side (rule V7). Where
// there was no memory for that, the type is "std::bad_alloc" and the message "out of memory".
class RemoteError : public Error {
 public:
  // For programs that send errors on: the parts of one.
  RemoteError(std::string type, std::string message, std::string isolate_name);

  // Name of the exception's type in its own isolate, for example "std::runtime_error".
  const std::string& type() const noexcept { return type_; }
  // What the exception said.
  const std::string& message() const noexcept { return message_; }
  // Debug name of the isolate in which it was thrown.
  const std::string& isolate_name() const noexcept { return isolate_name_; }

 private:
  friend RemoteError internal::OutOfMemoryError() noexcept;
  struct OutOfMemory {};
  explicit RemoteError(OutOfMemory) noexcept;

  std::string type_;
  std::string message_;
  std::string isolate_name_;
};

}  // namespace isolates

#endif  // ISOLATES_ERROR_H_
