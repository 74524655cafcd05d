// The lanes of one port, as its owner has them. A lane is there from the message that opens it
// until its sender has gone and all is received. (Rules: isolates/detail/port_lane.h.)

#ifndef ISOLATES_SRC_PORT_PORT_LANES_H_
#define ISOLATES_SRC_PORT_PORT_LANES_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_envelope.h"
#include "isolates/detail/ref.h"

namespace isolates::internal {

struct TakenFromLane {
  SenderLane* lane = nullptr;
  void* message = nullptr;  // none: nullptr
};

class PortLanes : public MainHeapObject {
 public:
  // So many senders of a port may have one; the owner looks at all of them in turn.
  static constexpr int kMost = 8;

  PortLanes() = default;
  PortLanes(const PortLanes&) = delete;
  PortLanes& operator=(const PortLanes&) = delete;

  // --- any sender
  // Room for one more, until the lane that is added goes.
  bool Reserve() noexcept {
    // relaxed, both - limits their number.
    if (reserved_.fetch_add(1, std::memory_order_relaxed) < kMost) return true;
    GiveBack(1);
    return false;
  }
  void GiveBack(int count) noexcept { reserved_.fetch_sub(count, std::memory_order_relaxed); }
  // With room: a lane that is on its way to Add, or comes to Cancel.
  void Announce(SenderLane& lane) noexcept;
  void Cancel(SenderLane& lane) noexcept;

  // --- the owner
  void Add(Ref<SenderLane> lane) noexcept;
  // Gives up the lanes whose senders have gone and in which nothing is left.
  void DropAbandoned() noexcept;
  // Takes the oldest message of the next lane that has one.
  TakenFromLane Take() noexcept;
  bool HasMessage() const noexcept;
  int count() const noexcept { return count_; }
  void Attend() noexcept;
  // True: there are some that were attended, so a heavy barrier must follow.
  [[nodiscard]] bool Ignore() noexcept;
  // All that are there, and those that are added later: see Lane::BeginClosing.
  void BeginClosing() noexcept;
  // After the heavy barrier.
  void FinishClosing() noexcept;

  // --- any thread: how many messages are in lanes. A hint.
  std::uint64_t Length() const noexcept;

 private:
  void Forget(const SenderLane& lane) noexcept;  // the mutex is held

  std::atomic<int> reserved_{0};
  // Held by the owner while it changes the array, by whoever else reads it, and for what is on its
  // way.
  mutable std::mutex mutex_;
  std::array<Ref<SenderLane>, kMost> lanes_;
  int count_ = 0;
  std::array<SenderLane*, kMost> coming_{};
  std::size_t coming_count_ = 0;
  // The owner's.
  int at_ = 0;  // the lane that was asked last
  bool attended_ = false;
  bool closing_ = false;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_PORT_LANES_H_
