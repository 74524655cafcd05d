// The state word of an isolate. The protocol and its rules I1 to I4 stand in core.h; here are the
// transitions, templated on the atomics so that the model checker runs this source.

#ifndef ISOLATES_SRC_ISOLATE_ISOLATE_STATE_H_
#define ISOLATES_SRC_ISOLATE_ISOLATE_STATE_H_

#include <cstdint>

#include "isolates/detail/atomics.h"

namespace isolates::internal {

template <class Atomics>
class IsolateState {
 public:
  // What a waker owes.
  enum class Duty {
    kNone,      // the isolate is ready or running and will look
    kSchedule,  // I1: put it into a ready queue
    kUnpark,    // I3: wake the thread that runs it
    kDiscard,   // I4: the isolate has ended
  };

  // Any thread, after the event is visible.
  Duty Notify() {
    // release half - pairs with BeginTurn, TryIdle and SetBlocked: the event is visible to the
    // owner (I2). acquire half - pairs with SetBlocked and Die: the thread to unpark, the end, are
    // visible.
    const std::uint32_t before = word_.fetch_or(kNotified | kActive, std::memory_order_acq_rel);
    if ((before & kDead) != 0) return Duty::kDiscard;
    if ((before & kActive) == 0) return Duty::kSchedule;
    return (before & kBlocked) != 0 ? Duty::kUnpark : Duty::kNone;
  }

  // Owner: from here on it sees every event whose Notify came before. True: there was one since the
  // last BeginTurn.
  bool BeginTurn() {
    // acquire - pairs with Notify.
    return (word_.fetch_and(~kNotified, std::memory_order_acquire) & kNotified) != 0;
  }
  // Owner: takes a BeginTurn back that saw something.
  void RestoreNotified() {
    // relaxed - for this thread's own next look.
    word_.fetch_or(kNotified, std::memory_order_relaxed);
  }

  // Owner: true if something came since BeginTurn.
  bool notified() const {
    // acquire - pairs with Notify.
    return (word_.load(std::memory_order_acquire) & kNotified) != 0;
  }

  // Owner: true if the isolate sleeps now; false if something came since BeginTurn.
  [[nodiscard]] bool TryIdle() {
    std::uint32_t expected = kActive;
    // release - pairs with the Notify that makes it active again, and through the ready queue with
    // the next owner: it sees all that this owner did. acquire on failure - pairs with Notify.
    return word_.compare_exchange_strong(expected, 0, std::memory_order_release,
                                         std::memory_order_acquire);
  }

  // Any thread: true if the isolate slept, and the caller has it from here on, to look at it and to
  // give it back (TryIdle; if that fails, the caller owes what kSchedule says).
  [[nodiscard]] bool TryClaim() {
    std::uint32_t expected = 0;
    // acquire - pairs with the TryIdle of the owner before. relaxed on failure: nothing is read.
    return word_.compare_exchange_strong(expected, kActive, std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }

  // What the isolate is at, for others than its owner. Where it says that nothing goes on, all that
  // the owner did before is visible.
  enum class Activity {
    kIdle,   // it sleeps
    kRuns,   // somebody has it, or should
    kWaits,  // its owner sleeps in a turn, and nothing came since it looked
    kDead,
  };
  Activity activity() const {
    // acquire - pairs with TryIdle and SetBlocked.
    const std::uint32_t word = word_.load(std::memory_order_acquire);
    if ((word & kDead) != 0) return Activity::kDead;
    if ((word & kActive) == 0) return Activity::kIdle;
    return (word & (kBlocked | kNotified)) == kBlocked ? Activity::kWaits : Activity::kRuns;
  }

  // True if somebody has the isolate, or should (I1).
  bool active() const {
    // acquire - pairs with Notify, and with the TryIdle of the owner before.
    return (word_.load(std::memory_order_acquire) & kActive) != 0;
  }

  // The one thread that may ever run the isolate has it from here on, whether it slept or not.
  void Claim() {
    // acquire - pairs with Notify.
    word_.fetch_or(kActive, std::memory_order_acquire);
  }

  // Owner, around a sleep in a turn. Between SetBlocked and the sleep it looks at notified, and
  // does not take kNotified away: until it has looked at what came, it does not wait (activity).
  void SetBlocked() {
    // acquire half - pairs with Notify: what was notified before is visible to that look;
    // release half - the parker to wake is visible to a Notify that sees the bit (I3).
    word_.fetch_or(kBlocked, std::memory_order_acq_rel);
  }
  void ClearBlocked() {
    // relaxed - a waker that still sees the bit leaves a token with a thread that is awake.
    word_.fetch_and(~kBlocked, std::memory_order_relaxed);
  }

  // Owner, for good. Afterwards it discards what was pushed before; later pushers discard their own
  // (I4).
  void Die() {
    // acq_rel - acquire half pairs with Notify (the pushes before); release half with later ones.
    word_.fetch_or(kDead, std::memory_order_acq_rel);
  }

  // A hint unless the caller knows that the owner has come to its end.
  bool dead() const {
    // acquire - pairs with Die.
    return (word_.load(std::memory_order_acquire) & kDead) != 0;
  }

 private:
  static constexpr std::uint32_t kNotified = 1;
  static constexpr std::uint32_t kActive = 2;
  static constexpr std::uint32_t kBlocked = 4;
  static constexpr std::uint32_t kDead = 8;

  // An isolate is born active: its creator has it (I1).
  typename Atomics::template Atomic<std::uint32_t> word_{kActive};
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_ISOLATE_ISOLATE_STATE_H_
