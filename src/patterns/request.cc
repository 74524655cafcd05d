#include "isolates/request.h"

#include <string>

#include "isolates/detail/heap.h"
#include "src/isolate/core.h"
#include "src/isolate/unhandled.h"

namespace isolates::internal {
namespace {

// relaxed - a number generator.
std::atomic<std::uint64_t> next_call_id{1};

std::string NameOfIsolate() {
  const IsolateCore* core = CurrentCore();
  return core != nullptr ? core->name() : std::string();
}

}  // namespace

RequestCall::RequestCall(Ref<RequestCounters> counters) noexcept
    : id_(next_call_id.fetch_add(1, std::memory_order_relaxed)), counters_(std::move(counters)) {}

RemoteError UnansweredError() {
  const MainHeapScope main_heap;
  return RemoteError("isolates::StateError", "the request was dropped without an answer",
                     NameOfIsolate());
}

RemoteError InMainHeap(const RemoteError& error) {
  const MainHeapScope main_heap;
  return RemoteError(error);
}

RemoteError DescribeHandledException() {
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
