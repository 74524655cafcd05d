// A use after free, in memory of the global new and therefore in whatever allocator the library
// links.
#include <gtest/gtest.h>

#include <memory>

namespace {

TEST(Planted, UseAfterFree) {
  auto owner = std::make_unique<int>(42);
  // Through a volatile pointer: the compiler would see this bug by itself.
  const int* volatile stale = owner.get();
  owner.reset();
  // AddressSanitizer must stop here; without it the value read is of no interest.
  EXPECT_EQ(*stale, *stale);
}

}  // namespace
