// Where an isolate keeps the values of IsolateLocals.
//
// Each IsolateLocal object has a number, given at its first use in the process; an isolate has a
// table by these numbers and a list of what it made, in that order. A number is never used again.

#ifndef ISOLATES_DETAIL_ISOLATE_LOCALS_H_
#define ISOLATES_DETAIL_ISOLATE_LOCALS_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "isolates/detail/heap.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_host.h"

namespace isolates::internal {

// The number of one IsolateLocal object; 0 until its first use.
class LocalNumber {
 public:
  constexpr LocalNumber() noexcept = default;

  // relaxed - a number alone; whoever still sees 0 asks Require.
  std::uint32_t get() const noexcept { return number_.load(std::memory_order_relaxed); }
  // Gives it one if it has none. Throws LimitError.
  std::uint32_t Require();

 private:
  std::atomic<std::uint32_t> number_{0};  // written by Require, under its mutex
};

// The part of an isolate that has the table. All of it is for the isolate's thread.
class LocalsHost : public PortHost {
 public:
  using PortHost::PortHost;

  // The isolate's own heap (nullptr: the main heap), whatever the thread's default is meanwhile.
  virtual Heap* heap() const noexcept = 0;

  // The value, or nullptr if it was not made or is gone.
  void* FindLocal(std::uint32_t number) const noexcept {
    return number < slots_.size() ? slots_[number].value : nullptr;
  }

  // Around the making of a value: Begin throws StateError if it is being made already or its time
  // is over, LimitError; then Finish, or Cancel if it could not be made. If Finish throws, the
  // value stays with the caller, and Cancel is due.
  std::uint32_t BeginLocal(LocalNumber& number);
  void FinishLocal(std::uint32_t number, void* value, void (*destroy)(void*) noexcept);
  void CancelLocal(std::uint32_t number) noexcept {
    if (!over_) slots_[number].state = SlotState::kEmpty;
  }

 protected:
  // Destroys the values, the last one made first; those that the destructors make, too. Afterwards
  // there are none any more.
  void DestroyLocals() noexcept;

 private:
  enum class SlotState : std::uint8_t { kEmpty, kMaking, kMade, kGone };
  struct Slot {
    void* value = nullptr;  // kMade
    SlotState state = SlotState::kEmpty;
  };
  struct Made {
    std::uint32_t number;
    void* value;
    void (*destroy)(void*) noexcept;
  };

  std::vector<Slot, MainAllocator<Slot>> slots_;  // by number; 0 is nobody's
  std::vector<Made, MainAllocator<Made>> made_;   // in the order of their making
  bool over_ = false;
};

// The isolate that runs on this thread; a plain thread becomes one. (Every PortHost is one.)
inline LocalsHost* CurrentLocals() noexcept { return static_cast<LocalsHost*>(current_host); }
inline LocalsHost& RequireLocals() { return static_cast<LocalsHost&>(RequireHost()); }

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_ISOLATE_LOCALS_H_
