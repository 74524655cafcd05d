// Credit: how much room a bounded port has, exactly, and who waits for it.
//
// Protocol
//   operation    who may call                     progress
//   TryTake      any sender                       lock-free (one compare-exchange loop)
//   TakeAnyway   any sender                       wait-free
//   Give         whoever took, or the receiver    lock-free; takes the lock if somebody waits
//   TakeOrWait   any sender, with a waiter        takes the lock
//   Abandon      the sender that waits            takes the lock
//   Close        the owner of the port            takes the lock
//
// Word
//   bit 63         waiting    the list of waiters is not empty; changed under the lock
//   bit 62         closed     set by Close, once
//   bits 40..61    messages   room that is taken, in messages
//   bits 0..39     bytes      room that is taken, in bytes
//
// Rules
//   C1. Room is taken before the message is in the queue and given back after it was taken out of
//       it: so never more than the capacity is accepted and not received. One word holds both
//       counts, so what fits is decided at once: a sender is refused only if at that moment there
//       was no room, or others waited for it.
//   C2. Who waits first is served first. While somebody waits, room that is given goes to the
//       waiters and to nobody else: TryTake refuses. A waiter whose need does not fit holds up
//       those behind it.
//   C3. A waiter sets `waiting` by a compare-exchange that fails if the room has changed, and
//       stands in the list before it releases the lock. Give looks at `waiting` in the RMW that
//       gives: either the waiter saw the room, or the giver sees the bit and finds the waiter.
//   C4. Granting takes the room on behalf of the waiter and removes it from the list, under the
//       lock. Notify follows without the lock; the list's reference keeps the waiter until then.
//   C5. Close empties the list: everybody is told. After it nobody takes or waits.
//
// A waiter is a class with: Need need; Waiter* next_waiter; an atomic `verdict` that starts as
// kWaits; AddRef, Release, and Notify(), which makes the sender look at the verdict. Any thread.

#ifndef ISOLATES_SRC_PORT_CREDIT_H_
#define ISOLATES_SRC_PORT_CREDIT_H_

#include <algorithm>
#include <cstdint>
#include <mutex>

#include "isolates/detail/atomics.h"

namespace isolates::internal {

// What one message takes.
class CreditNeed {
 public:
  CreditNeed() = default;
  explicit CreditNeed(std::uint64_t bytes) noexcept : word_(kMessage | bytes) {}
  static CreditNeed FromWord(std::uint64_t word) noexcept {
    CreditNeed need;
    need.word_ = word;
    return need;
  }
  std::uint64_t word() const noexcept { return word_; }
  explicit operator bool() const noexcept { return word_ != 0; }

  static constexpr std::uint64_t kMessage = std::uint64_t{1} << 40;

 private:
  std::uint64_t word_ = 0;  // as in the word of Credit; 0: takes no room
};

// Not a class: the model checker prints it.
enum CreditVerdict : std::uint32_t { kWaits, kGranted, kClosed };

template <class Atomics, class Mutex, class Waiter>
class Credit {
 public:
  // So large are the fields that what is taken in excess of them (TakeAnyway) has room, too.
  static constexpr std::uint64_t kMostMessages = std::uint64_t{1} << 21;
  static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 34;

  enum class Answer { kTaken, kFull, kClosed };

  // Capacities from 1 to the most above; 0 bytes: bytes are not counted.
  Credit(std::uint64_t messages, std::uint64_t bytes) : messages_(messages), bytes_(bytes) {}

  // A message that is larger than the port needs all of it: it is accepted when nothing else is.
  CreditNeed NeedOf(std::uint64_t bytes) const noexcept {
    return CreditNeed(std::min(bytes, bytes_));
  }

  [[nodiscard]] Answer TryTake(CreditNeed need) {
    // relaxed - a first look: what the caller knows to be given is seen; no message is passed on.
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      if ((word & kClosedBit) != 0) return Answer::kClosed;
      if ((word & kWaiting) != 0 || !Fits(word, need)) return Answer::kFull;
      // acquire - pairs with Give: the message that had the room was taken out before. relaxed on
      // failure: looked at again.
      if (word_.compare_exchange_weak(word, word + need.word(), std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return Answer::kTaken;
      }
    }
  }

  // Beyond the capacity, by senders that remove something for it.
  void TakeAnyway(CreditNeed need) {
    // relaxed - a count: the sender's own Exceeded, later in its program, sees it.
    word_.fetch_add(need.word(), std::memory_order_relaxed);
  }
  [[nodiscard]] bool Exceeded() const {
    // relaxed - the last sender to add sees what all have added (one modification order).
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    return Messages(word) > messages_ || Bytes(word) > bytes_;
  }

  void Give(CreditNeed need) {
    // release half - pairs with TryTake and Grant. acquire half - pairs with TakeOrWait (C3): the
    // lock is taken after the bit was seen.
    const std::uint64_t before = word_.fetch_sub(need.word(), std::memory_order_acq_rel);
    if ((before & kWaiting) != 0) Grant();
  }

  // kFull: the waiter stands in the list, which holds a reference to it, and will be notified.
  [[nodiscard]] Answer TakeOrWait(Waiter& waiter) {
    mutex_.lock();
    const Answer answer = TakeOrSetWaiting(waiter.need);
    if (answer == Answer::kFull) {
      waiter.AddRef();
      waiter.next_waiter = nullptr;
      (last_ == nullptr ? first_ : last_->next_waiter) = &waiter;
      last_ = &waiter;
    }
    mutex_.unlock();
    return answer;
  }

  // The sender does not want to wait any more. What was granted is given back.
  void Abandon(Waiter& waiter) {
    mutex_.lock();
    const bool listed = Remove(waiter);
    const bool others_wait = first_ != nullptr;
    if (listed && !others_wait) StopRefusing();
    // relaxed - changed under the lock.
    const bool granted = waiter.verdict.load(std::memory_order_relaxed) == CreditVerdict::kGranted;
    mutex_.unlock();
    if (listed) {
      waiter.Release();
      if (others_wait) Grant();  // those behind it may fit
    } else if (granted) {
      Give(waiter.need);
    }
  }

  void Close() {
    mutex_.lock();
    // relaxed - under the lock; senders learn from the mailbox what it means that a port is closed.
    word_.fetch_or(kClosedBit, std::memory_order_relaxed);
    Waiter* chain = first_;
    first_ = last_ = nullptr;
    for (Waiter* waiter = chain; waiter != nullptr; waiter = waiter->next_waiter) {
      // release - pairs with the sender's look at its verdict.
      waiter->verdict.store(CreditVerdict::kClosed, std::memory_order_release);
    }
    word_.fetch_and(~kWaiting, std::memory_order_relaxed);
    mutex_.unlock();
    NotifyAll(chain);
  }

 private:
  static constexpr std::uint64_t kWaiting = std::uint64_t{1} << 63;
  static constexpr std::uint64_t kClosedBit = std::uint64_t{1} << 62;
  static constexpr std::uint64_t Bytes(std::uint64_t word) {
    return word & (CreditNeed::kMessage - 1);
  }
  static constexpr std::uint64_t Messages(std::uint64_t word) {
    return (word & ~(kWaiting | kClosedBit)) / CreditNeed::kMessage;
  }
  bool Fits(std::uint64_t word, CreditNeed need) const {
    return Messages(word) + 1 <= messages_ && Bytes(word) + Bytes(need.word()) <= bytes_;
  }

  Answer TakeOrSetWaiting(CreditNeed need) {
    std::uint64_t word = word_.load(std::memory_order_relaxed);  // as in TryTake
    for (;;) {
      if ((word & kClosedBit) != 0) return Answer::kClosed;
      if ((word & kWaiting) != 0) return Answer::kFull;
      const bool fits = Fits(word, need);
      // acquire - as in TryTake. release - pairs with Give (C3). relaxed on failure: as there.
      if (word_.compare_exchange_weak(word, fits ? word + need.word() : word | kWaiting,
                                      std::memory_order_acq_rel, std::memory_order_relaxed)) {
        return fits ? Answer::kTaken : Answer::kFull;
      }
    }
  }

  // Serves those who wait, as far as there is room.
  void Grant() {
    Waiter* granted = nullptr;
    Waiter* last_granted = nullptr;
    mutex_.lock();
    while (first_ != nullptr && TakeFor(first_->need)) {
      Waiter* const waiter = first_;
      first_ = waiter->next_waiter;
      waiter->next_waiter = nullptr;
      // release - pairs with the sender's look at its verdict.
      waiter->verdict.store(CreditVerdict::kGranted, std::memory_order_release);
      (last_granted == nullptr ? granted : last_granted->next_waiter) = waiter;
      last_granted = waiter;
    }
    if (first_ == nullptr) {
      last_ = nullptr;
      StopRefusing();
    }
    mutex_.unlock();
    NotifyAll(granted);
  }
  // Nobody waits any more. Under the lock.
  void StopRefusing() {
    // relaxed - under the lock; whoever sees the bit gone takes room as before.
    word_.fetch_and(~kWaiting, std::memory_order_relaxed);
  }
  bool TakeFor(CreditNeed need) {
    std::uint64_t word = word_.load(std::memory_order_relaxed);  // Give's RMW came before the lock
    for (;;) {
      if (!Fits(word, need)) return false;
      // acquire, relaxed - as in TryTake.
      if (word_.compare_exchange_weak(word, word + need.word(), std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
  }
  static void NotifyAll(Waiter* chain) {
    while (chain != nullptr) {
      Waiter* const next = chain->next_waiter;
      chain->Notify();
      chain->Release();
      chain = next;
    }
  }
  bool Remove(Waiter& waiter) {
    Waiter* before = nullptr;
    for (Waiter* at = first_; at != nullptr; before = at, at = at->next_waiter) {
      if (at != &waiter) continue;
      (before == nullptr ? first_ : before->next_waiter) = at->next_waiter;
      if (last_ == at) last_ = before;
      return true;
    }
    return false;
  }

  const std::uint64_t messages_;
  const std::uint64_t bytes_;
  typename Atomics::template Atomic<std::uint64_t> word_{0};
  Mutex mutex_;  // guards what follows
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_CREDIT_H_
