// Wrong adapters: what they forget or count twice makes the census disagree, and the parcel is
// dropped by destructors.

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

enum class Mistake { kNone, kForgotten, kTwice, kTwiceForAnother, kInside };

// Two blocks, which the adapter does not tell correctly.
template <Mistake M>
class Pair {
 public:
  Pair() : first_(new char[100]), second_(new char[100]) { ++alive; }
  Pair(Pair&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)),
        second_(std::exchange(other.second_, nullptr)) {
    ++alive;
  }
  Pair& operator=(Pair&&) = delete;
  ~Pair() {
    --alive;
    delete[] first_;
    delete[] second_;
  }

  char* first_;
  char* second_;
  static inline int alive = 0;
};

}  // namespace
}  // namespace isolates::internal

template <isolates::internal::Mistake M>
struct isolates::TransferTraits<isolates::internal::Pair<M>> {
  static constexpr isolates::TransferClass kClass = isolates::TransferClass::kOwned;
  static constexpr bool kDroppable = true;

  static void Walk(const isolates::internal::Pair<M>& pair, isolates::Walker& walker) {
    using isolates::internal::Mistake;
    walker.Block(M == Mistake::kInside ? pair.first_ + 16 : pair.first_, 50);
    if (M == Mistake::kForgotten) return;
    walker.Block(M == Mistake::kTwiceForAnother ? pair.first_ : pair.second_, 50);
    if (M == Mistake::kTwice) walker.Block(pair.second_, 50);
  }
};

namespace isolates::internal {
namespace {

class AdapterMistakesTest : public TransferHeapTest {
 protected:
  // The receipt of a parcel with a pair; then it is dropped.
  template <Mistake M>
  Receipt Seal() {
    Heap* const heap = FreshHeap();
    auto* const root = BuildIn(heap, [] { return Pair<M>(); });
    auto parcel = SealParcel(heap, root, heap->is_parcel());
    const Receipt receipt = parcel.receipt();
    parcel.Drop();
    return receipt;
  }
};

TEST_F(AdapterMistakesTest, WithoutAMistakeNoDestructorRuns) {
  SKIP_ON_PLAIN_MALLOC();
  EXPECT_TRUE(Seal<Mistake::kNone>().droppable);
  EXPECT_EQ(Pair<Mistake::kNone>::alive, 1);
}

TEST_F(AdapterMistakesTest, AForgottenBlockIsAStray) {
  SKIP_ON_PLAIN_MALLOC();
  const Receipt receipt = Seal<Mistake::kForgotten>();
  EXPECT_EQ(receipt.reason, DropReason::kStrays);
  EXPECT_EQ(receipt.stray_blocks, 1U);
  EXPECT_EQ(Pair<Mistake::kForgotten>::alive, 0) << "dropped by its destructor";
}

TEST_F(AdapterMistakesTest, ABlockThatIsReportedTwiceIsSeen) {
  SKIP_ON_PLAIN_MALLOC();
  EXPECT_FALSE(Seal<Mistake::kTwice>().droppable);
  EXPECT_EQ(Pair<Mistake::kTwice>::alive, 0);
  // Their number is right.
  EXPECT_FALSE(Seal<Mistake::kTwiceForAnother>().droppable);
  EXPECT_EQ(Pair<Mistake::kTwiceForAnother>::alive, 0);
}

TEST_F(AdapterMistakesTest, AnAddressInsideOfABlockIsSeen) {
  SKIP_ON_PLAIN_MALLOC();
  EXPECT_FALSE(Seal<Mistake::kInside>().droppable);
  EXPECT_EQ(Pair<Mistake::kInside>::alive, 0);
}

}  // namespace
}  // namespace isolates::internal
