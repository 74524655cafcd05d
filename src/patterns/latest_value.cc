#include "isolates/latest_value.h"

#include <utility>

#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/error.h"

namespace isolates::internal {

Ref<LatestValueCore> LatestValueCore::Create(std::string_view debug_name) {
  PortHost& host = RequireHost();
  host.CheckStop();
  const MainHeapScope main_heap;
  host.ReservePort();
  auto core = Ref<LatestValueCore>::Adopt(new LatestValueCore(host, debug_name));
  host.AddPort(*core);
  return core;
}

LatestValueCore::LatestValueCore(PortHost& host, std::string_view debug_name)
    : host_(&host), debug_name_(debug_name) {}

LatestValueCore::~LatestValueCore() { ISOLATES_DCHECK(closed(), "a port died open"); }

bool LatestValueCore::Send(Envelope* envelope) noexcept {
  const Ref<LatestValueCore> self(this);  // once the value is out, the handles may go
  const Slot::Published published = slot_.Publish(envelope);
  if (!published.accepted) return false;
  if (published.duty == Slot::Duty::kList) {
    AddRef();  // while the port stands in the list
    host_->Push(this);
  } else if (published.duty == Slot::Duty::kWake) {
    host_->Wake();
  }
  if (published.replaced != nullptr) {
    overwritten_.fetch_add(1, std::memory_order_relaxed);  // relaxed - a counter
    delete published.replaced;
  }
  return true;
}

void LatestValueCore::CheckOwner() const {
  if (current_host != host_.get()) {
    throw StateError("a LatestValuePort may be used only in the isolate that created it");
  }
}

void LatestValueCore::List() noexcept {
  if (slot_.TryList()) {
    AddRef();  // while the port stands in the list
    host_->Requeue(this);
  }
}

void LatestValueCore::SetWaiter(std::coroutine_handle<> waiter) {
  if (waiter_) throw StateError("this port is awaited already");
  waiter_ = waiter;
  UpdateKeepAlive();
  if (HasValue()) List();
}

void LatestValueCore::ClearWaiter() noexcept {
  waiter_ = nullptr;
  UpdateKeepAlive();
}

void LatestValueCore::set_keep_alive(bool keep_alive) noexcept {
  keep_alive_ = keep_alive;
  UpdateKeepAlive();
}

void LatestValueCore::UpdateKeepAlive() noexcept {
  const bool counts = keep_alive_ && waiter_;
  if (counts != counted_) {
    counted_ = counts;
    host_->AddKeepAlive(counts ? 1 : -1);
  }
}

std::string LatestValueCore::Describe() const {
  return debug_name_.empty() ? "a port of latest values" : "port '" + debug_name_ + "'";
}

bool LatestValueCore::WaitForValue(TimePoint deadline) {
  return host_->Wait(
      {"a value on", this,
       [](const void* self, bool sleeps) noexcept {
         // Given as a const pointer, as all arguments of waits.
         auto& slot =
             const_cast<LatestValueCore*>(static_cast<const LatestValueCore*>(self))->slot_;
         if (sleeps) {
           slot.SetAwaited();
         } else {
           slot.ClearAwaited();
         }
       }},
      [](const void* self) {
        const auto* port = static_cast<const LatestValueCore*>(self);
        return port->HasValue() || port->closed();
      },
      this, deadline);
}

void LatestValueCore::Close() noexcept {
  if (closed()) return;
  const Ref<LatestValueCore> self(this);
  if (Envelope* const left = slot_.Close()) DestroyDeadLetter(left);
  host_->RemovePort(*this);
  // A coroutine that waits learns that the port has ended, in an event of its own.
  if (waiter_) List();
}

void LatestValueCore::OnEvent() {
  const auto self = Ref<LatestValueCore>::Adopt(this);  // taken over from the list
  slot_.Unlist();
  if (!waiter_ || (!HasValue() && !closed())) return;
  const auto waiter = std::exchange(waiter_, nullptr);
  UpdateKeepAlive();
  waiter.resume();
}

}  // namespace isolates::internal
