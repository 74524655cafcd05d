#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "isolates/detail/check.h"
#include "isolates/detail/transfer_views.h"
#include "src/transfer/spatial_hash.h"

namespace isolates::internal {
namespace {

// Finds the block that an address lies in.
//
// A hash table whose key is the number of the aligned piece of memory in which a block starts. The
// pieces are as long as the block or down to half of it ("level": the logarithm of the length), so
// that a piece has one start and each address of a block lies in the piece of its start or in one
// of the next two: a look-up asks for three pieces for each level that occurs.
class BlockIndex {
 public:
  explicit BlockIndex(const MainVector<BlockRange>& blocks)
      : blocks_(blocks), heads_(std::bit_ceil(2 * blocks.size() + 1), kNone), next_(blocks.size()) {
    ISOLATES_CHECK(blocks.size() < kNone, "more than four billion blocks in one message");
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const int level = LevelOf(blocks[i].bytes);
      levels_ |= std::uint64_t{1} << level;
      std::uint32_t& head = heads_[PlaceOf(PieceOf(blocks[i].start, level), level)];
      next_[i] = std::exchange(head, static_cast<std::uint32_t>(i));
    }
  }

  // Two steps towards a look-up that comes later. Where the views of a large graph lead is in no
  // cache; one after the other they would wait for memory.
  void PrefetchPlace(const void* data) const noexcept {
    __builtin_prefetch(&heads_[PlaceOf(PieceOf(data, last_level_), last_level_)]);
  }
  void PrefetchBlock(const void* data) const noexcept {
    const std::uint32_t head = heads_[PlaceOf(PieceOf(data, last_level_), last_level_)];
    if (head == kNone) return;
    __builtin_prefetch(&blocks_[head]);
    __builtin_prefetch(&next_[head]);
  }

  bool Holds(const void* data, std::size_t bytes) {
    if (HoldsAt(last_level_, data, bytes)) return true;
    for (std::uint64_t rest = levels_; rest != 0; rest &= rest - 1) {
      const int level = std::countr_zero(rest);
      if (level != last_level_ && HoldsAt(level, data, bytes)) {
        last_level_ = level;
        return true;
      }
    }
    return false;
  }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  static int LevelOf(std::size_t bytes) noexcept { return std::bit_width(bytes | 1) - 1; }
  static std::uint64_t PieceOf(const void* address, int level) noexcept {
    return std::uint64_t{reinterpret_cast<std::uintptr_t>(address)} >> level;
  }
  std::size_t PlaceOf(std::uint64_t piece, int level) const noexcept {
    return SpatialPlace(piece + (static_cast<std::uint64_t>(level) << 58), heads_.size());
  }

  bool HoldsAt(int level, const void* data, std::size_t bytes) const noexcept {
    const std::uint64_t piece = PieceOf(data, level);
    return HoldsIn(PlaceOf(piece, level), data, bytes) ||
           HoldsIn(PlaceOf(piece - 1, level), data, bytes) ||
           HoldsIn(PlaceOf(piece - 2, level), data, bytes);
  }
  bool HoldsIn(std::size_t place, const void* data, std::size_t bytes) const noexcept {
    for (std::uint32_t i = heads_[place]; i != kNone; i = next_[i]) {
      if (blocks_[i].Holds(data, bytes)) return true;
    }
    return false;
  }

  const MainVector<BlockRange>& blocks_;
  MainVector<std::uint32_t> heads_;  // first block of each place
  MainVector<std::uint32_t> next_;   // of the same place
  std::uint64_t levels_ = 0;         // those that occur
  int last_level_ = 0;
};

}  // namespace

void ViewBook::AddLarge(const BlockRange& block) noexcept {
  large_[large_count_++ % large_.size()] = block;
}

bool ViewBook::InRecentBlock(const void* data, std::size_t bytes) noexcept {
  const auto found = [this](BlockRange block) {
    hits_[1] = hits_[0];
    hits_[0] = block;
    return true;
  };
  if (hits_[1].Holds(data, bytes)) return found(hits_[1]);
  const std::size_t last = std::min<std::size_t>(2, blocks_.size());
  for (std::size_t i = 1; i <= last; ++i) {
    const BlockRange& block = blocks_[blocks_.size() - i];
    if (block.Holds(data, bytes)) return found(block);
  }
  const std::size_t large = std::min(large_count_, large_.size());
  for (std::size_t i = 0; i < large; ++i) {
    if (large_[i].Holds(data, bytes)) return found(large_[i]);
  }
  return false;
}

MainVector<PendingView> ViewBook::FindOutside() const {
  BlockIndex index(blocks_);
  MainVector<PendingView> outside;
  constexpr std::size_t kAhead = 8;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (i + 2 * kAhead < pending_.size()) index.PrefetchPlace(pending_[i + 2 * kAhead].data);
    if (i + kAhead < pending_.size()) index.PrefetchBlock(pending_[i + kAhead].data);
    const PendingView& view = pending_[i];
    if (!index.Holds(view.data, view.bytes)) outside.push_back(view);
  }
  return outside;
}

}  // namespace isolates::internal
