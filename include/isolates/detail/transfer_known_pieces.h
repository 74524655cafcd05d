#ifndef ISOLATES_DETAIL_TRANSFER_KNOWN_PIECES_H_
#define ISOLATES_DETAIL_TRANSFER_KNOWN_PIECES_H_

// The answer to "does a block of the value's own heap start here?" without asking the allocator
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
  KnownPieces() noexcept { pieces_.fill(Piece{}); }

  // True if a block can start there, as far as was asked when the piece was added. A false "no"
  // only costs time.
  [[gnu::always_inline]] bool Holds(const void* start) const noexcept {
    const auto at = std::uint64_t{reinterpret_cast<std::uintptr_t>(start)};
    const std::uint64_t key = KeyOf(at);
    const Piece& piece = pieces_[key % kPlaces];
    return piece.key == key && (piece.HasStartAt(at) || at % kOverAlignment == 0);
  }

  // The piece of a block of the own heap. Each address in it that is aligned as a block will do.
  void Add(const void* start) noexcept {
    Piece& piece = AddPiece(start);
    // For these two HasStartAt says yes to every aligned address.
    piece.origin -= 1u << kAlignBits;
    piece.reciprocal = ~std::uint32_t{0};
  }
  // The same, but only starts of blocks will do, which lie `spacing` bytes apart (BlockSpacing; 0:
  // not known), and those that might be over-aligned.
  void AddStarts(const void* start, std::size_t spacing) noexcept {
    Piece& piece = AddPiece(start);
    if (spacing == 0 || spacing > kPieceBytes / 2) return;
    const auto offset = reinterpret_cast<std::uintptr_t>(start) % kPieceBytes;
    piece.origin -= static_cast<std::uint32_t>(spacing - offset % spacing);
    piece.reciprocal = static_cast<std::uint32_t>(((std::uint64_t{1} << 32) - 1) / spacing + 1);
  }

 private:
  // What a walk over 4 MB finds again, and what is quickly made.
  static constexpr std::size_t kPlaces = 128;
  static constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << kOwnerGrainBits;
  static constexpr int kAlignBits = std::countr_zero(alignof(void*));

  struct Piece {
    std::uint64_t key = ~std::uint64_t{0};  // no piece's
    std::uint32_t origin = 0;  // low bits of an address below the piece where a block could start
    std::uint32_t reciprocal = 0;  // 2^32 by the distance between starts, rounded up; 0: none known

    // Whether the address, which is in the piece, lies a multiple of that distance from the origin:
    // exactly then the low half of its product with the reciprocal is small. That holds while the
    // distance from the origin is below 2^16 and that between starts at most 2^15.
    bool HasStartAt(std::uint64_t at) const noexcept {
      return (static_cast<std::uint32_t>(at) - origin) * reciprocal < reciprocal;
    }
  };

  // The number of the piece. The low bits, which no start of a block has, become the highest ones,
  // which no piece has.
  static std::uint64_t KeyOf(std::uint64_t at) noexcept {
    return std::rotr(at, kAlignBits) >> (kOwnerGrainBits - kAlignBits);
  }

  // Nothing can start there yet.
  Piece& AddPiece(const void* start) noexcept {
    const auto at = std::uint64_t{reinterpret_cast<std::uintptr_t>(start)};
    const std::uint64_t key = KeyOf(at);
    Piece& piece = pieces_[key % kPlaces];
    piece = Piece{key, static_cast<std::uint32_t>(at / kPieceBytes * kPieceBytes), 0};
    return piece;
  }

  std::array<Piece, kPlaces> pieces_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_KNOWN_PIECES_H_
