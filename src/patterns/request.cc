#include "isolates/request.h"

#include <new>
#include <string>
#include <string_view>

#include "isolates/detail/heap.h"
#include "src/isolate/core.h"
#include "src/isolate/unhandled.h"

namespace isolates::internal {
namespace {

// relaxed - a number generator.
std::atomic<std::uint64_t> next_call_id{1};

std::string_view NameOfIsolate() noexcept {
  const IsolateCore* core = CurrentCore();
  return core != nullptr ? std::string_view(core->name()) : std::string_view();
}

}  // namespace

RequestCall::RequestCall(Ref<RequestCounters> counters) noexcept
    : id_(next_call_id.fetch_add(1, std::memory_order_relaxed)), counters_(std::move(counters)) {}

RemoteError UnansweredError() noexcept {
  const MainHeapScope main_heap;
  try {
    return RemoteError("isolates::StateError", "the request was dropped without an answer",
                       std::string(NameOfIsolate()));
  } catch (const std::bad_alloc&) {
    return OutOfMemoryError();
  }
}

RemoteError InMainHeap(const RemoteError& error) {
  const MainHeapScope main_heap;
  return RemoteError(error);
}

RemoteError DescribeHandledException() noexcept {
  const MainHeapScope main_heap;
  return DescribeException(std::current_exception(), NameOfIsolate());
}

std::exception_ptr RefusedError(bool closed) {
  const MainHeapScope main_heap;
  return std::make_exception_ptr(
      StateError(closed ? "the request was not accepted: this RequestPort is closed"
                        : "the request was not accepted: this RequestPort is full"));
}

}  // namespace isolates::internal
