#include "examples/exchange/risk_check.h"

#include <utility>

namespace exchange {
namespace {

constexpr std::size_t kAccounts = std::size_t{1} << 16;
constexpr std::size_t kEarly = std::size_t{1} << 16;

}  // namespace

RiskCheck::RiskCheck(const RiskLimits& limits)
    : limits_(limits), accounts_(kAccounts), early_(kEarly) {}

void RiskCheck::Settle(const Settlement& settlement) {
  if (settlement.last != 0) settled_ = settlement.sequence;
  // Of what nothing was open there is nothing to keep.
  if (settlement.quantity == 0) return;
  if (count_ == early_.size()) {
    std::vector<Settlement> larger(2 * count_);
    for (std::size_t i = 0; i < count_; ++i) {
      larger[i] = early_[(first_ + i) & (early_.size() - 1)];
    }
    early_ = std::move(larger);
    first_ = 0;
  }
  early_[(first_ + count_++) & (early_.size() - 1)] = settlement;
}

void RiskCheck::Apply(std::uint64_t until) {
  for (; count_ != 0 && early_[first_].sequence <= until; --count_) {
    const Settlement& settlement = early_[first_];
    Account& account = accounts_[settlement.account];
    account.quantity -= settlement.quantity;
    account.notional -= settlement.notional;
    first_ = (first_ + 1) & (early_.size() - 1);
  }
}

Verdict RiskCheck::Check(std::uint64_t sequence, const Order& order) {
  if (sequence > kLag) Apply(sequence - kLag);
  if (order.type == OrderType::kCancel) return Verdict::kAccepted;
  if (order.quantity > limits_.order_quantity) return Verdict::kOrderTooLarge;
  if (order.type != OrderType::kMarket && (order.price == 0 || order.price >= kPrices)) {
    return Verdict::kPriceOutOfBand;
  }
  Account& account = accounts_[order.account];
  const std::uint64_t notional = std::uint64_t{order.price} * order.quantity;
  if (account.quantity + order.quantity > limits_.open_quantity) return Verdict::kTooMuchOpen;
  if (account.notional + notional > limits_.open_notional) return Verdict::kTooMuchNotional;
  account.quantity += order.quantity;
  account.notional += notional;
  return Verdict::kAccepted;
}

}  // namespace exchange
