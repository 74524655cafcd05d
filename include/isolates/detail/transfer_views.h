#ifndef ISOLATES_DETAIL_TRANSFER_VIEWS_H_
#define ISOLATES_DETAIL_TRANSFER_VIEWS_H_

// ViewBook: the blocks that a graph owns, and the views that must lie in one of them (rule V2).
//
// Most views are decided at once: they lie in the block in which an earlier view lay, in one that
// the walk has met a moment ago, or in a large one (a text and its words, a table and its index).
// The others wait until all blocks are known and are then looked up.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "isolates/detail/main_heap.h"

namespace isolates::internal {

template <class T>
using MainVector = std::vector<T, MainAllocator<T>>;

struct BlockRange {
  const std::byte* start = nullptr;
  std::size_t bytes = 0;

  bool Holds(const void* data, std::size_t size) const noexcept {
    const std::uintptr_t offset =
        reinterpret_cast<std::uintptr_t>(data) - reinterpret_cast<std::uintptr_t>(start);
    return offset < bytes && size <= bytes - offset;
  }
};

struct PendingView {
  const void* data;
  std::size_t bytes;
  const char* kind;
  std::uint64_t edge;
};

class ViewBook {
 public:
  void AddBlock(const void* start, std::size_t bytes) {
    blocks_.push_back({static_cast<const std::byte*>(start), bytes});
    if (bytes >= kLarge) AddLarge(blocks_.back());
  }
  // Whether the view lies in the block of the last one.
  bool InKnownBlock(const void* data, std::size_t bytes) const noexcept {
    return hits_[0].Holds(data, bytes);
  }
  // Whether it lies in the block of the view before that, in one of the last two blocks or in one
  // of the last large ones.
  bool InRecentBlock(const void* data, std::size_t bytes) noexcept;
  void AddPending(const void* data, std::size_t bytes, const char* kind, std::uint64_t edge) {
    pending_.push_back({data, bytes, kind, edge});
  }

  // When all blocks are there: calls refuse(view) for each view that lies in none of them.
  template <class Refuse>
  void Resolve(Refuse&& refuse) {
    if (pending_.empty()) return;
    for (const PendingView& view : FindOutside()) refuse(view);
  }

  // In the order of the walk.
  const MainVector<BlockRange>& blocks() const noexcept { return blocks_; }

 private:
  static constexpr std::size_t kLarge = 4096;

  void AddLarge(const BlockRange& block) noexcept;
  MainVector<PendingView> FindOutside() const;

  MainVector<BlockRange> blocks_;
  std::array<BlockRange, 2> hits_{};  // the last one first
  std::array<BlockRange, 8> large_{};
  std::size_t large_count_ = 0;
  MainVector<PendingView> pending_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_VIEWS_H_
