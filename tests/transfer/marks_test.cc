// What a program says itself: marks on objects, and the unsafe opt-out.

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/transfer/transfer_test_util.h"

namespace isolates {
namespace {

struct Texture {
  std::string name;
  UnsendableMark mark;
};

class Foreign {  // the library cannot see what it holds
 public:
  explicit Foreign(const int* handle) : handle_(handle) {}
  const int* handle() const { return handle_; }

 private:
  const int* handle_;
};

}  // namespace

template <>
struct TransferTraits<Foreign> : UnsafeTransferTraits<Foreign> {};

namespace {

using internal::kLongText;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class MarksTest : public internal::TransferHeapTest {};

TEST_F(MarksTest, AMarkedObjectIsRefusedByPathAndReason) {
  std::map<int, Texture> textures;
  textures[1].name = kLongText;
  EXPECT_TRUE(Verify(textures).ok());
  textures[2].mark.Set("it is bound to a graphics context");
  const VerifyReport report = Verify(textures);
  ASSERT_EQ(report.violations.size(), 1U);
  EXPECT_THAT(report.violations[0].ToString(),
              AllOf(StartsWith("value[1].second.mark: "),
                    HasSubstr("is marked unsendable: it is bound to a graphics context")));
  EXPECT_THROW(internal::VerifyForSend(textures, "message"), TransferError);
  textures[2].mark.Clear();
  EXPECT_TRUE(Verify(textures).ok());
}

TEST_F(MarksTest, TheMarkGoesWithCopiesAndMoves) {
  Texture texture;
  texture.mark.Set("bound");
  const Texture copy = texture;
  EXPECT_FALSE(Verify(copy).ok());
  const Texture moved = std::move(texture);
  EXPECT_FALSE(Verify(moved).ok());
}

TEST_F(MarksTest, MarksAloneDoNotKeepAParcelFromItsDrop) {
  static_assert(kRegionDroppable<Texture>);
  SKIP_ON_PLAIN_MALLOC();
  internal::Heap* const heap = FreshHeap();
  auto* const root = BuildIn(heap, [] { return Texture{kLongText, {}}; });
  EXPECT_TRUE(internal::SealParcel(heap, root, true).receipt().droppable);
}

TEST_F(MarksTest, TheUnsafeOptOutIsNotLookedInto) {
  const int local = 1;
  EXPECT_FALSE(Verify(&local).ok());
  const UnsafeTransfer<const int*> unsafe{&local};
  EXPECT_TRUE(Verify(unsafe).ok());
  EXPECT_EQ(**unsafe, 1);
  EXPECT_TRUE(Verify(std::vector{Foreign(&local)}).ok());
  static_assert(!Transferable<std::thread> && Transferable<UnsafeTransfer<std::thread>>);
  static_assert(!kRegionDroppable<UnsafeTransfer<int>> && !kRegionDroppable<Foreign>);
}

TEST_F(MarksTest, WhatWasTrustedIsCounted) {
  const int local = 1;
  internal::Walker walker(internal::WalkOptions{});
  walker.Run(std::vector{Foreign(&local), Foreign(&local)});
  EXPECT_EQ(walker.trusted(), 2U);
}

}  // namespace
}  // namespace isolates
