// A data race on a plain variable of the heap.
#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace {

TEST(Planted, Race) {
  auto counter = std::make_unique<int>(0);
  // ThreadSanitizer must report this pair.
  std::thread other([&] { ++*counter; });
  ++*counter;
  other.join();
  EXPECT_GE(*counter, 1);
}

}  // namespace
