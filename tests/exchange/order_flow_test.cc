// The format of order flows: what is written is read, and what is no flow is refused where it is
// wrong.

#include "examples/exchange/order_flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "examples/exchange/order_generator.h"

namespace exchange {
namespace {

using testing::HasSubstr;

std::string PathOf(const std::string& name) { return testing::TempDir() + name; }

std::vector<Order> Generated(const GeneratorOptions& options) {
  std::vector<Order> orders;
  OrderGenerator generator(options);
  for (Order order; generator.Next(order);) orders.push_back(order);
  return orders;
}

// The bytes of a flow of three orders.
std::string Bytes() {
  const std::string path = PathOf("flow");
  FlowWriter writer(path, {.symbols = 2, .orders = 3});
  writer.Write({.time = 10, .id = 1, .price = 5, .quantity = 7});
  writer.Write(
      {.type = OrderType::kMarket, .side = Side::kSell, .time = 20, .id = 2, .quantity = 7});
  writer.Write({.type = OrderType::kCancel, .symbol = 1, .time = 20, .id = 1});
  writer.Finish();
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What reading them says, and where.
std::string ErrorOf(const std::string& bytes, std::uint64_t* offset) {
  const std::string path = PathOf("wrong_flow");
  std::ofstream(path, std::ios::binary) << bytes;
  try {
    FlowReader reader(path);
    for (Order order; reader.Next(order);) {
    }
  } catch (const FlowError& error) {
    *offset = error.offset();
    return error.what();
  }
  return "";
}

TEST(OrderFlowTest, WhatIsWrittenIsRead) {
  const std::vector<Order> orders = Generated({.seed = 3, .orders = 20'000});
  const std::string path = PathOf("round_trip");
  FlowWriter writer(path, {.symbols = 8, .orders = orders.size()});
  for (const Order& order : orders) writer.Write(order);
  writer.Finish();
  FlowReader reader(path);
  EXPECT_EQ(reader.header().symbols, 8);
  EXPECT_EQ(reader.header().orders, orders.size());
  Order order;
  for (const Order& written : orders) {
    ASSERT_TRUE(reader.Next(order));
    ASSERT_EQ(order, written);
  }
  EXPECT_FALSE(reader.Next(order));
}

TEST(OrderFlowTest, IsLittleEndianOnDisk) {
  const std::string bytes = Bytes();
  ASSERT_EQ(bytes.size(), kFlowHeaderBytes + 3 * kOrderBytes);
  EXPECT_EQ(bytes.substr(0, 8), "ISOFLOW1");
  EXPECT_EQ(bytes.substr(8, 6), std::string("\x01\x00\x20\x00\x02\x00", 6));
  const std::string order = bytes.substr(kFlowHeaderBytes, kOrderBytes);
  EXPECT_EQ(order.substr(0, 2), "AB");
  EXPECT_EQ(order.substr(8, 8), std::string("\x0a\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(order.substr(24, 8), std::string("\x05\0\0\0\x07\0\0\0", 8));
}

TEST(OrderFlowTest, EndsNowhereElseThanAfterAMessage) {
  const std::string bytes = Bytes();
  std::uint64_t offset = 0;
  EXPECT_EQ(ErrorOf(bytes, &offset), "");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(ErrorOf(bytes.substr(0, size), &offset), "") << size;
    EXPECT_EQ(offset, size);
  }
}

struct Wrong {
  std::size_t at;
  char byte;
  std::uint64_t offset;
  const char* text;
};

TEST(OrderFlowTest, WhatIsWrongIsToldWithItsPlace) {
  for (const Wrong& wrong :
       {Wrong{0, 'X', 0, "does not begin with ISOFLOW1"}, Wrong{8, 2, 8, "version 2"},
        Wrong{10, 31, 10, "messages of 31 bytes"}, Wrong{12, 0, 12, "0 symbols"},
        Wrong{14, 1, 14, "reserved"}, Wrong{16, 2, 96, "more orders than the header says"},
        Wrong{16, 4, 128, "ends after 3 of 4"}, Wrong{25, 1, 24, "reserved"},
        Wrong{32, 'Q', 32, "message type 81"}, Wrong{32, 'Z', 32, "message type 90"},
        Wrong{33, 0, 33, "side 0"}, Wrong{34, 2, 34, "symbol 2 of 2"}, Wrong{38, 1, 38, "reserved"},
        Wrong{40, 21, 72, "the time goes back"}, Wrong{48, 0, 48, "order number 0"},
        Wrong{60, 0, 60, "quantity 0"}, Wrong{88, 1, 88, "a price where none belongs"},
        Wrong{124, 1, 124, "quantity 1"}}) {
    std::string bytes = Bytes();
    bytes[wrong.at] = wrong.byte;
    std::uint64_t offset = 0;
    EXPECT_THAT(ErrorOf(bytes, &offset), HasSubstr(wrong.text));
    EXPECT_EQ(offset, wrong.offset) << wrong.text;
  }
}

TEST(OrderGeneratorTest, MakesTheSameOrdersForTheSameSeed) {
  const GeneratorOptions options{.seed = 7, .orders = 50'000};
  EXPECT_EQ(Generated(options), Generated(options));
  EXPECT_NE(Generated(options), Generated({.seed = 8, .orders = 50'000}));
}

// The same with every compiler and standard library: a figure from the first machine.
TEST(OrderGeneratorTest, MakesTheOrdersItAlwaysMade) {
  std::uint64_t sum = 0;
  for (const Order& order : Generated({.seed = 1, .orders = 100'000})) {
    sum = (sum ^ order.id ^ order.time << 20 ^ order.price) * 0x9e3779b97f4a7c15 + order.quantity;
  }
  EXPECT_EQ(sum, 4505613747556772041U);
}

TEST(OrderGeneratorTest, KeepsItsRateAndComesInBursts) {
  constexpr std::uint64_t kOrders = 1'000'000;
  const std::vector<Order> orders = Generated({.seed = 5, .orders = kOrders});
  EXPECT_NEAR(1e-9 * static_cast<double>(orders.back().time), 1, 0.1);
  std::size_t most = 0;  // in a tenth of a millisecond
  for (std::size_t first = 0, i = 0; i < orders.size(); ++i) {
    while (orders[i].time - orders[first].time > 100'000) ++first;
    most = std::max(most, i - first);
  }
  EXPECT_GT(most, 350U);
}

}  // namespace
}  // namespace exchange
