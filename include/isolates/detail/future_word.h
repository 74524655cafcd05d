// FutureWord: the state word of a future. The protocol and its rules F1 to F4 stand in
// future_state.h; here are the transitions, templated on the atomics so that the model checker runs
// this source.

#ifndef ISOLATES_DETAIL_FUTURE_WORD_H_
#define ISOLATES_DETAIL_FUTURE_WORD_H_

#include <cstdint>

#include "isolates/clock.h"
#include "isolates/detail/atomics.h"
#include "isolates/detail/parker.h"

namespace isolates::internal {

template <class Atomics, class Futex>
class FutureWord {
 public:
  // Anybody.
  bool done() const noexcept {
    // acquire - pairs with Finish (F1).
    return (word_.load(std::memory_order_acquire) & kDone) != 0;
  }

  // The producer, once, after it stored the result; wakes sleeping threads. True: a consumer is
  // registered and the producer owes it the event (F2).
  [[nodiscard]] bool Finish() noexcept {
    // release half - pairs with all that find kDone (F1); acquire half - pairs with Register: what
    // it registered is visible if kWaiter is set (F2).
    const std::uint32_t before = word_.fetch_or(kDone, std::memory_order_acq_rel);
    if ((before & kBlocked) != 0) Futex::WakeAll(word_);
    return (before & kWaiter) != 0;
  }

  // The consumer, after it wrote whom to tell. False: the result is there, and nobody will be told.
  [[nodiscard]] bool Register() noexcept {
    // release half - pairs with Finish (F2); acquire half - pairs with Finish (F1).
    return (word_.fetch_or(kWaiter, std::memory_order_acq_rel) & kDone) == 0;
  }

  // The consumer, while registered. True: nobody will be told (F4). False: the result is there, and
  // the event is on its way.
  [[nodiscard]] bool TakeBack() noexcept {
    // acquire half - pairs with Finish (F1); release half - orders what is written for the next
    // registration after this one.
    return (word_.fetch_and(~kWaiter, std::memory_order_acq_rel) & kDone) == 0;
  }

  // The consumer: sleeps until the result is there, or the deadline has passed.
  void Block(TimePoint deadline) {
    while (!done()) {
      // acquire - pairs with Finish (F1).
      const std::uint32_t before = word_.fetch_or(kBlocked, std::memory_order_acquire);
      if ((before & kDone) != 0) return;
      Futex::Wait(word_, before | kBlocked, deadline);
      if (Futex::Expired(deadline)) return;
    }
  }

 private:
  static constexpr std::uint32_t kDone = 1;
  static constexpr std::uint32_t kWaiter = 2;
  static constexpr std::uint32_t kBlocked = 4;

  typename Atomics::template Atomic<std::uint32_t> word_{0};
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_FUTURE_WORD_H_
