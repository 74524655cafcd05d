#include "isolates/detail/future_state.h"

#include <algorithm>
#include <new>
#include <string>
#include <variant>

#include "isolates/detail/heap.h"
#include "isolates/detail/parker.h"
#include "isolates/detail/type_name.h"
#include "src/isolate/blocked_wait.h"
#include "src/isolate/scheduler.h"
#include "src/isolate/unhandled.h"

namespace isolates::internal {

struct FutureStateBase::Failure : MainHeapObject {
  std::variant<RemoteError, std::exception_ptr> error;
  bool observed = false;
};

FutureStateBase::~FutureStateBase() {
  if (error_ != nullptr && !error_->observed) ReportUnhandled();
  delete error_;
}

// A future that is told of no result completes in any case.
template <class Error>
void FutureStateBase::Fail(Error&& error, bool observed) noexcept {
  try {
    error_ = new Failure{{}, std::forward<Error>(error), observed};
  } catch (const std::bad_alloc&) {
    no_memory_ = true;
  }
  Finish();
}

void FutureStateBase::FailRemotely(RemoteError error, bool report_if_dropped) noexcept {
  Fail(std::move(error), !report_if_dropped);
}

void FutureStateBase::FailLocally(std::exception_ptr error) noexcept {
  Fail(std::move(error), false);
}

void FutureStateBase::FailDropped() noexcept {
  const MainHeapScope main_heap;
  std::exception_ptr error;
  try {
    error =
        std::make_exception_ptr(StateError("what was to produce this result ended before it did"));
  } catch (const std::bad_alloc&) {
    error = std::current_exception();
  }
  Fail(std::move(error), true);
}

void FutureStateBase::Finish() noexcept {
  const Ref<FutureStateBase> self(this);  // the consumer may let go as soon as kDone is visible
  if (word_.Finish()) target_->Push(this);
}

bool FutureStateBase::Register(PortHost& host) {
  if (done()) return false;
  if (registered_) {
    if (target_.get() == &host) return true;
    // The future has moved to another isolate since somebody waited for it: that registration is
    // taken back.
    if (!word_.TakeBack()) return false;
    Release();
  }
  target_ = Ref<PortHost>(&host);
  AddRef();  // F3; given back by OnEvent or OnDiscard
  registered_ = true;
  if (word_.Register()) return true;
  registered_ = false;
  target_ = nullptr;
  Release();
  return false;
}

bool FutureStateBase::Await(std::coroutine_handle<> waiter) {
  PortHost& host = RequireHost();
  if (waiter_) throw StateError("this Future is awaited already");
  if (!Register(host)) return false;
  keeps_alive_ = local_to_ != host.id();
  if (keeps_alive_) host.AddKeepAlive(1);
  waiter_ = waiter;
  return true;
}

void FutureStateBase::CancelAwait() noexcept {
  waiter_ = nullptr;
  if (std::exchange(keeps_alive_, false)) target_->AddKeepAlive(-1);
}

void FutureStateBase::OnEvent() {
  const auto self = Ref<FutureStateBase>::Adopt(this);  // the registration's reference
  if (std::exchange(keeps_alive_, false)) target_->AddKeepAlive(-1);
  if (waiter_) std::exchange(waiter_, nullptr).resume();
}

void FutureStateBase::OnDiscard() noexcept { Release(); }

bool FutureStateBase::Wait(TimePoint deadline) {
  PortHost* host = current_host;
  if (host == nullptr) {
    WaitOnPlainThread(deadline);
    return done();
  }
  host->CheckStop();
  if (done()) return true;
  if (host->InTurn() && local_to_ == host->id()) {
    throw StateError(
        "this wait could never end: only this isolate could produce the result, and it would be "
        "blocked; "
        "use co_await");
  }
  if (!Register(*host)) return true;
  return host->Wait(
      {"a result"},
      [](const void* self) { return static_cast<const FutureStateBase*>(self)->done(); }, this,
      deadline);
}

void FutureStateBase::WaitOnPlainThread(TimePoint deadline) {
  if (done()) return;
  const MainHeapScope main_heap;  // waiting may start threads
  BlockingRegion region;
  BlockedWait wait(
      GetScheduler(), nullptr, {"a result"}, deadline,
      [](const void* self) { return static_cast<const FutureStateBase*>(self)->done(); }, this);
  while (!done() && !HasPassed(deadline)) {
    if (region.LookAgain([this] { return done(); })) continue;
    region.Enter();
    wait.Begin();
    word_.Block(std::min(SleepLimit(deadline), region.sleep_until()));
  }
}

void FutureStateBase::Throw() {
  if (error_ == nullptr) throw std::bad_alloc();
  error_->observed = true;
  if (auto* remote = std::get_if<RemoteError>(&error_->error)) throw RemoteError(*remote);
  std::rethrow_exception(std::get<std::exception_ptr>(error_->error));
}

void FutureStateBase::ReportUnhandled() noexcept {
  if (auto* remote = std::get_if<RemoteError>(&error_->error)) {
    ReportUnhandledError(*remote);
    return;
  }
  const auto& exception = std::get<std::exception_ptr>(error_->error);
  ReportUnhandledError(DescribeException(exception, "this isolate"));
}

}  // namespace isolates::internal
