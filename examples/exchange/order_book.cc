#include "examples/exchange/order_book.h"

namespace exchange {

void OrderBook::Add(std::uint32_t place) noexcept {
  RestingOrder& order = (*pool_)[place];
  Level& level = levels_[order.price];
  order.before = level.last;
  order.behind = OrderPool::kNone;
  if (level.last == OrderPool::kNone) {
    level.first = place;
    SideOf(order).Insert(order.price);
  } else {
    (*pool_)[level.last].behind = place;
  }
  level.last = place;
  level.quantity += order.quantity;
}

void OrderBook::Remove(std::uint32_t place) noexcept {
  const RestingOrder& order = (*pool_)[place];
  Level& level = levels_[order.price];
  level.quantity -= order.quantity;
  if (order.before == OrderPool::kNone) {
    level.first = order.behind;
  } else {
    (*pool_)[order.before].behind = order.behind;
  }
  if (order.behind == OrderPool::kNone) {
    level.last = order.before;
  } else {
    (*pool_)[order.behind].before = order.before;
  }
  if (level.first == OrderPool::kNone) SideOf(order).Erase(order.price);
}

}  // namespace exchange
