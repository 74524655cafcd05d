// Frozen values: what Freeze lets through, where the value lies, and who ends it (rule V3).

#include "isolates/frozen.h"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

using testing::HasSubstr;

struct Named {
  std::string name;
  std::string_view view;
};

// Counts how many of them are there.
class Counted {
 public:
  explicit Counted(std::string text) : text_(std::move(text)) { ++alive; }
  Counted(Counted&& other) noexcept : text_(std::move(other.text_)) { ++alive; }
  Counted& operator=(Counted&&) = delete;
  ~Counted() { --alive; }

  const std::string& text() const { return text_; }
  static inline int alive = 0;

 private:
  std::string text_;

 public:
  using IsolatesMembers = OwningMembers<&Counted::text_>;
};

// What the error says first.
template <class F>
std::string RefusalOf(F&& freeze) {
  try {
    (void)freeze();
  } catch (const TransferError& error) {
    return error.what();
  }
  return "not refused";
}

TEST(FreezeTest, TheObjectMovesAndWhatItOwnsStaysWhereItIs) {
  std::vector<std::string> lines{LongText(1), LongText(2)};
  const auto* const elements = lines.data();
  const Frozen<std::vector<std::string>> frozen = Freeze(std::move(lines));
  EXPECT_EQ(frozen->data(), elements);
  EXPECT_EQ((*frozen)[1], LongText(2));
  static_assert(std::is_same_v<decltype(frozen.get()), const std::vector<std::string>&>);
}

TEST(FreezeTest, CopiesAreHandlesToTheSameValue) {
  const auto a = Freeze(LongText(1));
  const auto other = Freeze(LongText(1));
  const auto b = a;  // NOLINT(performance-unnecessary-copy-initialization)
  EXPECT_EQ(&a.get(), &b.get());
  EXPECT_EQ(a, b);
  EXPECT_NE(a, other) << "identity, not equality";
  EXPECT_EQ(std::hash<Frozen<std::string>>()(a), std::hash<Frozen<std::string>>()(b));
  const std::unordered_set<Frozen<std::string>> set{a, b, other};
  EXPECT_EQ(set.size(), 2U);
}

TEST(FreezeTest, TheLastHandleEndsTheValue) {
  Counted value(LongText(1));
  Frozen<Counted> first = Freeze(std::move(value));
  EXPECT_EQ(Counted::alive, 2);  // the one that was moved from, and the frozen one
  Frozen<Counted> second = first;
  first = {};
  EXPECT_FALSE(first);
  EXPECT_EQ(Counted::alive, 2);
  EXPECT_EQ(second->text(), LongText(1));
  const Frozen<Counted> third = std::move(second);
  EXPECT_FALSE(second);  // NOLINT(bugprone-use-after-move): it must be empty
  second = third;
  second = std::as_const(second);
  EXPECT_EQ(Counted::alive, 2);
  EXPECT_EQ(third->text(), LongText(1));
}

TEST(FreezeTest, AllOfThemHaveEnded) { EXPECT_EQ(Counted::alive, 0); }

TEST(FreezeTest, AnEmptyHandleIsACheckedError) {
  const Frozen<int> empty;
  EXPECT_FALSE(empty);
  EXPECT_EQ(empty, Frozen<int>());
  EXPECT_DEATH((void)empty.get(), "empty Frozen");
}

TEST(FreezeTest, TheValueDoesNotShareALineWithTheReferences) {
  const auto frozen = Freeze(7);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&frozen.get()) % kCacheLine, 0U);
  EXPECT_EQ(*frozen, 7);
}

struct alignas(256) Aligned {
  int x;
};

TEST(FreezeTest, AValueOfGreatAlignment) {
  const auto frozen = Freeze(Aligned{3});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&frozen.get()) % 256, 0U);
}

// ---- what Freeze looks at ----

TEST(FreezeTest, ARefusedValueStaysWithTheCaller) {
  const std::string local = LongText(9);
  std::vector<Named> values(3);
  values[1].name = LongText(1);
  values[2].view = local;
  const auto* const elements = values.data();
  const std::string why = RefusalOf([&] { return Freeze(std::move(values)); });
  EXPECT_THAT(why, HasSubstr("value[2].view: "));
  ASSERT_EQ(values.size(), 3U);  // NOLINT(bugprone-use-after-move): it must be unchanged
  EXPECT_EQ(values.data(), elements);
  EXPECT_EQ(values[1].name, LongText(1));
  EXPECT_EQ(values[2].view, local);
}

TEST(FreezeTest, ViewsIntoOwnBlocksAndLiteralsAreFine) {
  std::vector<Named> values(1);
  values[0].name = LongText(1);
  values[0].view = values[0].name;
  EXPECT_EQ(Freeze(std::move(values))->at(0).view, LongText(1));
  EXPECT_EQ(*Freeze(std::string_view("a literal")), "a literal");
}

TEST(FreezeTest, AViewIntoTheObjectItselfIsRefused) {
  Named value{"short", {}};
  value.view = value.name;
  EXPECT_THAT(RefusalOf([&] { return Freeze(std::move(value)); }), HasSubstr("value.view: "));
}

class FreezeHeapTest : public TransferHeapTest {};

// Proven by its type for a Send; Freeze looks all the same.
TEST_F(FreezeHeapTest, EveryOwningEdgeIsLookedAt) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const foreign = FreshHeap();
  std::vector<std::unique_ptr<const int>> values(2);
  values[1].reset(BuildIn(foreign, [] { return 5; }));
  EXPECT_NO_THROW(VerifyForSend(values, "value"));
  EXPECT_THAT(RefusalOf([&] { return Freeze(std::move(values)); }), HasSubstr("value[1]: "));
  EXPECT_EQ(*values[1], 5);  // NOLINT(bugprone-use-after-move): it must be unchanged
  values.clear();
  ExpectEmptyAndDestroy(foreign);
}

TEST_F(FreezeHeapTest, TheHeapOfFrozenBlocksIsShared) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const heap = FreshHeap();
  {
    const HeapScope scope(heap);
    const auto number = Freeze(7);
    EXPECT_FALSE(heap->shared()) << "a number leaves no block";
    const auto text = Freeze(LongText(1));
    EXPECT_TRUE(heap->shared());
  }
  EXPECT_EQ(heap->CensusQuiescent().blocks, 0U) << "control blocks are in the main heap";
  RetireHeap(heap);
}

// ---- parcels ----

class FreezeParcelTest : public TransferHeapTest {
 protected:
  template <class Build>
  auto MakeParcelOf(Build&& build) {
    Heap* const heap = FreshHeap();
    auto* const root = BuildIn(heap, build);
    return SealParcel(heap, root, heap->is_parcel());
  }
  static std::vector<Named> Table() {
    std::vector<Named> table(100);
    for (std::size_t i = 0; i < table.size(); ++i) table[i].name = LongText(i);
    return table;
  }
};

TEST_F(FreezeParcelTest, TheLastHandleDropsItWhole) {
  SKIP_ON_PLAIN_MALLOC();
  auto parcel = MakeParcelOf(Table);
  ASSERT_TRUE(parcel.receipt().droppable);
  const auto* const root = &parcel.get();
  const std::size_t destroyed = heap_counters().destroyed;
  auto frozen = Freeze(std::move(parcel));
  EXPECT_TRUE(parcel.empty());  // NOLINT(bugprone-use-after-move): it must be empty
  EXPECT_EQ(&frozen.get(), root);
  auto copy = frozen;
  frozen = {};
  EXPECT_EQ(copy->at(99).name, LongText(99));
  EXPECT_EQ(heap_counters().destroyed, destroyed);
  copy = {};
  EXPECT_EQ(heap_counters().destroyed, destroyed + 1);
}

TEST_F(FreezeParcelTest, AViewIntoTheRootIsFineBecauseItStaysInPlace) {
  Heap* const heap = FreshHeap();
  Named* const root = BuildIn(heap, [] { return Named{"short", {}}; });
  root->view = root->name;
  const auto frozen = Freeze(SealParcel(heap, root, heap->is_parcel()));
  EXPECT_EQ(frozen->view.data(), frozen->name.data());
}

TEST_F(FreezeParcelTest, AChangedParcelIsLookedAtAgain) {
  auto parcel = MakeParcelOf(Table);
  const std::string local = LongText(7);
  parcel.Mutable()[3].view = local;
  EXPECT_THAT(RefusalOf([&] { return Freeze(std::move(parcel)); }), HasSubstr("value[3].view: "));
  ASSERT_FALSE(parcel.empty());  // NOLINT(bugprone-use-after-move): it must be unchanged
  parcel.Mutable()[3].view = {};
  parcel.Mutable()[3].name = LongText(8);  // a block of the caller's heap
  const std::size_t destroyed = heap_counters().destroyed;
  EXPECT_EQ(Freeze(std::move(parcel))->at(3).name, LongText(8));
  EXPECT_EQ(heap_counters().destroyed, destroyed) << "its blocks are no longer all in one heap";
}

TEST_F(FreezeParcelTest, AParcelThatCannotBeDroppedWholeIsEndedByItsDestructor) {
  auto frozen = Freeze(MakeParcelOf([] {
    std::vector<Counted> values;
    values.emplace_back(LongText(1));
    return values;
  }));
  EXPECT_EQ(Counted::alive, 1);
  Heap* const heap = FreshHeap();
  auto* const root = BuildIn(heap, Table);
  auto shared = SealParcel(heap, root, false);
  ASSERT_FALSE(shared.receipt().droppable);
  EXPECT_EQ(Freeze(std::move(shared))->size(), 100U);
}

TEST_F(FreezeParcelTest, AnEmptyParcelIsACheckedError) {
  EXPECT_DEATH((void)Freeze(Parcel<int>()), "empty parcel");
}

// ---- as a part of other values ----

TEST(FrozenHandleTest, ItMayBeSentAndBeFrozenInTurn) {
  using Handles = std::vector<Frozen<std::string>>;
  static_assert(kTransferClass<Handles> == TransferClass::kOwned && !kRegionDroppable<Handles>);
  Handles handles(3, Freeze(LongText(1)));
  const VerifyReport report = Verify(handles);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.blocks, 1U) << "the vector's; what is frozen is not looked at again";
  const auto outer = Freeze(std::move(handles));
  EXPECT_EQ(**outer->begin(), LongText(1));
}

}  // namespace
}  // namespace isolates::internal
