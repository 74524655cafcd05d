#include "isolates/select.h"

#include <algorithm>

#include "isolates/error.h"

namespace isolates::internal {

SelectCore::SelectCore(std::span<SelectCase* const> cases, bool biased)
    : cases_(cases), biased_(biased) {
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    cases_[i]->port().CheckOwner();
    for (std::size_t j = 0; j < i; ++j) {
      if (&cases_[i]->port() == &cases_[j]->port()) {
        throw StateError("a Select was given the same port twice");
      }
    }
  }
}

void SelectCore::CheckUsable() const {
  for (const SelectCase* const one : cases_) {
    one->port().CheckOwner();
    if (!one->dropped && one->port().taken()) throw StateError("this port is listened to already");
  }
  CheckStop();
}

void SelectCore::CheckStop() const { cases_.front()->port().host().CheckStop(); }

bool SelectCore::all_closed() const noexcept {
  return std::ranges::all_of(cases_, [](const SelectCase* one) { return one->dropped; });
}

bool SelectCore::MessageThere() const noexcept {
  return std::ranges::any_of(
      cases_, [](const SelectCase* one) { return !one->dropped && one->port().Ready(); });
}

bool SelectCore::ClosedUntold() const noexcept {
  return std::ranges::any_of(
      cases_, [](const SelectCase* one) { return !one->dropped && one->port().ended(); });
}

bool SelectCore::Ready() const noexcept { return ClosedUntold() || MessageThere() || all_closed(); }

bool SelectCore::MayGoOn() const noexcept {
  return ClosedUntold() || all_closed() ||
         (MessageThere() && cases_.front()->port().host().MayGoOn());
}

bool SelectCore::HandleOne() {
  const std::size_t first = biased_ ? 0 : next_;
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    const std::size_t index = (first + i) % cases_.size();
    SelectCase& one = *cases_[index];
    if (one.dropped) continue;
    if (ReceivedMessage message = one.port().TryReceive(); message) {
      next_ = index + 1;  // before the handler, which may throw
      one.OnMessage(std::move(message));
      return true;
    }
    if (one.port().ended()) {
      one.dropped = true;
      one.OnClosed();
      return true;
    }
  }
  return false;
}

void SelectCore::SetWaiter(std::coroutine_handle<> waiter) {
  for (SelectCase* const one : cases_) {
    if (!one->dropped) one->port().SetWaiter(waiter);
  }
}

void SelectCore::ClearWaiter() noexcept {
  for (SelectCase* const one : cases_) {
    if (!one->dropped) one->port().ClearWaiter();
  }
}

bool SelectCore::Wait(TimePoint deadline) {
  if (Ready()) return true;
  return cases_.front()->port().host().Wait(
      {"a message on one of several ports (Select)", nullptr,
       [](const void* self, bool sleeps) noexcept {
         for (SelectCase* const one : static_cast<const SelectCore*>(self)->cases_) {
           one->port().SetAwaited(sleeps);
         }
       }},
      [](const void* self) { return static_cast<const SelectCore*>(self)->Ready(); }, this,
      deadline);
}

}  // namespace isolates::internal
