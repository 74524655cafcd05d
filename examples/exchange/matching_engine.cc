#include "examples/exchange/matching_engine.h"

#include <algorithm>

namespace exchange {
namespace {

constexpr std::size_t kUsualOutcome = std::size_t{1} << 14;

std::uint64_t Pack(const BestLevel& level) noexcept {
  const std::uint64_t quantity = std::min<std::uint64_t>(level.quantity, ~std::uint32_t{0});
  return std::uint64_t{level.price} << 32 | quantity;
}

std::uint64_t Chain(std::uint64_t chain, const Output& output) noexcept {
  const std::uint64_t kind = static_cast<std::uint64_t>(output.type) << 48 |
                             std::uint64_t{output.reason} << 32 | std::uint64_t{output.account};
  const std::uint64_t much = std::uint64_t{output.price} << 32 | output.quantity;
  for (const std::uint64_t word : {kind, output.id, output.other, much}) {
    chain = (chain ^ word) * 0x9e3779b97f4a7c15;
    chain ^= chain >> 32;
  }
  return chain;
}

}  // namespace

MatchingEngine::MatchingEngine(std::uint16_t symbols, std::size_t most_orders)
    : pool_(most_orders), index_(most_orders) {
  books_.reserve(symbols);
  for (int i = 0; i < symbols; ++i) books_.emplace_back(pool_);
  outcome_.outputs.reserve(kUsualOutcome);
  outcome_.settlements.reserve(kUsualOutcome);
}

const Outcome& MatchingEngine::Apply(std::uint64_t sequence, const Order& order) {
  sequence_ = sequence;
  outcome_.outputs.clear();
  outcome_.settlements.clear();
  const OrderBook& book = books_[order.symbol];
  const BestLevel bid = book.BestBid();
  const BestLevel ask = book.BestAsk();
  if (order.verdict != Verdict::kAccepted) {
    Reject(order, order.verdict);
  } else if (order.type == OrderType::kAdd) {
    Add(order);
  } else if (order.type == OrderType::kMarket) {
    Market(order);
  } else if (order.type == OrderType::kCancel) {
    Cancel(order);
  } else {
    Replace(order);
  }
  if (bid != book.BestBid() || ask != book.BestAsk()) SayTop(order.symbol);
  if (outcome_.settlements.empty()) Settle(order.account, 0, 0);
  outcome_.outputs.back().last = 1;
  outcome_.settlements.back().last = 1;
  for (const Output& output : outcome_.outputs) chain_ = Chain(chain_, output);
  return outcome_;
}

void MatchingEngine::Reject(const Order& order, Verdict reason) {
  Say(OutputType::kRejected, order, order.side, order.price, order.quantity);
  outcome_.outputs.back().reason = static_cast<std::uint8_t>(reason);
  // What the risk check refused was never counted as open.
  if (order.verdict == Verdict::kAccepted) Settle(order.account, order.price, order.quantity);
}

void MatchingEngine::Add(const Order& order) {
  if (index_.Find(order.id) != OrderIndex::kNone) return Reject(order, Verdict::kDuplicateOrder);
  if (pool_.empty()) return Reject(order, Verdict::kBookFull);
  Say(OutputType::kAccepted, order, order.side, order.price, order.quantity);
  const std::uint32_t left = Trade(order, order.side, order.price);
  if (left == 0) return;
  const std::uint32_t place = pool_.Take();
  pool_[place] = {.id = order.id,
                  .price = order.price,
                  .quantity = left,
                  .symbol = order.symbol,
                  .account = order.account,
                  .side = order.side};
  index_.Insert(order.id, place);
  books_[order.symbol].Add(place);
}

void MatchingEngine::Market(const Order& order) {
  Say(OutputType::kAccepted, order, order.side, 0, order.quantity);
  const std::uint32_t limit = order.side == Side::kBuy ? kPrices : 0;
  const std::uint32_t left = Trade(order, order.side, limit);
  if (left == 0) return;
  Say(OutputType::kExpired, order, order.side, 0, left);
  Settle(order.account, 0, left);
}

std::uint32_t MatchingEngine::Find(const Order& order) const noexcept {
  const std::uint32_t place = index_.Find(order.id);
  if (place == OrderIndex::kNone) return place;
  const RestingOrder& resting = pool_[place];
  const bool meant = resting.account == order.account && resting.symbol == order.symbol;
  return meant ? place : OrderIndex::kNone;
}

void MatchingEngine::Cancel(const Order& order) {
  const std::uint32_t place = Find(order);
  if (place == OrderIndex::kNone) return Reject(order, Verdict::kUnknownOrder);
  const RestingOrder& resting = pool_[place];
  Say(OutputType::kCancelled, order, resting.side, resting.price, resting.quantity);
  Settle(order.account, resting.price, resting.quantity);
  books_[order.symbol].Remove(place);
  index_.Erase(order.id);
  pool_.Give(place);
}

void MatchingEngine::Replace(const Order& order) {
  const std::uint32_t place = Find(order);
  if (place == OrderIndex::kNone) return Reject(order, Verdict::kUnknownOrder);
  RestingOrder& resting = pool_[place];
  OrderBook& book = books_[order.symbol];
  Say(OutputType::kReplaced, order, resting.side, order.price, order.quantity);
  // The whole new quantity was counted when the replace was checked.
  Settle(order.account, resting.price, resting.quantity);
  if (order.price == resting.price && order.quantity <= resting.quantity) {
    book.Reduce(place, resting.quantity - order.quantity);
    return;
  }
  book.Remove(place);
  const std::uint32_t left = Trade(order, resting.side, order.price);
  if (left == 0) {
    index_.Erase(order.id);
    pool_.Give(place);
    return;
  }
  resting.price = order.price;
  resting.quantity = left;
  book.Add(place);
}

std::uint32_t MatchingEngine::Trade(const Order& order, Side side, std::uint32_t limit) {
  return books_[order.symbol].Match(
      side, limit, order.quantity,
      [&](std::uint32_t place, std::uint32_t filled) {
        const RestingOrder& resting = pool_[place];
        Say(OutputType::kTrade, order, side, resting.price, filled, resting.id);
        Settle(resting.account, resting.price, filled);
        // As it was counted: a market order without a price.
        Settle(order.account, order.price, filled);
      },
      [&](std::uint32_t place) {
        index_.Erase(pool_[place].id);
        pool_.Give(place);
      });
}

void MatchingEngine::Say(OutputType type, const Order& order, Side side, std::uint32_t price,
                         std::uint32_t quantity, std::uint64_t other) {
  outcome_.outputs.push_back({.type = type,
                              .side = side,
                              .symbol = order.symbol,
                              .account = order.account,
                              .id = order.id,
                              .other = other,
                              .price = price,
                              .quantity = quantity});
}

void MatchingEngine::SayTop(std::uint16_t symbol) {
  const OrderBook& book = books_[symbol];
  outcome_.outputs.push_back({.type = OutputType::kTop,
                              .symbol = symbol,
                              .id = Pack(book.BestBid()),
                              .other = Pack(book.BestAsk())});
}

void MatchingEngine::Settle(std::uint16_t account, std::uint32_t price, std::uint32_t quantity) {
  outcome_.settlements.push_back({.sequence = sequence_,
                                  .notional = std::uint64_t{price} * quantity,
                                  .quantity = quantity,
                                  .account = account});
}

}  // namespace exchange
