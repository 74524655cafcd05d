// What a LatestValuePort is underneath its typed handles.

#ifndef ISOLATES_DETAIL_LATEST_VALUE_CORE_H_
#define ISOLATES_DETAIL_LATEST_VALUE_CORE_H_

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "isolates/clock.h"
#include "isolates/detail/event_node.h"
#include "isolates/detail/latest_value_slot.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/port_host.h"
#include "isolates/detail/ref.h"

namespace isolates::internal {

class LatestValueCore final : public HostedPort, public MainHeapObject, public EventNode {
 public:
  // The port belongs to the isolate that runs on this thread; a plain thread becomes one.
  static Ref<LatestValueCore> Create(std::string_view debug_name);

  const std::string& debug_name() const noexcept { return debug_name_; }
  PortHost& host() const noexcept { return *host_; }

  // --- any thread
  // True: the port has taken over the envelope. False: it is closed, the envelope stays with the
  // caller. The value that was there before is destroyed here.
  bool Send(Envelope* envelope) noexcept;
  bool closed() const noexcept { return slot_.closed(); }
  // Values that were overwritten before the receiver took them.
  std::uint64_t overwritten() const noexcept {
    return overwritten_.load(std::memory_order_relaxed);  // relaxed - a counter
  }

  // --- the thread of the port's isolate
  // Throws StateError unless the caller runs in the port's isolate and may go on.
  void CheckOwner() const;
  std::unique_ptr<Envelope> Take() noexcept { return std::unique_ptr<Envelope>(slot_.Take()); }
  bool HasValue() const noexcept { return slot_.HasValue(); }
  void Close() noexcept override;
  bool taken() const noexcept { return static_cast<bool>(waiter_); }
  // The coroutine to resume when a value arrives or the port closes.
  void SetWaiter(std::coroutine_handle<> waiter);
  void ClearWaiter() noexcept;
  // True if there is a value or the port is closed; false at the deadline.
  bool WaitForValue(TimePoint deadline);
  bool keep_alive() const noexcept { return keep_alive_; }
  bool keeps_alive() const noexcept override { return counted_; }
  std::string Describe() const override;
  void set_keep_alive(bool keep_alive) noexcept;

  // EventNode
  void OnEvent() override;
  void OnDiscard() noexcept override { Release(); }

 private:
  LatestValueCore(PortHost& host, std::string_view debug_name);
  ~LatestValueCore() override;
  void UpdateKeepAlive() noexcept;
  void List() noexcept;

  using Slot = LatestValueSlot<StdAtomics, Envelope>;

  Slot slot_;
  std::atomic<std::uint64_t> overwritten_{0};
  const Ref<PortHost> host_;
  const std::string debug_name_;

  // Owner only from here on.
  std::coroutine_handle<> waiter_;
  bool keep_alive_ = true;
  bool counted_ = false;  // counted by the host as keeping it alive
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_LATEST_VALUE_CORE_H_
