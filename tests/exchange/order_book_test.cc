// The books against a model that is too simple to be wrong: lists of orders in a std::map.

#include "examples/exchange/order_book.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <vector>

#include "examples/exchange/matching_engine.h"
#include "examples/exchange/order_generator.h"
#include "examples/exchange/order_index.h"

namespace exchange {
namespace {

// One symbol. Orders of one price stand in a list, the first at its beginning.
class Model {
 public:
  struct Resting {
    std::uint64_t id;
    std::uint16_t account;
    std::uint32_t quantity;
  };
  struct Trade {
    std::uint64_t id;
    std::uint64_t other;
    std::uint32_t price;
    std::uint32_t quantity;
    bool operator==(const Trade&) const = default;
  };

  std::vector<Trade> Apply(const Order& order) {
    trades_.clear();
    if (order.type == OrderType::kAdd) {
      if (Where(order.id) == nullptr) Enter(order, order.side);
    } else if (order.type == OrderType::kMarket) {
      Match(order, order.side, order.side == Side::kBuy ? ~0U : 0);
    } else if (Side side{}; Resting* const resting = Where(order.id, &side)) {
      if (resting->account != order.account) return trades_;
      const std::uint32_t price = price_found_;
      if (order.type == OrderType::kReplace && order.price == price &&
          order.quantity <= resting->quantity) {
        resting->quantity = order.quantity;
        return trades_;
      }
      Erase(order.id);
      if (order.type == OrderType::kReplace) Enter(order, side);
    }
    return trades_;
  }
  BestLevel Bid() const { return bids_.empty() ? BestLevel{} : Sum(*bids_.rbegin()); }
  BestLevel Ask() const { return asks_.empty() ? BestLevel{} : Sum(*asks_.begin()); }

 private:
  using Levels = std::map<std::uint32_t, std::list<Resting>>;

  static BestLevel Sum(const Levels::value_type& level) {
    BestLevel best{level.first, 0};
    for (const Resting& resting : level.second) best.quantity += resting.quantity;
    return best;
  }
  Resting* Where(std::uint64_t id, Side* side = nullptr) {
    for (Levels* const levels : {&bids_, &asks_}) {
      for (auto& [price, line] : *levels) {
        for (Resting& resting : line) {
          if (resting.id != id) continue;
          if (side != nullptr) *side = levels == &bids_ ? Side::kBuy : Side::kSell;
          price_found_ = price;
          return &resting;
        }
      }
    }
    return nullptr;
  }
  void Erase(std::uint64_t id) {
    for (Levels* const levels : {&bids_, &asks_}) {
      for (auto& [price, line] : *levels) {
        line.remove_if([&](const Resting& resting) { return resting.id == id; });
      }
      std::erase_if(*levels, [](const auto& level) { return level.second.empty(); });
    }
  }
  void Enter(const Order& order, Side side) {
    const std::uint32_t left = Match(order, side, order.price);
    if (left == 0) return;
    (side == Side::kBuy ? bids_ : asks_)[order.price].push_back({order.id, order.account, left});
  }
  std::uint32_t Match(const Order& order, Side side, std::uint32_t limit) {
    Levels& others = side == Side::kBuy ? asks_ : bids_;
    std::uint32_t left = order.quantity;
    while (left != 0 && !others.empty()) {
      const auto level = side == Side::kBuy ? others.begin() : std::prev(others.end());
      if (side == Side::kBuy ? level->first > limit : level->first < limit) break;
      Resting& first = level->second.front();
      const std::uint32_t filled = std::min(left, first.quantity);
      trades_.push_back({order.id, first.id, level->first, filled});
      left -= filled;
      first.quantity -= filled;
      if (first.quantity == 0) level->second.pop_front();
      if (level->second.empty()) others.erase(level);
    }
    return left;
  }

  Levels bids_;
  Levels asks_;
  std::vector<Trade> trades_;
  std::uint32_t price_found_ = 0;
};

void Compare(const std::function<bool(Order&)>& next) {
  MatchingEngine engine(1);
  Model model;
  std::uint64_t sequence = 0;
  for (Order order; next(order);) {
    const Outcome& outcome = engine.Apply(++sequence, order);
    std::vector<Model::Trade> trades;
    for (const Output& output : outcome.outputs) {
      if (output.type != OutputType::kTrade) continue;
      trades.push_back({output.id, output.other, output.price, output.quantity});
    }
    ASSERT_EQ(trades, model.Apply(order)) << "order " << sequence;
    ASSERT_EQ(engine.book(0).BestBid(), model.Bid()) << "order " << sequence;
    ASSERT_EQ(engine.book(0).BestAsk(), model.Ask()) << "order " << sequence;
    ASSERT_EQ(outcome.outputs.back().last, 1);
    ASSERT_EQ(outcome.settlements.back().last, 1);
  }
}

// Few orders and few prices: they meet all the time.
TEST(OrderBookTest, IsThatOfTheModelWhereOrdersCrowd) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    int left = 3000;
    Compare([&](Order& order) {
      order = {.account = static_cast<std::uint16_t>(random.Below(2)),
               .id = 1 + random.Below(40),
               .quantity = 1 + random.Below(20)};
      order.side = random.Below(2) == 0 ? Side::kBuy : Side::kSell;
      order.type = std::vector{OrderType::kAdd, OrderType::kAdd, OrderType::kMarket,
                               OrderType::kCancel, OrderType::kReplace}[random.Below(5)];
      const bool priced = order.type == OrderType::kAdd || order.type == OrderType::kReplace;
      if (priced) order.price = 100 + random.Below(8);
      if (order.type == OrderType::kCancel) order.quantity = 0;
      return left-- > 0;
    });
  }
}

TEST(OrderBookTest, IsThatOfTheModelWithGeneratedOrders) {
  OrderGenerator generator({.seed = 11, .orders = 8000, .symbols = 1});
  Compare([&](Order& order) {
    while (generator.Next(order)) {
      if (order.price < kPrices) return true;  // the risk check keeps the others off
    }
    return false;
  });
}

TEST(OrderBookTest, TheEarlierOrderTradesFirst) {
  MatchingEngine engine(1);
  engine.Apply(1, {.id = 1, .price = 10, .quantity = 5});
  engine.Apply(2, {.id = 2, .price = 10, .quantity = 5});
  // Less at the same price: it stays first. More: it goes to the end.
  engine.Apply(3, {.type = OrderType::kReplace, .id = 1, .price = 10, .quantity = 4});
  const Order sell{.side = Side::kSell, .id = 3, .price = 10, .quantity = 1};
  EXPECT_EQ(engine.Apply(4, sell).outputs[1].other, 1U);
  engine.Apply(5, {.type = OrderType::kReplace, .id = 1, .price = 10, .quantity = 6});
  EXPECT_EQ(engine.Apply(6, sell).outputs[1].other, 2U);
}

TEST(OrderBookTest, AFullBookRefusesAndHasRoomAgain) {
  MatchingEngine engine(1, 2);
  engine.Apply(1, {.id = 1, .price = 10, .quantity = 5});
  engine.Apply(2, {.id = 2, .price = 10, .quantity = 5});
  const Order third{.id = 3, .price = 10, .quantity = 5};
  const Output refused = engine.Apply(3, third).outputs.front();
  EXPECT_EQ(refused.type, OutputType::kRejected);
  EXPECT_EQ(refused.reason, static_cast<std::uint8_t>(Verdict::kBookFull));
  engine.Apply(4, {.type = OrderType::kCancel, .id = 1});
  EXPECT_EQ(engine.Apply(5, third).outputs.front().type, OutputType::kAccepted);
}

TEST(OrderIndexTest, FindsWhatIsThereAfterManyErasures) {
  OrderIndex index(64);
  std::map<std::uint64_t, std::uint32_t> model;
  Random random(3);
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const std::uint64_t id = 1 + random.Below(200);
    if (model.contains(id)) {
      index.Erase(id);
      model.erase(id);
    } else if (model.size() < 64) {
      index.Insert(id, i);
      model[id] = i;
    }
    const std::uint64_t other = 1 + random.Below(200);
    const auto found = model.find(other);
    ASSERT_EQ(index.Find(other), found == model.end() ? OrderIndex::kNone : found->second);
  }
}

}  // namespace
}  // namespace exchange
