// Frozen values and transferable data in several isolates.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Table = std::map<int, std::string>;

static_assert(Freezable<Capability> && Freezable<ControlPort>);

Table MakeTable(int rows) {
  Table table;
  for (int i = 0; i < rows; ++i) table[i] = std::string(50, static_cast<char>('a' + i % 26));
  return table;
}

// What a reader found: where the value lies, and a sum over all of it.
using Finding = std::pair<std::uintptr_t, std::size_t>;

std::size_t SumOf(const Table& table) {
  std::size_t sum = 0;
  for (const auto& [key, text] : table) {
    sum += static_cast<std::size_t>(key);
    for (const char c : text) sum += static_cast<unsigned char>(c);
  }
  return sum;
}
Finding Read(Frozen<Table> table) {
  return {reinterpret_cast<std::uintptr_t>(&table.get()), SumOf(*table)};
}

TEST(FrozenInIsolatesTest, ManyReadTheSameAddressAtTheSameTime) {
  const Frozen<Table> table = Freeze(MakeTable(500));
  std::vector<Future<Finding>> readers;
  for (int i = 0; i < 8; ++i) readers.push_back(Isolate::Run(Read, table));
  const Finding here = Read(table);
  for (auto& reader : readers) EXPECT_EQ(reader.Get(), here);
}

// A subscriber that reads all that it gets, and tells what it read.
struct Subscription {
  SendPort<SendPort<Frozen<Table>>> subscribe;
  SendPort<Finding> findings;
};
Task<> Subscribe(Subscription subscription) {
  ReceivePort<Frozen<Table>> port;
  subscription.subscribe.Send(port.send_port());
  while (auto table = co_await port.Receive()) {
    if (table->get().empty()) break;
    subscription.findings.Send(Read(*table));
  }
}

TEST(FrozenInIsolatesTest, OneMessageForManyReceivers) {
  constexpr int kSubscribers = 4;
  constexpr int kMessages = 20;
  ReceivePort<SendPort<Frozen<Table>>> subscriptions;
  ReceivePort<Finding> findings;
  const Broadcast<Frozen<Table>> subscribers;
  for (int i = 0; i < kSubscribers; ++i) {
    Isolate::Spawn(Subscribe, Subscription{subscriptions.send_port(), findings.send_port()}).Get();
    subscribers.Subscribe(*subscriptions.Receive(kForever));
  }
  std::map<Finding, int> expected;
  for (int i = 1; i <= kMessages; ++i) {
    // The publisher keeps no handle: the last reader ends the value.
    const Frozen<Table> message = Freeze(MakeTable(i));
    expected[Read(message)] += kSubscribers;
    EXPECT_EQ(subscribers.Send(message).accepted, static_cast<std::size_t>(kSubscribers));
    for (int j = 0; j < kSubscribers; ++j) --expected[*findings.Receive(kForever)];
  }
  for (const auto& [finding, missing] : expected) EXPECT_EQ(missing, 0);
  EXPECT_EQ(subscribers.Send(Freeze(Table())).accepted, static_cast<std::size_t>(kSubscribers));
}

// Written by the destructor, in whichever isolate; read after a message.
std::atomic<std::uint64_t> ended_in{0};

class Noticed {
 public:
  explicit Noticed(std::string text) : text_(std::move(text)) {}
  Noticed(Noticed&& other) noexcept : text_(std::move(other.text_)) {}
  Noticed& operator=(Noticed&&) = delete;
  ~Noticed() {
    if (!text_.empty()) ended_in.fetch_add(text_.size(), std::memory_order_relaxed);
  }

 private:
  std::string text_;

 public:
  using IsolatesMembers = OwningMembers<&Noticed::text_>;
};

TEST(FrozenInIsolatesTest, TheLastHandleMayEndItAnywhere) {
  ended_in = 0;
  Frozen<Noticed> value = Freeze(Noticed(std::string(100, 'x')));
  auto reader = Isolate::Run([](Frozen<Noticed> last) { last = {}; }, value);
  value = {};
  reader.Get();
  EXPECT_EQ(ended_in.load(), 100U);
}

// The freezer is long gone when its value is read.
TEST(FrozenInIsolatesTest, AValueOutlivesTheIsolateThatFrozeIt) {
  std::vector<Frozen<Table>> tables;
  for (int i = 0; i < 20; ++i) {
    tables.push_back(Isolate::Run([](int rows) { return Freeze(MakeTable(rows)); }, i).Get());
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(tables[static_cast<std::size_t>(i)]->size(), static_cast<std::size_t>(i));
  }
}

// Planted: were the heap not shared by freezing, the drop of the parcel would free the frozen table
// under its reader.
TEST(FrozenInIsolatesTest, AParcelWhoseBuilderHasFrozenSomethingIsNotDroppedWhole) {
  ReceivePort<Frozen<Table>> port;
  auto parcel = Isolate::RunParcel(
                    [](SendPort<Frozen<Table>> to) {
                      to.Send(Freeze(MakeTable(100)));
                      return MakeTable(10);
                    },
                    port.send_port())
                    .Get();
  EXPECT_FALSE(parcel.receipt().droppable);
  const Frozen<Table> table = *port.Receive(kForever);
  parcel.Drop();
  EXPECT_EQ(SumOf(*table), SumOf(MakeTable(100)));
}

TEST(FrozenInIsolatesTest, AParcelIsFrozenAndReadByMany) {
  const Frozen<Table> table = Freeze(Isolate::RunParcel(MakeTable, 300).Get());
  std::vector<Future<Finding>> readers;
  for (int i = 0; i < 4; ++i) readers.push_back(Isolate::Run(Read, table));
  for (auto& reader : readers) EXPECT_EQ(reader.Get(), Read(table));
}

// ---- transferable data ----

TEST(TypedDataInIsolatesTest, TheReceiverTakesTheBytes) {
  const std::vector<float> samples{1, 2, 3.5F};
  auto data = TransferableTypedData::FromList({samples});
  const float sum = Isolate::Run(
                        [](TransferableTypedData given) {
                          std::vector<std::byte> bytes = given.Materialize();
                          const auto floats = ElementsOf<float>(bytes);
                          return std::accumulate(floats.begin(), floats.end(), 0.0F);
                        },
                        data)
                        .Get();
  EXPECT_EQ(sum, 6.5F);
  EXPECT_THROW((void)data.Materialize(), StateError) << "at most once over all isolates";
}

TEST(TypedDataInIsolatesTest, OneOfManyIsolatesWins) {
  const std::vector<int> list(1000, 1);
  for (int round = 0; round < 20; ++round) {
    auto data = TransferableTypedData::FromList({list});
    std::vector<Future<int>> takers;
    for (int i = 0; i < 4; ++i) {
      takers.push_back(Isolate::Run(
          [](TransferableTypedData given) {
            try {
              return given.Materialize().size() == 1000 * sizeof(int) ? 1 : 100;
            } catch (const StateError&) {
              return 0;
            }
          },
          data));
    }
    int winners = 0;
    for (auto& taker : takers) winners += taker.Get();
    EXPECT_EQ(winners, 1);
  }
}

TEST(TypedDataInIsolatesTest, BytesOfAnIsolateThatHasEnded) {
  auto data =
      Isolate::Run([] {
        return TransferableTypedData::FromBytes(std::vector<std::byte>(10000, std::byte{9}));
      }).Get();
  const std::vector<std::byte> bytes = data.Materialize();
  EXPECT_EQ(bytes, std::vector<std::byte>(10000, std::byte{9}));
}

}  // namespace
}  // namespace isolates
