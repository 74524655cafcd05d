// FutureState: the meeting point of one producer of a result and one consumer.
//
// Protocol
//   operation         who may call                            progress
//   Finish            the producer, once, after it stored     wait-free
//                     the result
//   done              anybody                                 wait-free
//   Await             the consumer, in its isolate            wait-free
//   CancelAwait       the consumer, in its isolate            wait-free
//   Wait              the consumer                            blocks
//
// Word
//   kDone     the result is stored             set by Finish
//   kWaiter   target_ is to get this event     set, taken back (F4) by the consumer
//   kBlocked  a plain thread sleeps on the word  set by the consumer
//
// Rules
//   F1. The result is written before kDone is set and read after it was seen.
//   F2. kDone and kWaiter are set by RMWs on one word. If Finish finds kWaiter, it pushes the event
//   to
//       target_; if the consumer finds kDone, it takes its registration back. Exactly one of the
//       two.
//   F3. A registration holds a reference to this object. A coroutine that awaits the result counts
//   as
//       keeping its isolate alive, unless the isolate itself is the only one that could produce it.
//   F4. A consumer in another isolate than the registered one first takes the registration back by
//   clearing
//       kWaiter: if kDone is not set then, Finish will never look at target_.

#ifndef ISOLATES_DETAIL_FUTURE_STATE_H_
#define ISOLATES_DETAIL_FUTURE_STATE_H_

#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "isolates/clock.h"
#include "isolates/detail/event_node.h"
#include "isolates/detail/future_word.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/parcel_destination.h"
#include "isolates/detail/parcel_transit.h"
#include "isolates/detail/port_host.h"
#include "isolates/detail/ref.h"
#include "isolates/error.h"

namespace isolates::internal {

class FutureStateBase : public RefCounted, public MainHeapObject, public EventNode {
 public:
  // `local_to`: the isolate that alone can produce the result; nullptr if it comes from elsewhere.
  explicit FutureStateBase(const PortHost* local_to) noexcept
      : local_to_(local_to != nullptr ? local_to->id() : 0) {}

  bool done() const noexcept { return word_.done(); }

  // --- producer
  // -----------------------------------------------------------------------------------
  // An error of another isolate. `report_if_dropped`: it is unhandled if nobody takes the result.
  void FailRemotely(RemoteError error, bool report_if_dropped = true) noexcept;
  void FailLocally(std::exception_ptr error) noexcept;  // producer and consumer are one isolate
  void
  FailDropped() noexcept;  // what was to produce the result has ended; not reported as unhandled

  // --- consumer
  // ----------------------------------------------------------------------------------- Resumes
  // `waiter` in this isolate when the result is there. False: it is there already.
  bool Await(std::coroutine_handle<> waiter);
  void CancelAwait() noexcept;
  // True when the result is there, false if the deadline passed first. Throws StateError if waiting
  // here could never end.
  bool Wait(TimePoint deadline);

  void OnEvent() override;
  void OnDiscard() noexcept override;

 protected:
  ~FutureStateBase() override;
  void Finish() noexcept;
  bool failed() const noexcept { return error_ != nullptr || no_memory_; }
  [[noreturn]] void Throw();

 private:
  struct Failure;
  template <class Error>
  void Fail(Error&& error, bool observed) noexcept;
  void WaitOnPlainThread(TimePoint deadline);
  // Registers this object with the isolate as an event, once.
  bool Register(PortHost& host);
  void ReportUnhandled() noexcept;

  FutureWord<StdAtomics, SystemFutex> word_;
  const std::uint64_t local_to_;
  Failure* error_ = nullptr;        // owned; written before kDone
  bool no_memory_ = false;          // it has failed, without memory for an error_; the same
  Ref<PortHost> target_;            // the consumer's; written before kWaiter
  bool registered_ = false;         // the consumer's
  std::coroutine_handle<> waiter_;  // owner thread of target_
  bool keeps_alive_ = false;        // owner thread of target_
};

template <class T>
class FutureState final : public FutureStateBase {
 public:
  using FutureStateBase::FutureStateBase;

  template <class U>
  void Succeed(U&& value) {
    const HandOverTo to("the future of its result");
    value_.emplace(std::forward<U>(value));
    Finish();
  }

  // Only when done(): the value, once, or the error.
  T Take() {
    if (failed()) Throw();
    if (!value_.has_value()) throw StateError("the value of this Future was taken already");
    T value = std::move(value_->Arrive());
    value_.reset();
    return value;
  }

 private:
  std::optional<InTransit<T>> value_;
};

template <>
class FutureState<void> final : public FutureStateBase {
 public:
  using FutureStateBase::FutureStateBase;
  void Succeed() { Finish(); }
  void Take() {
    if (failed()) Throw();
  }
};

// The producer's end: if it goes without a result, the consumer gets an error instead of waiting
// for ever.
template <class T>
class ResultSink {
 public:
  explicit ResultSink(Ref<FutureState<T>> state) noexcept : state_(std::move(state)) {}
  ResultSink(ResultSink&&) noexcept = default;
  ResultSink& operator=(ResultSink&&) = delete;
  ~ResultSink() {
    if (state_) state_->FailDropped();
  }

  // What the value's constructor throws comes out; the result is still due then.
  template <class... Args>
  void Succeed(Args&&... args) {
    auto state = std::move(state_);
    try {
      state->Succeed(std::forward<Args>(args)...);
    } catch (...) {
      state_ = std::move(state);
      throw;
    }
  }
  void FailRemotely(RemoteError error, bool report_if_dropped = true) noexcept {
    const auto state = std::move(state_);
    state->FailRemotely(std::move(error), report_if_dropped);
  }
  void FailLocally(std::exception_ptr error) noexcept {
    const auto state = std::move(state_);
    state->FailLocally(std::move(error));
  }
  bool pending() const noexcept { return static_cast<bool>(state_); }

 private:
  Ref<FutureState<T>> state_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_FUTURE_STATE_H_
