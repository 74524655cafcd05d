// LatestValueSlot: room for one value, which senders overwrite and the owner takes.
//
// Protocol
//   operation   who may call   progress
//   Publish     any sender     lock-free (one compare-exchange loop)
//   Take        the owner      wait-free (one fetch_and)
//   Unlist      the owner      wait-free
//   SetAwaited  the owner      wait-free
//   Close       the owner      lock-free (one compare-exchange loop)
//
// Word: the address of the value, or 0, and in its low bits
//   closed      set by Close, once; there is no value from then on
//   listed      the port stands in its isolate's event list; set by whoever lists it, cleared by
//   the
//               owner when it takes the port from the list
//   awaited     the owner sleeps until a value is there; set and cleared by the owner
//
// Rules
//   L1. A value belongs to whoever took its address out of the word: the sender that replaced it,
//   or
//       the owner that took or closed. All changes are RMWs on one word, so that is exactly one.
//   L2. Publish compares addresses and never looks at the value that it may replace before it has
//       it. So a freed value whose address comes back as another value does no harm.
//   L3. A sender that is refused still has its value, and nobody has seen it.
//   L4. Whoever changes listed from 0 to 1 lists the port, nobody else. The owner clears it before
//       it looks for a value; a sender publishes and looks at listed in one step. So no value stays
//       behind unannounced.
//   L5. A sender that finds awaited set, and the port listed, must wake the owner. Either it sees
//   the
//       bit, or the owner sees the value in its look after it has set the bit.

#ifndef ISOLATES_DETAIL_LATEST_VALUE_SLOT_H_
#define ISOLATES_DETAIL_LATEST_VALUE_SLOT_H_

#include <cstdint>

#include "isolates/detail/atomics.h"

namespace isolates::internal {

template <class Atomics, class Value>
class LatestValueSlot {
 public:
  // What the sender owes the owner.
  enum class Duty { kNone, kList /* put the port before its isolate (L4) */, kWake /* (L5) */ };
  struct Published {
    bool accepted = false;
    Value* replaced = nullptr;  // belongs to the caller now (L1)
    Duty duty = Duty::kNone;
  };

  [[nodiscard]] Published Publish(Value* value) {
    static_assert(alignof(Value) > kFlags, "the flags need the low bits of the address");
    // acquire - pairs with Close: a sender that is refused sees what the owner did before. Else
    // only a first guess for the compare-exchange.
    std::uintptr_t before = word_.load(std::memory_order_acquire);
    for (;;) {
      if ((before & kClosed) != 0) return {};
      // release half - pairs with Take and with the Publish that replaces the value: its contents
      // are visible to them. acquire half - pairs with the Publish of the value that is replaced,
      // and with Unlist (L4). On failure acquire, as for the load.
      if (word_.compare_exchange_weak(before, AddressOf(value) | (before & kFlags) | kListed,
                                      std::memory_order_acq_rel, std::memory_order_acquire)) {
        break;
      }
    }
    Duty duty = Duty::kNone;
    if ((before & kListed) == 0) {
      duty = Duty::kList;
    } else if ((before & kAwaited) != 0) {
      duty = Duty::kWake;
    }
    return {true, ValueOf(before), duty};
  }

  // The value, or nullptr.
  [[nodiscard]] Value* Take() {
    // acquire - pairs with Publish. The owner publishes nothing here: a sender that finds no
    // address takes nothing over.
    return ValueOf(word_.fetch_and(kFlags, std::memory_order_acquire));
  }

  [[nodiscard]] bool HasValue() const {
    // acquire - pairs with Publish; Take would do for the value itself.
    return (word_.load(std::memory_order_acquire) & ~kFlags) != 0;
  }

  // The owner puts the port before itself: true if it was not there (L4).
  [[nodiscard]] bool TryList() {
    // relaxed - the list is the owner's own, and the bit publishes nothing.
    return (word_.fetch_or(kListed, std::memory_order_relaxed) & kListed) == 0;
  }

  // The owner has taken the port from its list and will now look for a value.
  void Unlist() {
    // acq_rel - acquire half pairs with Publish (L4); release half orders the next sender's push of
    // the port after the owner's removal of it.
    word_.fetch_and(~kListed, std::memory_order_acq_rel);
  }

  // The owner will sleep until a value is there (L5); it looks once more between this and the
  // sleep.
  void SetAwaited() {
    // acquire - pairs with Publish: a value that came before is seen by the next look.
    word_.fetch_or(kAwaited, std::memory_order_acquire);
  }
  void ClearAwaited() {
    // relaxed - a sender that still sees the bit wakes an owner that is awake, which does no harm.
    word_.fetch_and(~kAwaited, std::memory_order_relaxed);
  }

  [[nodiscard]] bool closed() const {
    // acquire - pairs with Close.
    return (word_.load(std::memory_order_acquire) & kClosed) != 0;
  }

  // Refuses all later values. The one that is there belongs to the caller; or nullptr.
  [[nodiscard]] Value* Close() {
    // release half - pairs with Publish and closed(); acquire half - pairs with Publish (L1). In
    // one step with the take, so that no value is left behind. Flags of the owner's stay as they
    // are.
    std::uintptr_t before = word_.load(std::memory_order_relaxed);  // relaxed - a first guess
    while (!word_.compare_exchange_weak(before, (before & kFlags) | kClosed,
                                        std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
    return ValueOf(before);
  }

 private:
  static constexpr std::uintptr_t kClosed = 1;
  static constexpr std::uintptr_t kListed = 2;
  static constexpr std::uintptr_t kAwaited = 4;
  static constexpr std::uintptr_t kFlags = kClosed | kListed | kAwaited;

  static std::uintptr_t AddressOf(Value* value) { return reinterpret_cast<std::uintptr_t>(value); }
  static Value* ValueOf(std::uintptr_t word) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the flags lie in the pointer's low bits
    return reinterpret_cast<Value*>(word & ~kFlags);
  }

  typename Atomics::template Atomic<std::uintptr_t> word_{0};
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_LATEST_VALUE_SLOT_H_
