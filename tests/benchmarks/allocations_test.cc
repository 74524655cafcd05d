#include "benchmarks/support/allocations.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

template <class Function>
std::uint64_t AllocationsOf(Function function) {
  const std::uint64_t before = Allocations();
  function();
  return Allocations() - before;
}

// Kept where the compiler cannot pair it with its end.
std::unique_ptr<std::string> kept;

TEST(AllocationsTest, CountsNew) {
  EXPECT_EQ(AllocationsOf([] { kept = std::make_unique<std::string>(); }), 1U);
  EXPECT_EQ(AllocationsOf([] { kept = std::make_unique<std::string>(100, 'x'); }), 2U);
  EXPECT_EQ(AllocationsOf([] { kept.reset(); }), 0U);
}

TEST(AllocationsTest, CountsTheLibrarysOwn) {
  EXPECT_GT(AllocationsOf([] { const ReceivePort<int> port; }), 0U);
}

TEST(AllocationsTest, CountsThoseOfOtherThreads) {
  const std::uint64_t alone = AllocationsOf([] { std::thread([] {}).join(); });
  const std::uint64_t more =
      AllocationsOf([] { std::thread([] { kept = std::make_unique<std::string>(); }).join(); });
  EXPECT_EQ(more, alone + 1);
}

TEST(AllocationsTest, CountsNothingWhereNothingIsAllocated) {
  ReceivePort<int> port;
  EXPECT_EQ(AllocationsOf([&] { ASSERT_FALSE(port.TryReceive()); }), 0U);
}

TEST(AllocationsTest, TellsOnesOwnFromThoseOfOthers) {
  const std::uint64_t before = OwnAllocations();
  kept = std::make_unique<std::string>();
  const std::uint64_t own = OwnAllocations();
  EXPECT_EQ(own, before + 1);
  std::uint64_t in_other = 0;
  std::thread([&] {
    const std::uint64_t start = OwnAllocations();
    kept = std::make_unique<std::string>();
    in_other = OwnAllocations() - start;
  }).join();
  EXPECT_EQ(in_other, 1U);
}

}  // namespace
}  // namespace isolates::bench
