// EnvelopePool: the blocks of messages that were received go back to the senders of the port, so
// that a port in steady state allocates nothing.
//
// Protocol
//   operation   who may call         progress
//   Keep        the port's isolate   wait-free
//   TakeAll     any sender           wait-free (one exchange)
//
// Rules
//   B1. The owner gathers blocks in a chain of its own. It puts kHandful of them into the slot when
//       it has so many and the slot is empty. Nobody else makes the slot not empty, so its store
//       overwrites nothing.
//   B2. A sender takes all that is in the slot by one exchange: two senders never get the same
//       block, and no block is ever popped singly (no ABA).
//   B3. At most kMost blocks wait with the owner, and a sender takes one handful at most; what is
//       more goes back to the heap. So do the blocks of envelopes of more than 512 bytes, which are
//       never offered (Envelope::reusable): what a port keeps is small whatever it carries.

#ifndef ISOLATES_SRC_PORT_ENVELOPE_POOL_H_
#define ISOLATES_SRC_PORT_ENVELOPE_POOL_H_

#include "isolates/detail/atomics.h"

namespace isolates::internal {

// What a block holds while it is free.
struct FreeBlock {
  FreeBlock* next = nullptr;
};

template <class Atomics, int kHandful = 16, int kMost = 64>
class EnvelopePool {
 public:
  // False: there are enough; the block stays with the caller.
  [[nodiscard]] bool Keep(FreeBlock* block) {
    if (count_ >= kMost) return false;
    block->next = kept_;
    kept_ = block;
    ++count_;
    // relaxed - only this thread makes the slot not empty (B1).
    if (count_ >= kHandful && slot_.load(std::memory_order_relaxed) == nullptr) {
      FreeBlock* last = kept_;
      for (int i = 1; i < kHandful; ++i) last = last->next;
      FreeBlock* const rest = last->next;
      last->next = nullptr;
      // release - pairs with TakeAll: links, and all that was done with the blocks before.
      slot_.store(kept_, std::memory_order_release);
      kept_ = rest;
      count_ -= kHandful;
    }
    return true;
  }

  // A chain that belongs to the caller from now on, or nullptr.
  [[nodiscard]] FreeBlock* TakeAll() {
    // relaxed - a hint; an empty slot is not worth an exchange.
    if (slot_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    // acquire - pairs with Keep.
    return slot_.exchange(nullptr, std::memory_order_acquire);
  }

  // The owner: what it has gathered and not put into the slot.
  [[nodiscard]] FreeBlock* TakeKept() {
    FreeBlock* const kept = kept_;
    kept_ = nullptr;
    count_ = 0;
    return kept;
  }

 private:
  typename Atomics::template Atomic<FreeBlock*> slot_{nullptr};
  FreeBlock* kept_ = nullptr;  // the owner's
  int count_ = 0;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_ENVELOPE_POOL_H_
