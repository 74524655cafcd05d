// SenderCount: how many SendPorts of a port exist, for ports that want to know when the last one is
// gone.
//
// Protocol
//   operation   who may call                                   progress
//   Add         whoever holds a SendPort, or the port's owner  wait-free
//   Drop        whoever gives one up                           wait-free
//   AllGone     the owner                                      wait-free
//
// Rules
//   S1. What a sender did with its SendPort is visible to an owner that sees that all are gone.
//   S2. While none exists, only the owner can make one: so the owner's look is not overtaken.
//   S3. A port that never had a SendPort has not lost them.

#ifndef ISOLATES_SRC_PORT_SENDER_COUNT_H_
#define ISOLATES_SRC_PORT_SENDER_COUNT_H_

#include <cstdint>

#include "isolates/detail/atomics.h"

namespace isolates::internal {

template <class Atomics>
class SenderCount {
 public:
  void Add() {
    // relaxed - whoever adds one holds one, or is the owner.
    word_.fetch_add(kSender, std::memory_order_relaxed);
  }

  // True: that was the last. The caller tells the owner, which looks by AllGone.
  [[nodiscard]] bool Drop() {
    // acq_rel - release half pairs with AllGone; acquire half: the last one passes on what the
    // others did (S1).
    const std::uint32_t before = word_.fetch_sub(kSender, std::memory_order_acq_rel);
    if ((before & ~kHad) != kSender) return false;
    // release - pairs with AllGone.
    word_.fetch_or(kHad, std::memory_order_release);
    return true;
  }

  [[nodiscard]] bool AllGone() const {
    // acquire - pairs with Drop (S1).
    return word_.load(std::memory_order_acquire) == kHad;
  }

 private:
  static constexpr std::uint32_t kHad = 1;  // there were some, and at some moment none
  static constexpr std::uint32_t kSender = 2;

  typename Atomics::template Atomic<std::uint32_t> word_{0};
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_SENDER_COUNT_H_
