// The trap of parcels under AddressSanitizer; with mimalloc: tests/heap/parcel_trap_test.cc.

#include "src/heap/poison.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "isolates/detail/check.h"
#include "isolates/detail/parcel_destination.h"
#include "isolates/detail/parcel_transit.h"
#include "isolates/detail/transfer_seal.h"
#include "isolates/heap.h"
#include "isolates/parcel.h"
#include "isolates/transfer.h"

namespace isolates::internal {
namespace {

using Table = std::map<int, std::string>;

class PoisonTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!Poison::Available() || !kCheckedBuild) {
      GTEST_SKIP() << "needs AddressSanitizer and a checked build";
    }
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }

  static Parcel<Table> Build() {
    auto table = std::make_unique<Table>();
    for (int i = 0; i < 10; ++i) (*table)[i] = std::string(51 + i, 'x');
    return SealParcel<Table>(nullptr, table.release(), false);
  }
  static std::unique_ptr<InTransit<Parcel<Table>>> Send(Parcel<Table> parcel) {
    const HandOverTo to("port", "results", 7);
    return std::make_unique<InTransit<Parcel<Table>>>(std::move(parcel));
  }
};

char Read(const char* text) { return *static_cast<const volatile char*>(text); }

TEST_F(PoisonTest, TheSenderReadsAfterTheHandOver) {
  EXPECT_DEATH(
      {
        Parcel<Table> parcel = Build();
        const char* const text = parcel->at(3).data();
        const auto transit = Send(std::move(parcel));
        Read(text);
      },
      "use-after-poison(.|\n)*isolates: use after hand-over: of an address that lies in a parcel "
      "of "
      "'std::map<int, std::string.*on its way: hand-over 1, from .* to port 'results' ");
}

TEST_F(PoisonTest, TheSenderWritesIntoTheRootAfterTheHandOver) {
  EXPECT_DEATH(
      {
        Parcel<Table> parcel = Build();
        auto* const root = const_cast<Table*>(&*parcel);
        const auto transit = Send(std::move(parcel));
        root->clear();
      },
      "use-after-poison(.|\n)*isolates: use after hand-over: ");
}

TEST_F(PoisonTest, SomebodyReadsAfterTheDrop) {
  EXPECT_DEATH(
      {
        Parcel<Table> parcel = Build();
        const char* const text = parcel->at(3).data();
        Send(std::move(parcel)).reset();
        Read(text);
      },
      "heap-use-after-free");
}

TEST_F(PoisonTest, UseInTurnIsFine) {
  Parcel<Table> parcel = Build();
  for (int hop = 0; hop < 100; ++hop) {
    auto transit = Send(std::move(parcel));
    parcel = std::move(transit->Arrive());
    for (const auto& [key, text] : *parcel) EXPECT_EQ(text, std::string(51 + key, 'x'));
  }
  Table taken = std::move(parcel).Take();
  taken[3] += "more";
  Send(Build()).reset();
}

}  // namespace
}  // namespace isolates::internal
