// The limits of accounts, and when settlements count.

#include "examples/exchange/risk_check.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace exchange {
namespace {

constexpr RiskLimits kLimits{.order_quantity = 100, .open_quantity = 250, .open_notional = 30'000};

Order Add(std::uint32_t price, std::uint32_t quantity, std::uint16_t account = 1) {
  return {.account = account, .id = 1, .price = price, .quantity = quantity};
}

TEST(RiskCheckTest, EachLimitHoldsForItself) {
  RiskCheck check(kLimits);
  EXPECT_EQ(check.Check(1, Add(10, 101)), Verdict::kOrderTooLarge);
  EXPECT_EQ(check.Check(2, Add(0, 1)), Verdict::kPriceOutOfBand);
  EXPECT_EQ(check.Check(3, Add(kPrices, 1)), Verdict::kPriceOutOfBand);
  EXPECT_EQ(check.Check(4, Add(10, 100)), Verdict::kAccepted);
  EXPECT_EQ(check.Check(5, Add(10, 100)), Verdict::kAccepted);
  EXPECT_EQ(check.Check(6, Add(10, 51)), Verdict::kTooMuchOpen);
  EXPECT_EQ(check.Check(7, Add(1000, 29)), Verdict::kTooMuchNotional);
  EXPECT_EQ(check.Check(8, Add(1000, 28)), Verdict::kAccepted);
  // Another account has limits of its own.
  EXPECT_EQ(check.Check(9, Add(10, 51, 2)), Verdict::kAccepted);
}

TEST(RiskCheckTest, ACancelIsNeverRefused) {
  RiskCheck check({.order_quantity = 0, .open_quantity = 0, .open_notional = 0});
  EXPECT_EQ(check.Check(1, {.type = OrderType::kCancel, .id = 1}), Verdict::kAccepted);
}

// Whether it comes early or in the last moment.
TEST(RiskCheckTest, ASettlementCountsExactlyWhenItsTimeHasCome) {
  RiskCheck check(kLimits);
  ASSERT_EQ(check.Check(1, Add(10, 100)), Verdict::kAccepted);
  ASSERT_EQ(check.Check(2, Add(10, 100)), Verdict::kAccepted);
  check.Settle({.sequence = 1, .notional = 1000, .quantity = 100, .account = 1, .last = 1});
  EXPECT_EQ(check.Check(RiskCheck::kLag, Add(10, 100)), Verdict::kTooMuchOpen);
  EXPECT_EQ(check.Check(RiskCheck::kLag + 1, Add(10, 100)), Verdict::kAccepted);
}

TEST(RiskCheckTest, WaitsForTheSettlementsThatItNeeds) {
  RiskCheck check(kLimits);
  EXPECT_TRUE(check.Ready(RiskCheck::kLag));
  EXPECT_FALSE(check.Ready(RiskCheck::kLag + 1));
  check.Settle({.sequence = 1, .account = 1});
  EXPECT_FALSE(check.Ready(RiskCheck::kLag + 1));
  check.Settle({.sequence = 1, .account = 1, .last = 1});
  EXPECT_TRUE(check.Ready(RiskCheck::kLag + 1));
}

TEST(RiskCheckTest, KeepsAsManySettlementsAsCome) {
  RiskCheck check(
      {.order_quantity = 300'000, .open_quantity = 300'000, .open_notional = 1'000'000'000});
  ASSERT_EQ(check.Check(1, Add(1, 300'000)), Verdict::kAccepted);
  for (int i = 0; i < 299'999; ++i) {
    check.Settle({.sequence = 1, .notional = 1, .quantity = 1, .account = 1});
  }
  check.Settle({.sequence = 1, .notional = 1, .quantity = 1, .account = 1, .last = 1});
  EXPECT_EQ(check.Check(RiskCheck::kLag + 1, Add(1, 300'000)), Verdict::kAccepted);
}

}  // namespace
}  // namespace exchange
