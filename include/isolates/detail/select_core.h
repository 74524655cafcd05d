// What a Select is underneath its typed cases: which port is next, and the wait for one of them.

#ifndef ISOLATES_DETAIL_SELECT_CORE_H_
#define ISOLATES_DETAIL_SELECT_CORE_H_

#include <coroutine>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "isolates/clock.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/ref.h"

namespace isolates::internal {

// One port of a Select and what is done with its messages.
class SelectCase {
 public:
  explicit SelectCase(Ref<PortCore> port) noexcept : port_(std::move(port)) {}
  SelectCase(SelectCase&&) noexcept = default;
  SelectCase& operator=(SelectCase&&) = delete;

  PortCore& port() const noexcept { return *port_; }
  // The port is closed, and that was told: the case is not looked at any more.
  bool dropped = false;

  virtual void OnMessage(ReceivedMessage message) = 0;
  virtual void OnClosed() = 0;

 protected:
  ~SelectCase() = default;

 private:
  Ref<PortCore> port_;
};

// The isolate of the ports only. Refers to the cases, which outlive it and stay in their places.
class SelectCore {
 public:
  // Throws StateError if a port belongs to another isolate, or stands here twice.
  SelectCore(std::span<SelectCase* const> cases, bool biased);
  SelectCore(const SelectCore&) = delete;
  SelectCore& operator=(const SelectCore&) = delete;

  // Before a wait. Throws StateError if somebody else takes a port's messages, or in the wrong
  // isolate.
  void CheckUsable() const;
  void CheckStop() const;

  bool all_closed() const noexcept;
  // Something may be handled now: a message, a port that has closed, the end of all.
  bool Ready() const noexcept;
  // The same, for a coroutine that would handle it in this turn.
  bool MayGoOn() const noexcept;
  // Handles one message, or tells of one closed port. False if there is neither.
  bool HandleOne();

  void SetWaiter(std::coroutine_handle<> waiter);
  void ClearWaiter() noexcept;
  // Blocks until Ready. False at the deadline.
  bool Wait(TimePoint deadline);

 private:
  bool MessageThere() const noexcept;
  bool ClosedUntold() const noexcept;

  const std::span<SelectCase* const> cases_;
  const bool biased_;
  std::size_t next_ = 0;  // where the next look begins
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_SELECT_CORE_H_
