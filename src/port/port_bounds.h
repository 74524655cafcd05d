// What a bounded port has besides: its room, who waits for it, and what it has refused.

#ifndef ISOLATES_SRC_PORT_PORT_BOUNDS_H_
#define ISOLATES_SRC_PORT_PORT_BOUNDS_H_

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <mutex>
#include <utility>

#include "isolates/detail/event_node.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_host.h"
#include "isolates/detail/ref.h"
#include "isolates/port_options.h"
#include "src/port/credit.h"

namespace isolates::internal {

// A sender that waits for room: an isolate that blocks, or a coroutine of one. Until its message is
// sent or given up it stands in the line of its isolate, too (SenderLine).
class RoomWaiter final : public RefCounted, public EventNode, public MainHeapObject {
 public:
  RoomWaiter(PortHost& host, CreditNeed wanted, std::coroutine_handle<> waiter) noexcept
      : need(wanted), host_(&host), coroutine_(static_cast<bool>(waiter)), waiter_(waiter) {
    if (coroutine_) host_->AddKeepAlive(1);
  }
  // The sender waits no longer. On the isolate's thread.
  void Forget() noexcept {
    if (waiter_ != nullptr) StopWaiting();
  }
  // Its sender may go on: there is room and the messages before it in the line have gone, or there
  // will be none.
  bool Ready() const noexcept {
    const CreditVerdict known = Verdict();
    return known == CreditVerdict::kClosed ||
           (known == CreditVerdict::kGranted && before == nullptr);
  }
  CreditVerdict Verdict() const noexcept {
    // acquire - pairs with Credit, which stores it.
    return verdict.load(std::memory_order_acquire);
  }

  // In the line of its isolate, whose thread has them.
  RoomWaiter* before = nullptr;
  RoomWaiter* behind = nullptr;
  // It took room without waiting for that.
  void GrantAtOnce() noexcept {
    verdict.store(CreditVerdict::kGranted, std::memory_order_relaxed);  // relaxed - this thread's
    called_too_early_ = true;
  }
  // It is the first of its line now.
  void Advance() noexcept {
    if (!coroutine_ || std::exchange(called_too_early_, false)) Notify();
  }

  // As Credit wants it.
  const CreditNeed need;
  RoomWaiter* next_waiter = nullptr;
  std::atomic<CreditVerdict> verdict{CreditVerdict::kWaits};
  void Notify() noexcept {
    if (coroutine_) {
      AddRef();  // while it stands in the list of events
      host_->Push(this);
    } else {
      host_->Wake();
    }
  }

  // EventNode
  void OnEvent() override {
    const auto self = Ref<RoomWaiter>::Adopt(this);
    if (waiter_ == nullptr) return;
    if (Ready()) {
      StopWaiting().resume();
    } else {
      called_too_early_ = true;
    }
  }
  void OnDiscard() noexcept override { Release(); }

 private:
  std::coroutine_handle<> StopWaiting() noexcept {
    host_->AddKeepAlive(-1);
    return std::exchange(waiter_, nullptr);
  }

  const Ref<PortHost> host_;
  const bool coroutine_;
  std::coroutine_handle<> waiter_;  // the isolate's
  bool called_too_early_ = false;   // the isolate's: it was notified, and others were before it
};

struct PortBounds : MainHeapObject {
  using Room = Credit<StdAtomics, std::mutex, RoomWaiter>;
  static_assert(Room::kMostMessages == PortOptions::kMostMessages &&
                Room::kMostBytes == PortOptions::kMostBytes);

  explicit PortBounds(const PortOptions& options)
      : room(options.capacity(), options.counts_bytes() ? options.capacity_bytes() : 0),
        counts_bytes(options.counts_bytes()),
        policy(options.on_full()) {}

  Room room;
  const bool counts_bytes;
  const FullPolicy policy;
  std::mutex consumers;  // held by whoever dequeues, if the policy is kDropOldest
  // Counters. relaxed - nothing is published by them.
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> dropped_newest{0};
  std::atomic<std::uint64_t> dropped_oldest{0};
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_PORT_BOUNDS_H_
