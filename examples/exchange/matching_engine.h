// MatchingEngine: all books, and what becomes of each order.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_MATCHING_ENGINE_H_
#define ISOLATES_EXAMPLES_EXCHANGE_MATCHING_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/exchange/market_data.h"
#include "examples/exchange/order_book.h"
#include "examples/exchange/order_flow.h"
#include "examples/exchange/order_index.h"
#include "examples/exchange/risk_check.h"

namespace exchange {

// What one order has led to.
struct Outcome {
  std::vector<Output> outputs;          // one at least; the last is marked
  std::vector<Settlement> settlements;  // the same
};

// A replace that only takes away quantity at the same price keeps its place in the line; any other
// goes to the end of it, and trades first if it can.
class MatchingEngine {
 public:
  // So many orders may rest at once; the next is refused.
  explicit MatchingEngine(std::uint16_t symbols, std::size_t most_orders = std::size_t{1} << 17);
  MatchingEngine(const MatchingEngine&) = delete;
  MatchingEngine& operator=(const MatchingEngine&) = delete;

  // Orders that the risk check refused are refused here, so that all answers come in one order. The
  // outcome is good until the next call.
  const Outcome& Apply(std::uint64_t sequence, const Order& order);

  // Of all outputs so far: two engines with the same chain have the same books.
  std::uint64_t chain() const noexcept { return chain_; }
  const OrderBook& book(std::uint16_t symbol) const { return books_[symbol]; }

 private:
  void Reject(const Order& order, Verdict reason);
  void Add(const Order& order);
  void Market(const Order& order);
  void Cancel(const Order& order);
  void Replace(const Order& order);
  // The resting order that the order means; kNone if there is none of this account.
  std::uint32_t Find(const Order& order) const noexcept;
  // Trades, and returns what is left.
  std::uint32_t Trade(const Order& order, Side side, std::uint32_t limit);
  void Say(OutputType type, const Order& order, Side side, std::uint32_t price,
           std::uint32_t quantity, std::uint64_t other = 0);
  void Settle(std::uint16_t account, std::uint32_t price, std::uint32_t quantity);
  void SayTop(std::uint16_t symbol);

  OrderPool pool_;
  OrderIndex index_;
  std::vector<OrderBook> books_;
  std::uint64_t sequence_ = 0;
  std::uint64_t chain_ = 0;
  Outcome outcome_;
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_MATCHING_ENGINE_H_
