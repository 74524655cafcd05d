// Mailbox: a queue of accepted messages that can be closed, and the rule when its owner must be
// told.
//
// Protocol
//   operation     who may call              progress
//   Reserve       any sender                wait-free (one or two fetch_adds)
//   Commit        the sender that reserved  lock-free (the queue's enqueue, one or two RMWs)
//   Cancel        the sender that reserved  wait-free
//   TryReceive    the owner                 lock-free; see M3
//   TryDrop       senders, under the lock   lock-free
//   Unlist        the owner                 wait-free
//   TryList       the owner, senders        wait-free
//   Announce      any thread                wait-free
//   Refuse        the owner                 wait-free
//   Settle        the owner                 waits for senders between Reserve and Commit (M6)
//
// Word
//   bit 0          closed     set by Refuse, once
//   bit 1          listed     the port stands in its isolate's event list; set by whoever lists it,
//                             cleared by the owner when it takes the port from the list
//   bit 2          awaited    the owner sleeps until this port has a message; set and cleared by
//   the owner bits 3..33     published  messages whose Commit is complete and that were not
//   received bits 34..63    reserved   published + sends between Reserve and Commit
//
// Where senders drop the oldest message, they receive as the owner does, one at a time under a lock
// that the owner takes, too; and they leave one message.
//
// Rules
//   M1. A send counts as accepted when its Reserve found the port open. So Refuse divides all
//   sends: those
//       reserved before it are received or become dead letters, those after it are refused.
//   M2. published counts up only after the message is in the queue, and down only after one was
//   taken
//       out. So the queue always holds at least `published` messages.
//   M3. While published > 0 the owner's dequeue succeeds: the fetch_add that raised it happened
//   after
//       the enqueue and before the owner's load. A queue that says "nothing" is asked again.
//   M4. Whoever changes listed from 0 to 1 lists the port, nobody else. The owner clears it before
//   it
//       looks for messages. A sender publishes before it looks at listed. All are RMWs on one word,
//       so one of the two sees the other: no message stays behind unannounced.
//   M5. A sender that finds awaited set when it publishes must wake the owner. Setting awaited and
//       publishing are RMWs on one word: either the sender sees the bit, or the owner sees the
//       message.
//   M6. After Refuse, Settle waits until a message is published or nothing is reserved. Between
//       Reserve and Commit a sender only enqueues. A refused sender may hold a reservation for a
//       moment; it takes it back and changes nothing else. So "nothing is reserved" means that
//       every accepted message was taken, and that stays so.
//
// The queue is moodycamel's in production and a model of its contract (first in first out for each
// producer, an enqueue that happened before a dequeue is seen by it) under the model checker.

#ifndef ISOLATES_SRC_PORT_MAILBOX_H_
#define ISOLATES_SRC_PORT_MAILBOX_H_

#include <cstdint>

#include "isolates/detail/atomics.h"

namespace isolates::internal {

// What a sender owes the owner after its message is there.
enum class MailboxDuty : int {
  kNone,
  kList,  // put the port before its isolate (M4)
  kWake,  // (M5)
};

template <class Atomics, class Queue>
class Mailbox {
 public:
  using Item = typename Queue::Item;
  using Producer = typename Queue::Producer;

  explicit Mailbox(Queue& queue) : queue_(queue) {}

  [[nodiscard]] bool Reserve() {
    // acquire - pairs with Refuse: a sender that is refused sees what the owner did before it
    // closed.
    const std::uint64_t before = word_.fetch_add(kReservedUnit, std::memory_order_acquire);
    if ((before & kClosed) == 0) return true;
    Cancel();
    return false;
  }

  void Cancel() {
    // release - pairs with Settle (M6).
    word_.fetch_sub(kReservedUnit, std::memory_order_release);
  }

  using Duty = MailboxDuty;

  // If the enqueue throws, the message is not in the queue and the reservation stands.
  [[nodiscard]] Duty Commit(Producer& producer, Item item) {
    queue_.Enqueue(producer, item);
    // release half - pairs with TryReceive and Unlist: the enqueue is visible to them (M3, M4).
    // acquire half - pairs with Unlist: if listed reads 0, the owner's clearing came first.
    const std::uint64_t before = word_.fetch_add(kPublishedUnit, std::memory_order_acq_rel);
    if ((before & kListed) == 0 && TryList()) return Duty::kList;
    return (before & kAwaited) != 0 ? Duty::kWake : Duty::kNone;
  }

  // True if this call changed the port from not listed to listed (M4).
  [[nodiscard]] bool TryList() {
    // acq_rel - release half pairs with Unlist: what the caller did before is visible to the
    // owner's next look; acquire half orders it after the Unlist that cleared the bit.
    return (word_.fetch_or(kListed, std::memory_order_acq_rel) & kListed) == 0;
  }

  // Something else has happened that the owner must look at, as if a message had come (M4, M5).
  [[nodiscard]] Duty Announce() {
    bool closed;
    return AnnounceMessage(closed);
  }
  // The same for a message that is somewhere else (a Lane). Tells whether the port was closed.
  [[nodiscard]] Duty AnnounceMessage(bool& closed) {
    // acq_rel - as in TryList and Commit; acquire also pairs with Refuse.
    const std::uint64_t before = word_.fetch_or(kListed, std::memory_order_acq_rel);
    closed = (before & kClosed) != 0;
    if ((before & kListed) == 0) return Duty::kList;
    return (before & kAwaited) != 0 ? Duty::kWake : Duty::kNone;
  }

  // The owner has taken the port from its list and will now look for messages.
  void Unlist() {
    // acq_rel - acquire half pairs with Commit (M4); release half orders the next TryList after
    // this.
    word_.fetch_and(~kListed, std::memory_order_acq_rel);
  }

  [[nodiscard]] bool TryReceive(Item& item) {
    // acquire - pairs with Commit (M3).
    if (Published(word_.load(std::memory_order_acquire)) == 0) return false;
    while (!queue_.TryDequeue(item)) {
    }
    // relaxed - counts down in the thread, or under the lock, of the one consumer; a sender reads
    // nothing from these counts but their bits.
    word_.fetch_sub(kPublishedUnit + kReservedUnit, std::memory_order_relaxed);
    return true;
  }

  // Where senders drop: the oldest message that takes room, unless it is the last of all or there
  // is none.
  [[nodiscard]] bool TryDrop(Item& item) {
    // acquire - pairs with Commit.
    if (Published(word_.load(std::memory_order_acquire)) < 2) return false;
    if (!queue_.TryDequeueCounted(item)) return false;
    word_.fetch_sub(kPublishedUnit + kReservedUnit, std::memory_order_relaxed);  // as in TryReceive
    return true;
  }

  [[nodiscard]] bool HasMessage() const {
    // acquire - pairs with Commit.
    return Published(word_.load(std::memory_order_acquire)) != 0;
  }

  // Any thread. A hint.
  [[nodiscard]] std::uint64_t Length() const {
    return Published(word_.load(std::memory_order_relaxed));  // relaxed - a hint
  }

  // The owner will sleep until a message is there (M5); it looks once more between this and the
  // sleep.
  void SetAwaited() {
    // acquire - pairs with Commit: a message that was published before is seen by the next look.
    word_.fetch_or(kAwaited, std::memory_order_acquire);
  }
  void ClearAwaited() {
    // relaxed - a sender that still sees the bit wakes an owner that is awake, which does no harm.
    word_.fetch_and(~kAwaited, std::memory_order_relaxed);
  }

  // All later sends are refused.
  [[nodiscard]] bool refuses() const {
    // acquire - pairs with Refuse.
    return (word_.load(std::memory_order_acquire) & kClosed) != 0;
  }
  void Refuse() {
    // acq_rel - release half pairs with Reserve and refuses(); acquire half with Commit.
    word_.fetch_or(kClosed, std::memory_order_acq_rel);
  }

  // After Refuse: true if a message is there, false if there is none and never will be. `wait` is
  // called while a sender is between Reserve and Commit.
  template <class Wait>
  [[nodiscard]] bool Settle(Wait wait) const {
    for (;;) {
      // acquire - pairs with Cancel and Commit (M6).
      const std::uint64_t word = word_.load(std::memory_order_acquire);
      if (Published(word) != 0) return true;
      if (Reserved(word) == 0) return false;
      wait();
    }
  }

 private:
  static constexpr std::uint64_t kClosed = 1;
  static constexpr std::uint64_t kListed = 2;
  static constexpr std::uint64_t kAwaited = 4;
  static constexpr std::uint64_t kPublishedUnit = std::uint64_t{1} << 3;
  static constexpr std::uint64_t kReservedUnit = std::uint64_t{1} << 34;
  static constexpr std::uint64_t Published(std::uint64_t word) {
    return (word & (kReservedUnit - 1)) / kPublishedUnit;  // the low bits fall away
  }
  static constexpr std::uint64_t Reserved(std::uint64_t word) { return word / kReservedUnit; }

  Queue& queue_;
  typename Atomics::template Atomic<std::uint64_t> word_{0};
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_MAILBOX_H_
