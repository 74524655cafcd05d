// One call of a Requester: who of the two sides ends it, and the wait for that.
//
// Protocol
//   operation   who may call                       progress
//   Answer      the holder of the Reply, once      wait-free
//   Expire      the asker, when its time is over   wait-free
//
// Rules
//   Q1. A call is open until the first Answer or Expire; exactly one of them succeeds.
//   Q2. Whose Answer succeeded completes the call's future, at once. So an asker whose Expire fails
//       waits for that without a limit.
//   Q3. After an Expire the future is never completed: the asker does not look at it any more.

#ifndef ISOLATES_DETAIL_REQUEST_CALL_H_
#define ISOLATES_DETAIL_REQUEST_CALL_H_

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "isolates/clock.h"
#include "isolates/detail/future_state.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/ref.h"
#include "isolates/error.h"
#include "isolates/future.h"
#include "isolates/task.h"
#include "isolates/timer.h"

namespace isolates::internal {

// What all calls of one RequestPort share.
struct RequestCounters : RefCounted, MainHeapObject {
  std::atomic<std::uint64_t> late_replies{0};
};

class RequestCall : public RefCounted, public MainHeapObject {
 public:
  explicit RequestCall(Ref<RequestCounters> counters) noexcept;

  // A number that no other call of the process has.
  std::uint64_t id() const noexcept { return id_; }

  // False: it is too late, and counted.
  [[nodiscard]] bool Answer() noexcept {
    // relaxed - exactly one side wins (Q1), and what it hands over goes by the future's own orders;
    // the other side looks at nothing of the winner's.
    if (!ended_.exchange(true, std::memory_order_relaxed)) return true;
    counters_->late_replies.fetch_add(1, std::memory_order_relaxed);  // relaxed - a counter
    return false;
  }
  [[nodiscard]] bool Expire() noexcept {
    return !ended_.exchange(true, std::memory_order_relaxed);  // relaxed - as Answer
  }
  bool ended() const noexcept {
    return ended_.load(std::memory_order_relaxed);  // relaxed - a hint
  }

 private:
  const std::uint64_t id_;
  const Ref<RequestCounters> counters_;
  std::atomic<bool> ended_{false};
};

// The error of a call that nobody will answer any more.
RemoteError UnansweredError() noexcept;
// The same error, in the main heap.
RemoteError InMainHeap(const RemoteError& error);
// The exception that is handled now, rebuilt (rule V7).
RemoteError DescribeHandledException() noexcept;
// The local error of a request that was not sent.
std::exception_ptr RefusedError(bool closed);

// co_await: true once the answer is there, false if the time was over before.
template <class T>
class AnswerOrTimeout {
 public:
  AnswerOrTimeout(Ref<FutureState<T>> answer, Duration timeout)
      : answer_(std::move(answer)), delay_(std::in_place, timeout) {}
  AnswerOrTimeout(const AnswerOrTimeout&) = delete;
  AnswerOrTimeout& operator=(const AnswerOrTimeout&) = delete;
  ~AnswerOrTimeout() { Cancel(); }

  bool await_ready() const {
    RequireHost().CheckStop();
    return answer_->done();
  }
  bool await_suspend(std::coroutine_handle<> waiter) {
    waiting_ = answer_->Await(waiter);
    if (waiting_) delay_->await_suspend(waiter);
    return waiting_;
  }
  bool await_resume() {
    Cancel();
    RequireHost().CheckStop();
    return answer_->done();
  }

 private:
  void Cancel() noexcept {
    if (std::exchange(waiting_, false)) answer_->CancelAwait();
    delay_.reset();
  }

  Ref<FutureState<T>> answer_;
  std::optional<DelayAwaiter> delay_;
  bool waiting_ = false;
};

// Completes the call's future on the asker's side, with a TimeoutError if the answer is too late.
template <class T>
Root AwaitAnswer(Ref<FutureState<T>> answer, Ref<RequestCall> call, Duration timeout,
                 ResultSink<T> sink) {
  std::exception_ptr error;
  try {
    const bool in_time = co_await AnswerOrTimeout<T>(answer, timeout);
    if (!in_time && call->Expire()) throw TimeoutError("the request was not answered in time");
    Future<T> future(std::move(answer));
    if constexpr (std::is_void_v<T>) {
      co_await future;
      sink.Succeed();
    } else {
      sink.Succeed(co_await future);
    }
  } catch (...) {
    if (IsolateIsEnding()) throw;
    error = std::current_exception();
  }
  if (error != nullptr) sink.FailLocally(std::move(error));
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_REQUEST_CALL_H_
