#include "src/port/port_lanes.h"

#include <utility>

#include "isolates/detail/check.h"

namespace isolates::internal {

void PortLanes::Announce(SenderLane& lane) noexcept {
  const std::lock_guard lock(mutex_);
  coming_[coming_count_++] = &lane;
}

void PortLanes::Cancel(SenderLane& lane) noexcept {
  {
    const std::lock_guard lock(mutex_);
    Forget(lane);
  }
  GiveBack(1);
}

void PortLanes::Forget(const SenderLane& lane) noexcept {
  std::size_t i = 0;
  while (coming_[i] != &lane) ++i;
  coming_[i] = coming_[--coming_count_];
}

void PortLanes::Add(Ref<SenderLane> lane) noexcept {
  ISOLATES_CHECK(count_ < kMost, "a port has too many lanes");
  if (closing_) {
    // Never attended: what was accepted there came before the closing in the mailbox's word.
    lane->lane.BeginClosing();
    lane->lane.FinishClosing();
  } else if (attended_) {
    lane->lane.Attend();
  }
  const std::lock_guard lock(mutex_);
  Forget(*lane);
  lanes_[static_cast<std::size_t>(count_++)] = std::move(lane);
}

void PortLanes::DropAbandoned() noexcept {
  const int before = count_;
  for (int i = 0; i < count_;) {
    Ref<SenderLane>& one = lanes_[static_cast<std::size_t>(i)];
    // In this order: what was sent before the sender left is visible then.
    if (!one->lane.abandoned() || one->lane.in_use() || one->lane.Front() != nullptr) {
      ++i;
      continue;
    }
    const std::lock_guard lock(mutex_);
    one = std::move(lanes_[static_cast<std::size_t>(--count_)]);
    if (i == count_) one = nullptr;
  }
  if (count_ != before) GiveBack(before - count_);
}

TakenFromLane PortLanes::Take() noexcept {
  for (int i = 0; i < count_; ++i) {
    if (++at_ >= count_) at_ = 0;
    SenderLane& lane = *lanes_[static_cast<std::size_t>(at_)];
    if (void* const message = lane.lane.Take()) return {&lane, message};
  }
  return {};
}

bool PortLanes::HasMessage() const noexcept {
  for (int i = 0; i < count_; ++i) {
    if (lanes_[static_cast<std::size_t>(i)]->lane.Front() != nullptr) return true;
  }
  return false;
}

void PortLanes::Attend() noexcept {
  if (std::exchange(attended_, true)) return;
  for (int i = 0; i < count_; ++i) lanes_[static_cast<std::size_t>(i)]->lane.Attend();
}

bool PortLanes::Ignore() noexcept {
  if (!std::exchange(attended_, false)) return false;
  for (int i = 0; i < count_; ++i) lanes_[static_cast<std::size_t>(i)]->lane.Ignore();
  return count_ != 0;
}

void PortLanes::BeginClosing() noexcept {
  if (std::exchange(closing_, true)) return;
  for (int i = 0; i < count_; ++i) lanes_[static_cast<std::size_t>(i)]->lane.BeginClosing();
}

void PortLanes::FinishClosing() noexcept {
  for (int i = 0; i < count_; ++i) lanes_[static_cast<std::size_t>(i)]->lane.FinishClosing();
}

std::uint64_t PortLanes::Length() const noexcept {
  const std::lock_guard lock(mutex_);
  std::uint64_t length = 0;
  for (int i = 0; i < count_; ++i) length += lanes_[static_cast<std::size_t>(i)]->lane.Length();
  for (std::size_t i = 0; i < coming_count_; ++i) length += coming_[i]->lane.Length();
  return length;
}

}  // namespace isolates::internal
