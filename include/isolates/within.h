// Waiting with a time limit, in coroutines, by the clock of the runtime.

#ifndef ISOLATES_WITHIN_H_
#define ISOLATES_WITHIN_H_

#include <coroutine>
#include <optional>
#include <utility>

#include "isolates/clock.h"
#include "isolates/error.h"
#include "isolates/future.h"
#include "isolates/port.h"
#include "isolates/timer.h"
#include "isolates/when_any.h"

namespace isolates {

namespace internal {

class ReadyWithinAwaiter : public AnyAwaiter {
 public:
  using AnyAwaiter::AnyAwaiter;
  bool await_resume() { return AnyAwaiter::await_resume() == 0; }
};

template <class T>
Task<T> WithTimeoutTask(Future<T> future, Duration timeout) {
  const std::size_t index =
      co_await AnyAwaiter(StatesOf(future), timeout);  // 1: the time has passed
  if (index != 0) throw TimeoutError("the result did not come in time");
  co_return future.Get();
}

template <class T>
class ReceiveWithinAwaiter {
 public:
  ReceiveWithinAwaiter(Ref<PortCore> port, Duration timeout)
      : port_(std::move(port)), timeout_(timeout) {}
  ReceiveWithinAwaiter(const ReceiveWithinAwaiter&) = delete;
  ReceiveWithinAwaiter& operator=(const ReceiveWithinAwaiter&) = delete;
  ~ReceiveWithinAwaiter() { Cancel(); }  // the coroutine may be destroyed while it waits

  bool await_ready() const {
    port_->CheckOwner();
    port_->host().CheckStop();
    return port_->closed() || (port_->HasMessage() && port_->host().MayGoOn());
  }
  void await_suspend(std::coroutine_handle<> waiter) {
    port_->SetWaiter(waiter);
    waiting_ = true;
    if (timeout_ != kForever) timer_.Start(timeout_, waiter);
  }
  std::optional<T> await_resume() {
    Cancel();
    port_->host().CheckStop();
    std::optional<T> message = ReceiveAwaiter<T>::Open(port_->TryReceive());
    if (!message.has_value() && !port_->closed()) throw TimeoutError("no message arrived in time");
    return message;
  }

 private:
  void Cancel() noexcept {
    if (std::exchange(waiting_, false)) port_->ClearWaiter();
    timer_.Cancel();
  }

  const Ref<PortCore> port_;
  const Duration timeout_;
  bool waiting_ = false;
  PendingTimer timer_;
};

}  // namespace internal

// co_await ReadyWithin(future, limit): true when the result is there, false if it did not come in
// time. The future stays with the caller, and can be waited for again.
template <class T>
[[nodiscard]] internal::ReadyWithinAwaiter ReadyWithin(Future<T>& future, Duration limit) {
  return internal::ReadyWithinAwaiter(internal::StatesOf(future), limit);
}

// A future of the same result that fails with TimeoutError if it does not come in time. What was to
// produce it is not cancelled; a result that comes later is dropped. (Dart's Future.timeout.)
template <class T>
Future<T> WithTimeout(Future<T> future, Duration limit) {
  return Start(internal::WithTimeoutTask<T>(std::move(future), limit));
}

// co_await ReceiveWithin(port, limit): the next message, nothing once the port is closed, or
// TimeoutError. No message is lost: one that comes too late is the next to be received.
template <class T>
[[nodiscard]] internal::ReceiveWithinAwaiter<T> ReceiveWithin(ReceivePort<T>& port,
                                                              Duration limit) {
  return internal::ReceiveWithinAwaiter<T>(port.Receive().port(), limit);
}

}  // namespace isolates

#endif  // ISOLATES_WITHIN_H_
