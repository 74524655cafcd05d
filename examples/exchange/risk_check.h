// RiskCheck: limits of each account, looked at before an order comes to a book.
//
// What is open of an account grows here, when an order is let through, and shrinks by settlements,
// which the matching engine sends back when something has traded, expired or left the book. They
// come when they come; so that decisions do not depend on that, the check of order n uses the
// settlements of the orders up to n - kLag and no others. It waits for these, and keeps what is
// early.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_RISK_CHECK_H_
#define ISOLATES_EXAMPLES_EXCHANGE_RISK_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/exchange/order_flow.h"

namespace exchange {

struct RiskLimits {
  std::uint32_t order_quantity = 10'000;
  std::uint64_t open_quantity = 60'000;  // of all orders of the account that are open
  std::uint64_t open_notional = 3'000'000'000;

  friend bool operator==(const RiskLimits&, const RiskLimits&) = default;
};

// Something of an account is not open any more.
struct Settlement {
  std::uint64_t sequence = 0;  // of the order that was the cause
  std::uint64_t notional = 0;
  std::uint32_t quantity = 0;
  std::uint16_t account = 0;
  std::uint16_t last = 0;  // 1: the last that this order has led to; each order has one
};

class RiskCheck {
 public:
  static constexpr std::uint64_t kLag = 2048;

  explicit RiskCheck(const RiskLimits& limits);

  // In the order of their sequence.
  void Settle(const Settlement& settlement);
  // Whether what the check of that order needs has come.
  bool Ready(std::uint64_t sequence) const noexcept { return settled_ + kLag >= sequence; }
  // Of each order, in their sequence, when it is ready.
  Verdict Check(std::uint64_t sequence, const Order& order);

 private:
  struct Account {
    std::uint64_t quantity = 0;
    std::uint64_t notional = 0;
  };

  void Apply(std::uint64_t until);

  const RiskLimits limits_;
  std::vector<Account> accounts_;
  std::uint64_t settled_ = 0;
  // Settlements that are early: a ring, which grows if it must.
  std::vector<Settlement> early_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_RISK_CHECK_H_
