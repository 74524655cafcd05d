#ifndef ISOLATES_DETAIL_CENSUS_H_
#define ISOLATES_DETAIL_CENSUS_H_

// A census compares two *sets* of block addresses without storing them: the blocks that a walk met
// on owning edges, and the live blocks of the heap. Each side adds up a keyed 64-bit mix of every
// address; sets that are equal have equal counts and sums.
//
// The mix is a full finalizer with two multiplications: sums of linear or single-multiply mixes
// collide for the regular addresses inside an allocator's pages. The random key of the process
// keeps an unlucky layout from being unlucky twice.

#include <cstddef>
#include <cstdint>

namespace isolates::internal {

// Random, made at first use, the same for the life of the process.
std::uint64_t CensusKey() noexcept;

inline std::uint64_t CensusMix(std::uint64_t address, std::uint64_t key) noexcept {
  std::uint64_t x = address ^ key;
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  x ^= x >> 33;
  return x;
}

struct CensusSum {
  std::size_t blocks = 0;
  std::uint64_t hash = 0;
  // For reports only.
  std::size_t bytes = 0;      // containers and the allocator round sizes differently
  std::size_t committed = 0;  // of a heap: the memory that its areas take up

  bool SameSet(const CensusSum& other) const noexcept {
    return blocks == other.blocks && hash == other.hash;
  }
};

// Adds blocks up; each distinct block must be added once.
class CensusCounter {
 public:
  CensusCounter() noexcept : key_(CensusKey()) {}

  void Add(const void* block_start, std::size_t bytes) noexcept {
    ++sum_.blocks;
    sum_.hash += CensusMix(reinterpret_cast<std::uintptr_t>(block_start), key_);
    sum_.bytes += bytes;
  }
  void AddArea(std::size_t committed) noexcept { sum_.committed += committed; }
  const CensusSum& sum() const noexcept { return sum_; }

 private:
  std::uint64_t key_;
  CensusSum sum_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_CENSUS_H_
