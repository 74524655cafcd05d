#include "examples/exchange/order_generator.h"

#include <algorithm>
#include <bit>

namespace exchange {
namespace {

constexpr std::size_t kMostLive = 16'384;
constexpr std::uint32_t kLowestMiddle = 20'000;
constexpr std::uint32_t kHighestMiddle = 45'000;
constexpr std::uint64_t kPicosecondsInSecond = 1'000'000'000'000;

}  // namespace

Random::Random(std::uint64_t seed) noexcept {
  for (std::uint64_t& word : state_) {
    std::uint64_t mixed = seed += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    word = mixed ^ (mixed >> 31);
  }
}

std::uint64_t Random::Next() noexcept {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

OrderGenerator::OrderGenerator(const GeneratorOptions& options)
    : options_(options), random_(options.seed) {
  for (int i = 0; i < options.symbols; ++i) {
    middle_.push_back(kLowestMiddle + random_.Below(kHighestMiddle - kLowestMiddle));
  }
  live_.reserve(kMostLive);
}

bool OrderGenerator::Next(Order& order) {
  if (made_ == options_.orders) return false;
  ++made_;
  Advance();
  order = {};
  order.time = picoseconds_ / 1000;
  const std::uint32_t choice = live_.size() == kMostLive ? 99 : random_.Below(100);
  if (choice < 50 || live_.empty()) {
    Enter(order);
  } else if (choice < 62) {
    Replace(order);
  } else {
    Cancel(order);
  }
  return true;
}

// Gaps are uniform from 0 to twice their mean: in bursts a quarter of the whole mean, else five
// quarters; there are three times as many of these.
void OrderGenerator::Advance() {
  if (options_.rate == 0) return;
  if (phase_left_ == 0) {
    burst_ = !burst_;
    phase_left_ = (200 + random_.Below(1601)) * (burst_ ? 1 : 3);
  }
  --phase_left_;
  const std::uint64_t quarter = kPicosecondsInSecond / options_.rate / 4;
  const std::uint64_t mean = burst_ ? quarter : 5 * quarter;
  picoseconds_ += ((random_.Next() >> 32) * (2 * mean + 1)) >> 32;
}

std::uint32_t OrderGenerator::Quantity() {
  if (random_.Below(2000) == 0) return 50'000;  // more than one may order at once
  return 1 + random_.Below(100) * (1 + random_.Below(4));
}

// Most orders stand behind the middle; one in eight goes beyond it and may trade.
std::uint32_t OrderGenerator::PriceOf(std::uint16_t symbol, Side side) {
  if (random_.Below(4000) == 0) return kPrices + 7;  // no such price
  std::uint32_t& middle = middle_[symbol];
  if (random_.Below(16) == 0) {
    middle = std::clamp(middle + random_.Below(3) - 1, kLowestMiddle, kHighestMiddle);
  }
  const bool beyond = random_.Below(8) == 0;
  const std::uint32_t away = beyond ? random_.Below(4) : 1 + random_.Below(1 + random_.Below(64));
  return (side == Side::kBuy) == beyond ? middle + away : middle - away;
}

void OrderGenerator::Enter(Order& order) {
  order.id = ++last_id_;
  order.symbol = static_cast<std::uint16_t>(random_.Below(options_.symbols));
  order.account = static_cast<std::uint16_t>(random_.Below(options_.accounts));
  order.side = random_.Below(2) == 0 ? Side::kBuy : Side::kSell;
  order.quantity = Quantity();
  if (random_.Below(10) == 0) {
    order.type = OrderType::kMarket;
    return;
  }
  order.type = OrderType::kAdd;
  order.price = PriceOf(order.symbol, order.side);
  live_.push_back({order.id, order.symbol, order.account, order.side, order.price, order.quantity});
}

void OrderGenerator::Cancel(Order& order) {
  order.type = OrderType::kCancel;
  const std::size_t chosen = random_.Below(static_cast<std::uint32_t>(live_.size()));
  order.id = live_[chosen].id;
  order.symbol = live_[chosen].symbol;
  order.account = live_[chosen].account;
  order.side = live_[chosen].side;
  live_[chosen] = live_.back();
  live_.pop_back();
}

void OrderGenerator::Replace(Order& order) {
  Live& live = live_[random_.Below(static_cast<std::uint32_t>(live_.size()))];
  order.type = OrderType::kReplace;
  order.id = live.id;
  order.symbol = live.symbol;
  order.account = live.account;
  order.side = live.side;
  // A third keep their place in the line, if they have not traded.
  if (random_.Below(3) != 0) live.price = PriceOf(live.symbol, live.side);
  live.quantity = random_.Below(2) == 0 ? 1 + live.quantity / 2 : Quantity();
  order.price = live.price;
  order.quantity = live.quantity;
}

}  // namespace exchange
