// What a checked build says when somebody uses a message too late, through the whole library.

#include <gtest/gtest.h>
#include <signal.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using Table = std::map<int, std::string>;

Table MakeTable(int rows) {
  Table table;
  for (int i = 0; i < rows; ++i) table[i] = std::string(50, static_cast<char>('a' + i % 26));
  return table;
}

class LateUseTest : public testing::Test {
 protected:
  void SetUp() override {
    if (allocator() == Allocator::kMalloc) GTEST_SKIP() << "needs the mimalloc back end";
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
};

char Read(const std::string& text) { return *static_cast<const volatile char*>(text.data()); }

TEST_F(LateUseTest, AParcelThatWasSentToAPort) {
  EXPECT_EXIT(
      {
        ReceivePort<Parcel<Table>> port("results");
        auto parcel = Isolate::RunParcel(MakeTable, 100).Get();
        const std::string& row = parcel->at(7);
        port.send_port().Send(std::move(parcel));
        Read(row);
      },
      testing::KilledBySignal(SIGSEGV),
      "isolates: use after hand-over: .*which lies in a parcel of 'std::map<int, std::string, .*"
      "on its way: hand-over 2, from isolate 'main' to port 'results' ");
}

TEST_F(LateUseTest, AParcelThatIsTheArgumentOfAnIsolate) {
  EXPECT_EXIT(
      {
        const ReceivePort<int> makes_this_thread_an_isolate;
        auto parcel = Isolate::RunParcel(MakeTable, 100).Get();
        const std::string& row = parcel->at(7);
        SpawnOptions options;
        options.DebugName("reader").Paused();
        auto isolate = Isolate::Spawn([](Parcel<Table> table) { (void)table->size(); },
                                      std::move(parcel), options);
        Read(row);
      },
      testing::KilledBySignal(SIGSEGV), "hand-over 2, from isolate 'main' to isolate 'reader'\n");
}

TEST_F(LateUseTest, AResultThatWaitsInItsFuture) {
  EXPECT_EXIT(
      {
        ReceivePort<std::size_t> address("address");
        auto future = Isolate::RunParcel(
            [](SendPort<std::size_t> to) {
              Table table = MakeTable(100);
              to.Send(reinterpret_cast<std::size_t>(&table.at(7)));
              return table;
            },
            address.send_port());
        const auto row = address.Receive(kForever);
        (void)future.WaitFor(kForever);
        Read(*reinterpret_cast<const std::string*>(*row));
      },
      testing::KilledBySignal(SIGSEGV), "hand-over 1, from .* to the future of its result\n");
}

TEST_F(LateUseTest, AParcelThatWasDropped) {
  EXPECT_EXIT(
      {
        const ReceivePort<int> makes_this_thread_an_isolate;
        auto parcel = Isolate::RunParcel(MakeTable, 100).Get();
        const std::string& row = parcel->at(7);
        parcel.Drop();
        Read(row);
      },
      testing::KilledBySignal(SIGSEGV),
      "isolates: use after drop: .*that isolate 'main' dropped .hand-over 1, from ");
}

// Negative control: nothing of the library touches a parcel on its way, whatever way it goes.
TEST_F(LateUseTest, EveryWayOfAParcelIsFine) {
  ReceivePort<Parcel<Table>> port("results");
  for (int i = 0; i < 50; ++i) {
    auto parcel = Isolate::RunParcel(MakeTable, 100).Get();
    // An argument, a result, a message.
    auto back = Isolate::Run([](Parcel<Table> table) { return table; }, std::move(parcel)).Get();
    ASSERT_EQ(port.send_port().Send(std::move(back)), SendResult::kAccepted);
    auto received = port.TryReceive();
    ASSERT_TRUE(received.has_value());
    EXPECT_EQ((*received)->at(7), std::string(50, 'h'));
    (void)port.send_port().Send(*std::move(received));
    if (i % 4 == 0) (void)port.TryReceive();
  }
  const SendPort<Parcel<Table>> closed = port.send_port();
  port.Close();  // some were dead letters
  auto refused = Isolate::RunParcel(MakeTable, 100).Get();
  ASSERT_EQ(closed.Send(std::move(refused)), SendResult::kClosed);
  EXPECT_EQ(refused->at(7), std::string(50, 'h'));  // NOLINT: it is given back
}

}  // namespace
}  // namespace isolates
