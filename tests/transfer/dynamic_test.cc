// Objects whose type is known at run time only, and owning raw pointers.

#include <any>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <valarray>
#include <vector>

#include "isolates/detail/threads.h"
#include "tests/transfer/transfer_test_util.h"

namespace isolates {
namespace {

int destroyed = 0;

class Shape {
 public:
  virtual ~Shape() = default;
  virtual int Corners() const = 0;
  using IsolatesMembers = OwningMembers<>;
};
class Circle : public Shape {
 public:
  int Corners() const override { return 0; }
  using IsolatesMembers = OwningMembers<Base<Shape>{}>;
};
class Polygon : public Shape {
 public:
  explicit Polygon(std::string name) : name_(std::move(name)) {}
  int Corners() const override { return 4; }

 private:
  std::string name_;

 public:
  std::string_view label;
  using IsolatesMembers = OwningMembers<Base<Shape>{}, &Polygon::name_, &Polygon::label>;
};
class Star : public Shape {  // not on the list
 public:
  int Corners() const override { return 10; }
};

// The object begins before its base.
struct Named {
  virtual ~Named() = default;
  std::string title = internal::kLongText;
  using IsolatesMembers = OwningMembers<&Named::title>;
};
struct Counted {
  virtual ~Counted() = default;
  int count = 1;
  using IsolatesMembers = OwningMembers<&Counted::count>;
};
struct Both : Named, Counted {
  ~Both() override { ++destroyed; }
  using IsolatesMembers = Members<Base<Named>{}, Base<Counted>{}>;
};
class Engine {  // deleting one through a pointer to it would be wrong
 public:
  virtual void Run() {}

 protected:
  ~Engine() = default;
};

class Chain {
 public:
  Chain() = default;
  Chain(Chain&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
  Chain& operator=(Chain&&) = delete;
  ~Chain() {
    while (first_ != nullptr) delete std::exchange(first_, first_->next);
  }
  void Push(std::string text) {
    auto* const link = new Link{std::move(text), first_, nullptr};
    if (first_ != nullptr) first_->back = link;
    first_ = link;
  }
  struct Link {
    std::string text;
    Link* next;
    Link* back;
    using IsolatesMembers = OwningMembers<&Link::text, Owns<&Link::next>{}, &Link::back>;
  };
  Link* first() { return first_; }

 private:
  Link* first_ = nullptr;

 public:
  using IsolatesMembers = OwningMembers<Owns<&Chain::first_>{}>;
};

struct Large {
  std::string text = internal::kLongText;
  std::string_view view;
};

}  // namespace

template <>
struct DynamicTypes<Shape> : OneOf<Circle, Polygon> {};
template <>
struct DynamicTypes<Engine> : OneOf<> {};
template <>
struct DynamicTypes<Counted> : OneOf<Counted, Both> {};
template <>
struct DynamicTypes<std::any> : OneOf<int, std::string, Large> {};

namespace {

using internal::kLongText;
using internal::OwnedBlocks;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class DynamicTest : public internal::TransferHeapTest {
 protected:
  void SetUp() override { internal::RegisterThisThread("parser"); }

  template <class T>
  static std::string Only(const T& value) {
    const VerifyReport report = Verify(value);
    if (report.violations.size() != 1) {
      return std::to_string(report.violations.size()) + " violations";
    }
    return report.violations[0].ToString();
  }

  template <class T, class Build>
  Receipt SealAndDrop(Build&& build) {
    internal::Heap* const heap = FreshHeap();
    const bool is_parcel = heap->is_parcel();
    T* const root = BuildIn(heap, build);
    auto parcel = internal::SealParcel(heap, root, is_parcel);
    return parcel.receipt();
  }
};

using Shapes = std::vector<std::unique_ptr<Shape>>;

TEST_F(DynamicTest, Classes) {
  static_assert(kTransferClass<std::unique_ptr<Shape>> == TransferClass::kChecked);
  static_assert(kTransferClass<std::unique_ptr<const Shape>> == TransferClass::kChecked);
  static_assert(kTransferClass<std::any> == TransferClass::kChecked);
  static_assert(!Transferable<std::unique_ptr<Engine>>);
  static_assert(!Transferable<std::unique_ptr<Named>>);      // no list
  static_assert(!kRegionDroppable<std::unique_ptr<Shape>>);  // a reader may change the shape
  static_assert(kRegionDroppable<std::unique_ptr<const Shape>>);
  static_assert(!kRegionDroppable<std::unique_ptr<const Counted>>);  // Both has a destructor
  static_assert(!kRegionDroppable<std::any>);
  static_assert(kRegionDroppable<Chain> && kTransferClass<Chain> == TransferClass::kChecked);
  static_assert(kRegionDroppable<std::valarray<std::string>>);
}

TEST_F(DynamicTest, ListedTypesAreWalked) {
  Shapes shapes;
  shapes.push_back(std::make_unique<Circle>());
  shapes.push_back(nullptr);
  shapes.push_back(std::make_unique<Polygon>(kLongText));
  EXPECT_TRUE(Verify(shapes).ok());
  EXPECT_EQ(Verify(shapes).blocks, 4U);  // the array, two shapes, a text
  const std::string stays = kLongText;
  static_cast<Polygon&>(*shapes[2]).label = stays;
  EXPECT_THAT(Only(shapes), StartsWith("value[2].label: string_view into "));
}

TEST_F(DynamicTest, OthersAreRefusedByName) {
  Shapes shapes;
  shapes.push_back(std::make_unique<Star>());
  EXPECT_THAT(Only(shapes), AllOf(StartsWith("value[0]: "), HasSubstr("Star"),
                                  HasSubstr("not one of its DynamicTypes")));
  EXPECT_THROW(internal::VerifyForSend(shapes, "message"), TransferError);
}

TEST_F(DynamicTest, TheBlockOfASecondBaseIsThatOfTheObject) {
  auto both = std::make_unique<Both>();
  const void* const block = both.get();
  const std::vector<std::unique_ptr<Counted>> messages = [&] {
    std::vector<std::unique_ptr<Counted>> made;
    made.push_back(std::move(both));
    return made;
  }();
  ASSERT_NE(static_cast<const void*>(messages[0].get()), block);
  const auto blocks = OwnedBlocks(messages);
  ASSERT_THAT(blocks, SizeIs(3));
  EXPECT_EQ(static_cast<const void*>(blocks[1].start), block);
  EXPECT_EQ(blocks[1].bytes, sizeof(Both));
  EXPECT_TRUE(Verify(messages).ok());
}

TEST_F(DynamicTest, ParcelsOfListedTypesAreDroppedWholeOnlyIfEveryDestructorAllowsIt) {
  SKIP_ON_PLAIN_MALLOC();
  using Fixed = std::vector<std::unique_ptr<const Shape>>;
  const Receipt fixed = SealAndDrop<Fixed>([] {
    Fixed made;
    made.push_back(std::make_unique<Polygon>(kLongText));
    return made;
  });
  EXPECT_EQ(fixed.reason, DropReason::kDroppable);
  destroyed = 0;
  using Counts = std::vector<std::unique_ptr<const Counted>>;
  const Receipt counts = SealAndDrop<Counts>([] {
    Counts made;
    made.push_back(std::make_unique<Both>());
    return made;
  });
  EXPECT_EQ(counts.reason, DropReason::kTypeNotDroppable);
  EXPECT_EQ(destroyed, 1);
}

TEST_F(DynamicTest, AnyHoldsWhatIsListed) {
  const std::vector<std::any> values{1, std::string("short"), kLongText, std::any(), Large{}};
  EXPECT_TRUE(Verify(values).ok());
  // The array; three objects that are too large for std::any; two texts.
  EXPECT_EQ(Verify(values).blocks, 6U);
}

TEST_F(DynamicTest, AnyIsLookedInto) {
  const std::string stays = kLongText;
  EXPECT_THAT(Only(std::vector<std::any>{Large{"x", stays}}),
              StartsWith("value[0].view: string_view into "));
  EXPECT_THAT(Only(std::vector<std::any>{1, 2.5}),
              AllOf(StartsWith("value[1]: "), HasSubstr("'double'"), HasSubstr("DynamicTypes")));
}

TEST_F(DynamicTest, RawPointersThatOwn) {
  const auto build = [] {
    Chain chain;
    for (int i = 0; i < 3; ++i) chain.Push(internal::LongText(static_cast<std::size_t>(i)));
    return chain;
  };
  const Chain chain = build();
  EXPECT_TRUE(Verify(chain).ok());  // back pointers lead into what is owned
  EXPECT_EQ(Verify(chain).blocks, 6U);
  SKIP_ON_PLAIN_MALLOC();
  EXPECT_EQ(SealAndDrop<Chain>(build).reason, DropReason::kDroppable);
}

TEST_F(DynamicTest, SecondOwnersAndCyclesOfOwnersAreRefused) {
  Chain chain;
  chain.Push("last");
  chain.Push("first");
  Chain::Link* const last = chain.first()->next;
  last->next = chain.first();
  EXPECT_THAT(Only(chain), AllOf(StartsWith("value.first_.next.next: "), HasSubstr("cycle")));
  last->next = nullptr;
  EXPECT_TRUE(Verify(chain).ok());
}

TEST_F(DynamicTest, LongChainsDoNotTouchTheStack) {
  Chain chain;
  for (int i = 0; i < 100'000; ++i) chain.Push("x");
  EXPECT_TRUE(Verify(chain).ok());
}

TEST_F(DynamicTest, ValarraysAreOwned) {
  const std::valarray<std::string> texts{kLongText, "x"};
  EXPECT_EQ(Verify(texts).blocks, 2U);
  const int local = 1;
  EXPECT_THAT(Only(std::valarray<const int*>{&local}), StartsWith("value[0]: pointer into"));
  SKIP_ON_PLAIN_MALLOC();
  const Receipt receipt = SealAndDrop<std::valarray<std::string>>(
      [] { return std::valarray<std::string>{kLongText, "x"}; });
  EXPECT_EQ(receipt.reason, DropReason::kDroppable);
}

TEST_F(DynamicTest, CallablesBehindAFunctionAreLookedAtToo) {
  int local = 1;
  const std::string text = kLongText;
  const std::function<std::size_t()> large = [text, &local] {
    return text.size() + static_cast<std::size_t>(local);
  };
  const std::uint64_t before = closure_warnings();
  EXPECT_NO_THROW(internal::VerifyForSend(large, "message"));
  EXPECT_EQ(closure_warnings(), before + 1);
  EXPECT_THAT(Only(large), HasSubstr("closure captures an address in the stack of isolate"));
  const std::function<std::size_t()> fine = [text] { return text.size(); };
  EXPECT_THAT(Verify(fine).violations, IsEmpty());
  EXPECT_EQ(Verify(fine).blocks, 1U);
  EXPECT_THAT(Verify(std::function<void()>()).violations, IsEmpty());
}

}  // namespace
}  // namespace isolates
