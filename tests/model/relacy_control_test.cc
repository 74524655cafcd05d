// The model checker itself: it must find a planted race, and must accept the same protocol done
// right.
#include <atomic>
#include <string>

#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

// One thread publishes a plain value by a flag, another reads it once the flag is up.
template <std::memory_order kStoreOrder>
struct Publish : rl::test_suite<Publish<kStoreOrder>, 2> {
  RelacyAtomics::Atomic<int> ready{0};
  rl::var<int> value;

  void before() { value(RL_INFO) = 0; }

  void thread(unsigned index) {
    if (index == 0) {
      value(RL_INFO) = 1;
      ready.store(1, kStoreOrder);
    } else if (ready.load(std::memory_order::acquire) == 1) {
      RL_ASSERT(value(RL_INFO) == 1);
    }
  }
};

TEST(RelacyControl, AcceptsAReleaseStore) {
  std::string report;
  EXPECT_TRUE(Simulate<Publish<std::memory_order::release>>(&report)) << report;
}

TEST(RelacyControl, FindsAMissingRelease) {
  std::string report;
  EXPECT_FALSE(Simulate<Publish<std::memory_order::relaxed>>(&report));
  EXPECT_NE(report.find("DATA RACE"), std::string::npos) << report;
}

}  // namespace
}  // namespace isolates::model
