// A timer on its way: in the scheduler's queue until its time has come or it is cancelled, then an
// event of its isolate.

#ifndef ISOLATES_SRC_ISOLATE_TIMER_NODE_H_
#define ISOLATES_SRC_ISOLATE_TIMER_NODE_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>

#include "isolates/clock.h"
#include "isolates/detail/event_node.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_host.h"
#include "isolates/detail/ref.h"

namespace isolates::internal {

class TimerNode final : public RefCounted, public MainHeapObject, public EventNode {
 public:
  TimerNode(PortHost& host, TimePoint when, std::coroutine_handle<> waiter)
      : when_(when), host_(&host), waiter_(waiter) {
    host.AddKeepAlive(1);
  }

  TimePoint when() const noexcept { return when_; }
  const PortHost& host() const noexcept { return *host_; }
  // Scheduler: the time has come. Passes the scheduler's reference on to the event.
  void Fire() noexcept {
    const Ref<PortHost> host =
        host_;  // this node may be gone before Push is over, and the isolate too
    host->Push(this);
  }

  // The isolate's thread: nobody waits any more. The scheduler is told by the caller.
  void Cancel() noexcept {
    if (waiter_) host_->AddKeepAlive(-1);
    waiter_ = nullptr;
  }
  // The isolate's thread: false once it has resumed its coroutine or was cancelled.
  bool waits() const noexcept { return static_cast<bool>(waiter_); }

  void OnEvent() override {
    const auto self = Ref<TimerNode>::Adopt(this);
    const auto waiter = waiter_;
    Cancel();
    if (waiter) waiter.resume();
  }
  void OnDiscard() noexcept override { Release(); }

  // The scheduler's, under its lock: the place in its queue, and the order among equal times.
  static constexpr std::size_t kNotQueued = SIZE_MAX;
  std::size_t queue_index = kNotQueued;
  std::uint64_t queue_order = 0;

 private:
  const TimePoint when_;
  const Ref<PortHost> host_;
  std::coroutine_handle<> waiter_;  // the isolate's thread
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_ISOLATE_TIMER_NODE_H_
