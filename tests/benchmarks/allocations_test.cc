#include "benchmarks/support/allocations.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

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

TEST(AllocationsTest, CountsNoneOfAMessageInSteadyState) {
  ReceivePort<int> port;
  const auto sender = port.send_port();
  const auto send_and_receive = [&] {
    for (int i = 0; i < 100; ++i) {
      sender.Send(int{i});
      ASSERT_EQ(port.TryReceive(), i);
    }
  };
  send_and_receive();
  EXPECT_EQ(AllocationsOf(send_and_receive), 0U);
}

}  // namespace
}  // namespace isolates::bench
