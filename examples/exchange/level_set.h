// LevelSet: which prices have orders. A tree of bitmaps, three words deep, for 65,536 prices: the
// best one is found by three looks, wherever it is.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_LEVEL_SET_H_
#define ISOLATES_EXAMPLES_EXCHANGE_LEVEL_SET_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/exchange/order_flow.h"

namespace exchange {

class LevelSet {
 public:
  LevelSet() : low_(kPrices / 64), middle_(kPrices / 64 / 64) {}

  bool empty() const noexcept { return top_ == 0; }

  void Insert(std::uint32_t price) noexcept {
    low_[price >> 6] |= Bit(price);
    middle_[price >> 12] |= Bit(price >> 6);
    top_ |= Bit(price >> 12);
  }
  void Erase(std::uint32_t price) noexcept {
    if ((low_[price >> 6] &= ~Bit(price)) != 0) return;
    if ((middle_[price >> 12] &= ~Bit(price >> 6)) != 0) return;
    top_ &= ~Bit(price >> 12);
  }

  // Not of an empty set.
  std::uint32_t Lowest() const noexcept {
    const std::uint32_t a = static_cast<std::uint32_t>(std::countr_zero(top_));
    const std::uint32_t b = a << 6 | static_cast<std::uint32_t>(std::countr_zero(middle_[a]));
    return b << 6 | static_cast<std::uint32_t>(std::countr_zero(low_[b]));
  }
  std::uint32_t Highest() const noexcept {
    const std::uint32_t a = Last(top_);
    const std::uint32_t b = a << 6 | Last(middle_[a]);
    return b << 6 | Last(low_[b]);
  }

 private:
  static std::uint64_t Bit(std::uint32_t number) noexcept {
    return std::uint64_t{1} << (number & 63);
  }
  static std::uint32_t Last(std::uint64_t word) noexcept {
    return 63 - static_cast<std::uint32_t>(std::countl_zero(word));
  }
  static_assert(kPrices == 64 * 64 * 16);

  std::vector<std::uint64_t> low_;
  std::vector<std::uint64_t> middle_;
  std::uint64_t top_ = 0;
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_LEVEL_SET_H_
