// Stands in, when the program is linked with plain malloc, for the tests that use mimalloc's own
// interface: so that they are seen and counted as skipped.

#include "gtest/gtest.h"
#include "isolates/heap.h"

namespace {

class HeapShapesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(isolates::allocator(), isolates::Allocator::kMalloc);
    GTEST_SKIP() << "needs the mimalloc back end";
  }
};
using FatalShapeTest = HeapShapesTest;

TEST_F(HeapShapesTest, GoodShapesOfHeapUse) {}
TEST_F(FatalShapeTest, FatalShapesOfHeapUse) {}

}  // namespace
