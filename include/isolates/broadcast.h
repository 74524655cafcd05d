// Broadcast<T>: one message for all who have subscribed.
//
//   Broadcast<Frozen<Config>> changes;         // hand it to whoever publishes or subscribes
//   changes.Subscribe(port.send_port());       // from any isolate
//   changes.Send(Freeze(Config{...}));         // every subscriber reads the same object

#ifndef ISOLATES_BROADCAST_H_
#define ISOLATES_BROADCAST_H_

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "isolates/detail/heap.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/ref.h"
#include "isolates/detail/transfer_leaving.h"
#include "isolates/error.h"
#include "isolates/port.h"
#include "isolates/transfer.h"

namespace isolates {

// What has become of one message.
struct BroadcastResult {
  std::size_t accepted = 0;  // by ports that are open
  std::size_t refused = 0;   // by ports that are open; their subscriptions stay
  std::size_t closed = 0;    // ports that have closed; they drop out
};

namespace internal {

// The subscriptions, which all handles of a broadcast share.
//
// Order: a Subscribe that happened before a Send is seen by it, through the lock or, if the sender
// finds the version that it knows, because nothing has changed. No lock is held while a message is
// copied or sent.
template <class T>
class Subscriptions : public RefCounted, public MainHeapObject {
 public:
  using Ports = std::vector<SendPort<T>, MainAllocator<SendPort<T>>>;

  bool Add(const SendPort<T>& port) {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(ports_, port) != ports_.end()) return false;
    if (ports_.size() >= prune_at_) {
      std::erase_if(ports_, [](const SendPort<T>& other) { return other.closed(); });
      prune_at_ = std::max<std::size_t>(32, ports_.size() * 2);
    }
    ports_.push_back(port);
    Changed();
    return true;
  }
  bool Remove(const SendPort<T>& port) {
    const std::lock_guard lock(mutex_);
    if (std::erase(ports_, port) == 0) return false;
    Changed();
    return true;
  }
  std::size_t CountOpen() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(ports_, [](const SendPort<T>& port) { return !port.closed(); }));
  }

  // Brings `ports`, as it was at `version`, up to date. The SendPorts that stay are the same
  // objects: on a plain thread each of them is a sender with an order of its own.
  void Update(Ports& ports, std::uint64_t& version) const {
    // acquire - pairs with Changed.
    if (version_.load(std::memory_order_acquire) == version) return;
    Ports updated;
    const std::lock_guard lock(mutex_);
    updated.reserve(ports_.size());
    // Both are in the order of subscription, so what is new stands at the end.
    auto next = ports.begin();
    for (const SendPort<T>& port : ports_) {
      const auto known = std::find(next, ports.end(), port);
      if (known == ports.end()) {
        updated.push_back(port);
      } else {
        updated.push_back(std::move(*known));
        next = known + 1;
      }
    }
    ports = std::move(updated);
    version = version_.load(std::memory_order_relaxed);  // relaxed - changes under the lock only
  }

 private:
  void Changed() {
    // release - pairs with Update: who sees the new version without the lock then takes the lock;
    // who acts on what the subscriber did before needs nothing else.
    version_.fetch_add(1, std::memory_order_release);
  }

  mutable std::mutex mutex_;
  Ports ports_;
  std::size_t prune_at_ = 32;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace internal

// A handle: copies are the same broadcast, and it may be sent. One thread at a time may use one
// handle. What one handle sends arrives at each subscriber in that order; so does what one isolate
// sends through several.
template <std::copy_constructible T>
class Broadcast {
 public:
  using Message = T;

  // A new broadcast without subscribers.
  Broadcast() : subscriptions_(internal::MakeRef<internal::Subscriptions<T>>()) {}
  Broadcast(const Broadcast& other) noexcept : subscriptions_(other.subscriptions_) {}
  Broadcast(Broadcast&& other) noexcept
      : subscriptions_(std::move(other.subscriptions_)),
        ports_(std::move(other.ports_)),
        version_(std::exchange(other.version_, 0)) {}
  Broadcast& operator=(Broadcast other) noexcept {
    std::swap(subscriptions_, other.subscriptions_);
    std::swap(ports_, other.ports_);
    std::swap(version_, other.version_);
    return *this;
  }
  ~Broadcast() = default;

  // The port gets all that is sent from now on. False if it has subscribed already. A port that
  // closes drops out by itself. Throws StateError if `port` is connected to nothing.
  bool Subscribe(const SendPort<T>& port) const {
    static_cast<void>(port.closed());
    return Shared().Add(port);
  }
  // False if it had not subscribed. A Send that is in progress elsewhere may still reach it.
  bool Unsubscribe(const SendPort<T>& port) const { return Shared().Remove(port); }

  // Sends a copy to each subscriber; copies of a Frozen<T> are one value. Throws TransferError if
  // the message may not be sent: to none then. If there is no memory for a copy, std::bad_alloc:
  // the subscribers before it have got theirs.
  BroadcastResult Send(const T& message, VerifyLevel level = VerifyLevel::kDefault) const {
    Shared().Update(ports_, version_);
    BroadcastResult result;
    for (const SendPort<T>& port : ports_) {
      const SendResult sent = port.Send(message, level);
      if (sent == SendResult::kAccepted) {
        ++result.accepted;
      } else if (sent == SendResult::kClosed) {
        ++result.closed;
        subscriptions_->Remove(port);
      } else {
        ++result.refused;
      }
    }
    return result;
  }

  // Subscribers whose ports are open.
  std::size_t subscribers() const { return Shared().CountOpen(); }

  // Same broadcast?
  friend bool operator==(const Broadcast& a, const Broadcast& b) noexcept {
    return a.subscriptions_ == b.subscriptions_;
  }

 private:
  internal::Subscriptions<T>& Shared() const {
    if (!subscriptions_) throw StateError("this Broadcast is empty: it was moved from");
    return *subscriptions_;
  }

  internal::Ref<internal::Subscriptions<T>> subscriptions_;
  // The subscribers as this handle knows them.
  mutable typename internal::Subscriptions<T>::Ports ports_;
  mutable std::uint64_t version_ = 0;
};

template <std::copy_constructible T>
struct TransferTraits<Broadcast<T>> : internal::HandleTraits {};

}  // namespace isolates

#endif  // ISOLATES_BROADCAST_H_
