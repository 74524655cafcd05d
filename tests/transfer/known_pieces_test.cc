#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"
#include "isolates/detail/transfer_known_pieces.h"

namespace isolates::internal {
namespace {

constexpr std::uintptr_t kPiece = std::uintptr_t{1} << kOwnerGrainBits;
constexpr std::uintptr_t kBase = 0x20000 * kPiece;

const void* At(std::uintptr_t address) { return reinterpret_cast<const void*>(address); }

TEST(KnownPiecesTest, NothingIsKnownAtFirst) {
  const KnownPieces pieces;
  EXPECT_FALSE(pieces.Holds(nullptr));
  EXPECT_FALSE(pieces.Holds(At(8)));
  EXPECT_FALSE(pieces.Holds(At(kBase)));
  EXPECT_FALSE(pieces.Holds(At(~std::uintptr_t{7})));
  EXPECT_FALSE(pieces.Holds(At(~std::uintptr_t{0})));
}

TEST(KnownPiecesTest, AlignedAddressesOfThePieceAndNoOthers) {
  KnownPieces pieces;
  pieces.Add(At(kBase + 80));
  for (std::uintptr_t offset = 0; offset < kPiece; ++offset) {
    ASSERT_EQ(pieces.Holds(At(kBase + offset)), offset % sizeof(void*) == 0) << offset;
  }
  EXPECT_FALSE(pieces.Holds(At(kBase - 8)));
  EXPECT_FALSE(pieces.Holds(At(kBase + kPiece)));
  EXPECT_FALSE(pieces.Holds(At(kBase + 128 * kPiece)));  // the same place
  pieces.Add(At(kBase + 128 * kPiece));
  EXPECT_FALSE(pieces.Holds(At(kBase)));  // forgotten: asked again
}

TEST(KnownPiecesTest, OnlyStartsOfBlocksForEachSpacing) {
  for (std::size_t spacing = 8; spacing <= kPiece; spacing += 8) {
    KnownPieces pieces;
    const std::uintptr_t first = spacing * 7919 % kPiece / 8 * 8;
    pieces.AddStarts(At(kBase + first), spacing);
    const bool known = spacing <= kPiece / 2;
    std::size_t wrong = 0;
    for (std::uintptr_t offset = 0; offset < kPiece; offset += 8) {
      const std::uintptr_t distance = offset > first ? offset - first : first - offset;
      const bool expected = offset % kOverAlignment == 0 || (known && distance % spacing == 0);
      wrong += pieces.Holds(At(kBase + offset)) == expected ? 0 : 1;
    }
    ASSERT_EQ(wrong, 0U) << spacing;
  }
}

TEST(KnownPiecesTest, WithoutSpacingOnlyWhatMayBeOverAligned) {
  KnownPieces pieces;
  pieces.AddStarts(At(kBase + 8), 0);
  EXPECT_FALSE(pieces.Holds(At(kBase + 8)));
  EXPECT_FALSE(pieces.Holds(At(kBase + 16)));
  EXPECT_TRUE(pieces.Holds(At(kBase + kOverAlignment)));
}

}  // namespace
}  // namespace isolates::internal
