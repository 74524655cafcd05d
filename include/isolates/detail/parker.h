// BasicParker: one thread sleeps, many may wake it.
//
// Protocol
//   operation   who may call            progress
//   Park        the owning thread only  blocks until a wake-up, a deadline, or a wake-up left
//   earlier Unpark      any thread              wait-free, one exchange; a system call only if the
//   owner sleeps
//
// State word (kEmpty -> kParked by Park; any -> kNotified by Unpark; kNotified -> kEmpty by Park)
//
// Rules
//   P1. Unpark leaves a token. A Park that finds one takes it and returns at once, so a wake-up
//   that
//       comes before the sleep is never lost. Several tokens count as one.
//   P2. Park returns only with a token taken or with its deadline passed, but callers must treat it
//   as if
//       it could return for no reason, and look again at what they wait for.
//   P3. What a thread did before Unpark is visible to the owner after the Park that took its token.

#ifndef ISOLATES_DETAIL_PARKER_H_
#define ISOLATES_DETAIL_PARKER_H_

#include <cstdint>

#include "isolates/clock.h"
#include "isolates/detail/atomics.h"

namespace isolates::internal {

// The system's wait queue on a 32-bit word (futex, private to the process).
struct SystemFutex {
  // Sleeps while the word holds `expected`, until a wake-up or the deadline (TimePoint::max():
  // none). May return early.
  static void Wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, TimePoint deadline);
  static void WakeOne(std::atomic<std::uint32_t>& word) noexcept;
  static void WakeAll(std::atomic<std::uint32_t>& word) noexcept;
  static bool Expired(TimePoint deadline) noexcept;
};

template <class Atomics, class Futex>
class BasicParker {
 public:
  // True if a token was taken, false if the deadline passed first.
  bool Park(TimePoint deadline = TimePoint::max()) {
    // acquire - pairs with Unpark (P3). Taken without a sleep when a token was left (P1).
    if (word_.exchange(kEmpty, std::memory_order_acquire) == kNotified) return true;
    std::uint32_t expected = kEmpty;
    // relaxed, both - going to sleep publishes nothing: Unpark's exchange sees kParked, or this
    // fails because of its token, which is taken below.
    if (!word_.compare_exchange_strong(expected, kParked, std::memory_order_relaxed,
                                       std::memory_order_relaxed)) {
      // acquire - pairs with Unpark (P3). An exchange, not a store: a second Unpark may have come
      // since, and a store could wipe out its token without making visible what it tells of.
      word_.exchange(kEmpty, std::memory_order_acquire);
      return true;
    }
    for (;;) {
      Futex::Wait(word_, kParked, deadline);
      expected = kNotified;
      // acquire - pairs with Unpark (P3). relaxed on failure: still parked, nothing to see.
      if (word_.compare_exchange_strong(expected, kEmpty, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
        return true;
      }
      if (Futex::Expired(deadline)) {
        // acquire - an Unpark may have slipped in after the deadline; its token counts.
        return word_.exchange(kEmpty, std::memory_order_acquire) == kNotified;
      }
    }
  }

  void Unpark() {
    // release - pairs with Park (P3).
    if (word_.exchange(kNotified, std::memory_order_release) == kParked) Futex::WakeOne(word_);
  }

 private:
  static constexpr std::uint32_t kEmpty = 0;
  static constexpr std::uint32_t kParked = 1;
  static constexpr std::uint32_t kNotified = 2;

  typename Atomics::template Atomic<std::uint32_t> word_{kEmpty};
};

using Parker = BasicParker<StdAtomics, SystemFutex>;

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PARKER_H_
