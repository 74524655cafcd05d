// Calls of foreign code that may block for long.

#ifndef ISOLATES_BLOCKING_H_
#define ISOLATES_BLOCKING_H_

#include <functional>
#include <utility>

namespace isolates {

namespace internal {

// While it lives, the processor of the calling thread is free for other isolates.
class ForeignCall {
 public:
  ForeignCall();
  ForeignCall(const ForeignCall&) = delete;
  ForeignCall& operator=(const ForeignCall&) = delete;
  ~ForeignCall();
};

}  // namespace internal

// Calls `function`, which may block for long outside of the library (a file, a socket, a lock), and
// returns what it returns. In an isolate, the ready isolates of its worker run on another thread
// meanwhile; this isolate itself handles nothing else. LimitError, before the call, if
// RuntimeOptions::max_blocked isolates block already. On a plain thread it only calls.
template <class Function>
decltype(auto) Blocking(Function&& function) {
  const internal::ForeignCall call;
  return std::invoke(std::forward<Function>(function));
}

}  // namespace isolates

#endif  // ISOLATES_BLOCKING_H_
