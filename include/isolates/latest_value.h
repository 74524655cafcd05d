// LatestValuePort: a port that holds the newest value only. A sender overwrites what the receiver
// has not taken yet, so a slow receiver never falls behind and never queues more than one: for
// positions, prices, progress, settings.
//
// Memory order: what a sender did before Send is visible to the receiver of its value.

#ifndef ISOLATES_LATEST_VALUE_H_
#define ISOLATES_LATEST_VALUE_H_

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "isolates/clock.h"
#include "isolates/detail/check.h"
#include "isolates/detail/latest_value_core.h"
#include "isolates/detail/parcel_destination.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/transfer_leaving.h"
#include "isolates/detail/transfer_moves.h"
#include "isolates/error.h"
#include "isolates/port.h"
#include "isolates/transfer.h"

namespace isolates {

template <class T>
class LatestValuePort;

// The sending end: a cheap value, which may be copied and sent. Any thread; the same object may be
// used by several at once.
template <class T>
class LatestValueSender {
 public:
  using Message = T;

  // Connected to nothing: Send throws StateError until a connected one is assigned.
  LatestValueSender() = default;

  // Puts the value in the place of the one that the receiver has not taken, which is destroyed here
  // and counted. Never blocks. Refusals and errors as for SendPort::Send.
  SendResult Send(T&& value, VerifyLevel level = VerifyLevel::kDefault) const {
    internal::RequireTransferable<T>();
    internal::VerifyForSend(value, "value", level);
    internal::MarkLeaving(value);
    if (closed()) return SendResult::kClosed;
    const internal::HandOverTo to("port", core_->debug_name());
    auto envelope = std::make_unique<internal::TypedEnvelope<T>>(std::move(value));
    try {
      internal::VerifyMoved(envelope->message.peek(), "value", level);
    } catch (...) {
      envelope->GiveBack(value);
      throw;
    }
    if (core_->Send(envelope.get())) {
      envelope.release();
      return SendResult::kAccepted;
    }
    envelope->GiveBack(value);
    return SendResult::kClosed;
  }

  // Sends a copy.
  SendResult Send(const T& value, VerifyLevel level = VerifyLevel::kDefault) const
    requires std::copy_constructible<T>
  {
    if (closed()) return SendResult::kClosed;
    T copy(value);
    return Send(std::move(copy), level);
  }

  // True if Send would say kClosed. A port that is open may close at any moment.
  bool closed() const {
    if (!core_) throw StateError("this LatestValueSender is empty: it was never connected");
    return core_->closed();
  }

  // Same port?
  bool operator==(const LatestValueSender&) const noexcept = default;

 private:
  friend class LatestValuePort<T>;
  explicit LatestValueSender(internal::Ref<internal::LatestValueCore> core) noexcept
      : core_(std::move(core)) {}

  internal::Ref<internal::LatestValueCore> core_;
};

template <class T>
struct TransferTraits<LatestValueSender<T>> : internal::ImmutableHandleTraits {};

namespace internal {

template <class T>
class LatestValueAwaiter {
 public:
  explicit LatestValueAwaiter(Ref<LatestValueCore> port) noexcept : port_(std::move(port)) {}
  LatestValueAwaiter(const LatestValueAwaiter&) = delete;
  LatestValueAwaiter& operator=(const LatestValueAwaiter&) = delete;
  ~LatestValueAwaiter() {
    if (waiting_) port_->ClearWaiter();  // the coroutine is destroyed while it waits
  }

  bool await_ready() {
    port_->CheckOwner();
    port_->host().CheckStop();
    return port_->closed() || (port_->HasValue() && port_->host().MayGoOn());
  }
  void await_suspend(std::coroutine_handle<> waiter) {
    port_->SetWaiter(waiter);
    waiting_ = true;
  }
  std::optional<T> await_resume() {
    waiting_ = false;
    port_->host().CheckStop();
    return Open(port_->Take());
  }

  static std::optional<T> Open(std::unique_ptr<Envelope> envelope) {
    if (envelope == nullptr) return std::nullopt;
    return std::move(static_cast<TypedEnvelope<T>&>(*envelope).message.Arrive());
  }

 private:
  Ref<LatestValueCore> port_;
  bool waiting_ = false;
};

}  // namespace internal

// The receiving end. Everything here may be called only in the isolate that created it (else:
// StateError), except the destructor when it is closed. It closes when its object is destroyed, and
// when its isolate ends.
template <class T>
class LatestValuePort {
 public:
  using Message = T;
  using IsolatesUnsendable = void;
  static constexpr std::string_view kIsolatesRemedy = "keep it in its isolate and send its sender";

  // A new port of the calling isolate; a plain thread becomes one.
  explicit LatestValuePort(std::string_view debug_name = {})
      : core_(internal::LatestValueCore::Create(debug_name)) {}
  LatestValuePort(LatestValuePort&&) noexcept = default;
  LatestValuePort& operator=(LatestValuePort&& other) noexcept {
    if (this != &other) {
      CloseOwned();
      core_ = std::move(other.core_);
    }
    return *this;
  }
  ~LatestValuePort() { CloseOwned(); }

  LatestValueSender<T> sender() const { return LatestValueSender<T>(core_); }

  // co_await port.Next(): the newest value once there is one that was not taken yet, or nothing
  // once the port is closed. A coroutine that waits keeps its isolate alive.
  [[nodiscard]] internal::LatestValueAwaiter<T> Next() {
    CheckUsable();
    return internal::LatestValueAwaiter<T>(core_);
  }

  // The same, blocking the calling thread; TimeoutError when the time is over (kForever: never).
  // Not for coroutines: they would block their whole isolate.
  [[nodiscard]] std::optional<T> Next(Duration timeout) {
    CheckUsable();
    if (!core_->WaitForValue(DeadlineAfter(timeout))) {
      throw TimeoutError("no value arrived in time");
    }
    return TryTake();
  }

  // The newest value if it was not taken yet, or nothing.
  [[nodiscard]] std::optional<T> TryTake() {
    core_->CheckOwner();
    core_->host().CheckStop();
    return internal::LatestValueAwaiter<T>::Open(core_->Take());
  }

  // Refuses further values. One that was not taken is destroyed and counted as a dead letter.
  void Close() {
    if (!core_ || core_->closed()) return;
    core_->CheckOwner();
    core_->Close();
  }
  bool is_open() const noexcept { return core_ && !core_->closed(); }
  const std::string& debug_name() const noexcept { return core_->debug_name(); }

  // Values that were overwritten before they were taken, so far.
  std::uint64_t overwritten() const noexcept { return core_->overwritten(); }

  // Whether a coroutine that waits here keeps the isolate alive. True unless set.
  bool keep_isolate_alive() const noexcept { return core_->keep_alive(); }
  void set_keep_isolate_alive(bool keep_alive) {
    core_->CheckOwner();
    core_->set_keep_alive(keep_alive);
  }

 private:
  void CheckUsable() const {
    core_->CheckOwner();
    core_->host().CheckStop();
    if (core_->taken()) throw StateError("this port is awaited already");
  }
  void CloseOwned() noexcept {
    if (!core_ || core_->closed()) return;
    ISOLATES_CHECK(internal::current_host == &core_->host(),
                   "an open LatestValuePort was destroyed outside of its isolate");
    core_->Close();
  }

  internal::Ref<internal::LatestValueCore> core_;
};

}  // namespace isolates

#endif  // ISOLATES_LATEST_VALUE_H_
