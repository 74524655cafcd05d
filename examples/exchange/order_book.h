// OrderBook: the resting orders of one symbol. The best price trades first, and at one price the
// order that came first. Nothing is allocated after the start: orders lie in a pool that all books
// share, in lists that go through them; there is a level for each price.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_ORDER_BOOK_H_
#define ISOLATES_EXAMPLES_EXCHANGE_ORDER_BOOK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/exchange/level_set.h"
#include "examples/exchange/order_flow.h"

namespace exchange {

struct RestingOrder {
  std::uint64_t id = 0;
  std::uint32_t price = 0;
  std::uint32_t quantity = 0;  // that is open
  std::uint32_t before = 0;    // in the line of its level
  std::uint32_t behind = 0;    // the same; in the pool: the next that is free
  std::uint16_t symbol = 0;
  std::uint16_t account = 0;
  Side side = Side::kBuy;
};

class OrderPool {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  explicit OrderPool(std::size_t orders) : orders_(orders) {
    for (std::size_t i = orders; i-- > 0;) Give(static_cast<std::uint32_t>(i));
  }

  bool empty() const noexcept { return free_ == kNone; }
  std::uint32_t Take() noexcept {
    const std::uint32_t place = free_;
    free_ = orders_[place].behind;
    return place;
  }
  void Give(std::uint32_t place) noexcept {
    orders_[place].behind = free_;
    free_ = place;
  }
  RestingOrder& operator[](std::uint32_t place) noexcept { return orders_[place]; }
  const RestingOrder& operator[](std::uint32_t place) const noexcept { return orders_[place]; }

 private:
  std::vector<RestingOrder> orders_;
  std::uint32_t free_ = kNone;
};

// The best price of a side and what is open there; 0 and 0 if there is nothing.
struct BestLevel {
  std::uint32_t price = 0;
  std::uint64_t quantity = 0;

  friend bool operator==(const BestLevel&, const BestLevel&) = default;
};

class OrderBook {
 public:
  explicit OrderBook(OrderPool& pool) : pool_(&pool), levels_(kPrices) {}

  // Trades up to `quantity` with the orders of the other side, as far as `limit` allows (a buyer's
  // is the highest price). Calls on_fill(place, quantity) for each, before the order is changed;
  // `on_done(place)` after an order was filled and has left the book: it is the caller's. Returns
  // what is left of the quantity.
  template <class OnFill, class OnDone>
  std::uint32_t Match(Side side, std::uint32_t limit, std::uint32_t quantity, OnFill&& on_fill,
                      OnDone&& on_done) {
    LevelSet& others = side == Side::kBuy ? asks_ : bids_;
    while (quantity != 0 && !others.empty()) {
      const std::uint32_t price = side == Side::kBuy ? others.Lowest() : others.Highest();
      if (side == Side::kBuy ? price > limit : price < limit) break;
      const std::uint32_t place = levels_[price].first;
      const std::uint32_t filled = std::min(quantity, (*pool_)[place].quantity);
      on_fill(place, filled);
      quantity -= filled;
      Reduce(place, filled);
      if ((*pool_)[place].quantity == 0) {
        Remove(place);
        on_done(place);
      }
    }
    return quantity;
  }

  // Behind the others at its price. It has a side, a price and a quantity.
  void Add(std::uint32_t place) noexcept;
  // It stays in the pool.
  void Remove(std::uint32_t place) noexcept;
  // By so much; it keeps its place in the line.
  void Reduce(std::uint32_t place, std::uint32_t by) noexcept {
    RestingOrder& order = (*pool_)[place];
    order.quantity -= by;
    levels_[order.price].quantity -= by;
  }

  BestLevel BestBid() const noexcept { return Best(bids_, &LevelSet::Highest); }
  BestLevel BestAsk() const noexcept { return Best(asks_, &LevelSet::Lowest); }

 private:
  // A price has orders of one side at a time, since those of two sides trade.
  struct Level {
    std::uint32_t first = OrderPool::kNone;
    std::uint32_t last = OrderPool::kNone;
    std::uint64_t quantity = 0;
  };

  BestLevel Best(const LevelSet& side,
                 std::uint32_t (LevelSet::*which)() const noexcept) const noexcept {
    if (side.empty()) return {};
    const std::uint32_t price = (side.*which)();
    return {price, levels_[price].quantity};
  }
  LevelSet& SideOf(const RestingOrder& order) noexcept {
    return order.side == Side::kBuy ? bids_ : asks_;
  }

  OrderPool* pool_;
  std::vector<Level> levels_;
  LevelSet bids_;
  LevelSet asks_;
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_ORDER_BOOK_H_
