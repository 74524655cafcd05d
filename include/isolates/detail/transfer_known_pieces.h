#ifndef ISOLATES_DETAIL_TRANSFER_KNOWN_PIECES_H_
#define ISOLATES_DETAIL_TRANSFER_KNOWN_PIECES_H_

// The answer to "does this block belong to the value's own heap?" without asking the allocator
// again: it is the same for a whole piece of memory (kOwnerGrainBits), so a walk remembers the
// pieces about which it has asked.
//
// An answer stays true for the length of a walk: the block for which it was asked is owned by the
// graph, and its page cannot change hands while it lives.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "isolates/detail/heap.h"

namespace isolates::internal {

class KnownPieces {
 public:
  KnownPieces() noexcept { keys_.fill(kNone); }

  // True if the address can be the start of a block, in a piece that was added. A false "no" only
  // costs time.
  bool Holds(const void* start) const noexcept {
    const std::uint64_t key = KeyOf(start);
    return keys_[key % kPlaces] == key;
  }
  void Add(const void* start) noexcept {
    const std::uint64_t key = KeyOf(start);
    keys_[key % kPlaces] = key;
  }

 private:
  // Two-fold: what a walk over 4 MB finds again, and what is quickly made.
  static constexpr std::size_t kPlaces = 128;
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  static constexpr int kAlignBits = std::countr_zero(alignof(void*));

  // The number of the piece. The low bits, which no start of a block has, become the highest ones,
  // which no piece has.
  static std::uint64_t KeyOf(const void* start) noexcept {
    return std::rotr(std::uint64_t{reinterpret_cast<std::uintptr_t>(start)}, kAlignBits) >>
           (kOwnerGrainBits - kAlignBits);
  }

  std::array<std::uint64_t, kPlaces> keys_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_KNOWN_PIECES_H_
