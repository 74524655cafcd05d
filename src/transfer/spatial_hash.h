#ifndef ISOLATES_SRC_TRANSFER_SPATIAL_HASH_H_
#define ISOLATES_SRC_TRANSFER_SPATIAL_HASH_H_

#include <cstddef>
#include <cstdint>

namespace isolates::internal {

// A place in a table of `places` (a power of two) for a piece of memory with this number. Runs of
// 64 neighbours share a few cache lines of the table, as they do in memory: a graph that was built
// in order is found in order. The runs are scattered.
inline std::size_t SpatialPlace(std::uint64_t piece, std::size_t places) noexcept {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;  // 2^64 by the golden ratio
  const std::uint64_t run = (piece >> 6) * kGolden;
  return ((run >> 32) ^ piece) & (places - 1);
}

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_TRANSFER_SPATIAL_HASH_H_
