// OrderIndex: from an order's number to its place in the pool. Open addressing with linear probing;
// what is erased leaves no mark, because those behind it move up. Never grows.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_ORDER_INDEX_H_
#define ISOLATES_EXAMPLES_EXCHANGE_ORDER_INDEX_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace exchange {

class OrderIndex {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  // For so many orders at most.
  explicit OrderIndex(std::size_t orders) : entries_(std::bit_ceil(2 * orders)) {}

  // kNone if it is not there. Numbers are not 0.
  std::uint32_t Find(std::uint64_t id) const noexcept {
    for (std::size_t i = Home(id); entries_[i].id != 0; i = Next(i)) {
      if (entries_[i].id == id) return entries_[i].place;
    }
    return kNone;
  }
  // It is not there yet, and there is room.
  void Insert(std::uint64_t id, std::uint32_t place) noexcept {
    std::size_t i = Home(id);
    while (entries_[i].id != 0) i = Next(i);
    entries_[i] = {id, place};
  }
  // It is there.
  void Erase(std::uint64_t id) noexcept {
    std::size_t hole = Home(id);
    while (entries_[hole].id != id) hole = Next(hole);
    for (std::size_t i = Next(hole); entries_[i].id != 0; i = Next(i)) {
      // It may move up if its home is not between the hole and itself.
      const std::size_t from_home = (i - Home(entries_[i].id)) & (entries_.size() - 1);
      const std::size_t from_hole = (i - hole) & (entries_.size() - 1);
      if (from_home < from_hole) continue;
      entries_[hole] = entries_[i];
      hole = i;
    }
    entries_[hole] = {};
  }

 private:
  struct Entry {
    std::uint64_t id = 0;
    std::uint32_t place = 0;
  };

  std::size_t Home(std::uint64_t id) const noexcept {
    id *= 0x9e3779b97f4a7c15;
    return static_cast<std::size_t>(id ^ (id >> 32)) & (entries_.size() - 1);
  }
  std::size_t Next(std::size_t i) const noexcept { return (i + 1) & (entries_.size() - 1); }

  std::vector<Entry> entries_;
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_ORDER_INDEX_H_
