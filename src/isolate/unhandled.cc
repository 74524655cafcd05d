#include "src/isolate/unhandled.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <new>
#include <typeinfo>

#include "isolates/detail/heap.h"
#include "isolates/detail/type_name.h"
#include "isolates/unhandled_error.h"

namespace isolates {
namespace {

void WriteToErrorOutput(const RemoteError& error) {
  std::string line = "isolates: unhandled error: ";
  line += error.what();
  line += '\n';
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
}

std::atomic<UnhandledErrorHandler> handler{&WriteToErrorOutput};

}  // namespace

UnhandledErrorHandler SetUnhandledErrorHandler(UnhandledErrorHandler new_handler) noexcept {
  if (new_handler == nullptr) new_handler = &WriteToErrorOutput;
  // acq_rel - pairs with ReportUnhandledError: what was done before the handler was set is visible
  // to it.
  return handler.exchange(new_handler, std::memory_order_acq_rel);
}

namespace internal {

namespace {

RemoteError Describe(const std::exception_ptr& exception, std::string_view isolate_name) {
  try {
    std::rethrow_exception(exception);
  } catch (const RemoteError& error) {
    return RemoteError(error.type(), error.message(), error.isolate_name());
  } catch (const std::exception& error) {
    return RemoteError(TypeName(typeid(error)), error.what(), std::string(isolate_name));
  } catch (...) {
    return RemoteError("unknown", "an exception not derived from std::exception",
                       std::string(isolate_name));
  }
}

}  // namespace

RemoteError DescribeException(const std::exception_ptr& exception,
                              std::string_view isolate_name) noexcept {
  const MainHeapScope main_heap;
  try {
    return Describe(exception, isolate_name);
  } catch (const std::bad_alloc&) {
    return OutOfMemoryError();
  }
}

RemoteError CopyError(const RemoteError& error) noexcept {
  const MainHeapScope main_heap;
  try {
    return RemoteError(error);
  } catch (const std::bad_alloc&) {
    return OutOfMemoryError();
  }
}

void ReportUnhandledError(const RemoteError& error) noexcept {
  try {
    const MainHeapScope main_heap;
    // acquire - pairs with SetUnhandledErrorHandler.
    handler.load(std::memory_order_acquire)(error);
  } catch (...) {  // NOLINT(bugprone-empty-catch): there is nobody left to tell
  }
}

}  // namespace internal
}  // namespace isolates
