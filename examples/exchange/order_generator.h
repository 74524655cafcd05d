// Makes an order flow from a seed: the same on every machine and with every standard library, for
// all of it is whole numbers.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_ORDER_GENERATOR_H_
#define ISOLATES_EXAMPLES_EXCHANGE_ORDER_GENERATOR_H_

#include <array>
#include <cstdint>
#include <vector>

#include "examples/exchange/order_flow.h"

namespace exchange {

// xoshiro256** by Blackman and Vigna, seeded by SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept;
  std::uint64_t Next() noexcept;
  // From 0 to bound - 1. (A little uneven, which does not matter here.)
  std::uint32_t Below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((Next() >> 32) * bound) >> 32);
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

struct GeneratorOptions {
  std::uint64_t seed = 1;
  std::uint64_t orders = 1'000'000;
  std::uint64_t rate = 1'000'000;  // a second, on average; 0: all at time 0
  std::uint16_t symbols = 8;
  std::uint16_t accounts = 64;
};

// A quarter of the orders come in bursts of 200 to 1,800 at four times the rate. Half of the orders
// come into the book or trade; the rest are cancels and replaces. The middle of each symbol's
// prices walks at random. Some orders are there to be refused. Allocates only at the start.
class OrderGenerator final : public OrderSource {
 public:
  explicit OrderGenerator(const GeneratorOptions& options);

  bool Next(Order& order) override;

 private:
  struct Live {
    std::uint64_t id;
    std::uint16_t symbol;
    std::uint16_t account;
    Side side;
    std::uint32_t price;
    std::uint32_t quantity;
  };

  void Advance();
  void Enter(Order& order);
  void Cancel(Order& order);
  void Replace(Order& order);
  std::uint32_t PriceOf(std::uint16_t symbol, Side side);
  std::uint32_t Quantity();

  const GeneratorOptions options_;
  Random random_;
  std::vector<std::uint32_t> middle_;  // of each symbol's prices
  std::vector<Live> live_;             // that may be in the book
  std::uint64_t made_ = 0;
  std::uint64_t last_id_ = 0;
  std::uint64_t picoseconds_ = 0;
  std::uint64_t phase_left_ = 0;  // orders of this burst, or of this calm
  bool burst_ = true;
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_ORDER_GENERATOR_H_
