// Which types may be frozen: whoever holds them by const reference can change nothing (rule V3).
// tests/nocompile/frozen.cc has the messages.

#include <array>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolates/frozen.h"
#include "isolates/transfer.h"

namespace isolates {
namespace {

struct Point {
  int x;
  double y;
};
struct Line {
  std::string name;
  std::vector<Point> points;
  std::map<std::string, std::optional<std::variant<int, std::string>>> tags;
};
static_assert(Freezable<int> && Freezable<Point> && Freezable<Line> && Freezable<const Line>);
static_assert(Freezable<int[3]> && Freezable<std::array<Line, 2>> && Freezable<std::deque<Line>>);
static_assert(Freezable<std::tuple<int, Line>> && Freezable<std::set<std::string>>);
static_assert(Freezable<std::unordered_map<std::string, Line>> && Freezable<std::vector<bool>>);
static_assert(Freezable<std::filesystem::path> && Freezable<std::pmr::vector<std::pmr::string>>);
static_assert(Freezable<RemoteError> && Freezable<void (*)()>);
static_assert(Freezable<std::string_view> && Freezable<std::span<const int>>);
static_assert(Freezable<const int*> && Freezable<std::reference_wrapper<const Point>>);
static_assert(Freezable<Frozen<Line>> && Freezable<std::vector<Frozen<Line>>>);

// Const stops at pointers.
static_assert(Freezable<std::unique_ptr<const Line>> && !Freezable<std::unique_ptr<Line>>);
static_assert(Freezable<std::unique_ptr<const int>> && !Freezable<std::unique_ptr<int>>);
static_assert(Freezable<std::unique_ptr<const int[]>> && !Freezable<std::unique_ptr<int[]>>);
static_assert(!Freezable<std::unique_ptr<std::unique_ptr<const int>>>);
static_assert(!Freezable<int*> && !Freezable<std::span<int>> && !Freezable<int* const>);
static_assert(!Freezable<std::reference_wrapper<int>> && !Freezable<std::pair<int&, int>>);
static_assert(!Freezable<std::vector<std::map<int, std::optional<std::unique_ptr<int>>>>>);

// Shared owners give out references that live on.
static_assert(!Freezable<std::shared_ptr<const int>> && !Freezable<std::weak_ptr<const int>>);

// What is called may change what it has captured.
using Empty = decltype([](int x) { return x; });
using Counting = decltype([n = 0](int x) mutable { return x + ++n; });
static_assert(Freezable<Empty> && !Freezable<Counting>);
static_assert(!Freezable<std::function<void()>>);

// A hash that counts its calls would be changed by lookups.
struct CountingLess {
  mutable int calls = 0;
  bool operator()(int a, int b) const {
    ++calls;
    return a < b;
  }
};
static_assert(Transferable<std::set<int, CountingLess>> && !Freezable<std::set<int, CountingLess>>);
static_assert(!Freezable<std::priority_queue<int, std::vector<int>, CountingLess>>);
static_assert(Freezable<std::priority_queue<int>> && Freezable<std::map<int, int, std::greater<>>>);

// Mutable members, plain ones as well: a mutable int is a race.
struct MutableInt {
  mutable int hits;
};
struct MutableText {
  int x;
  mutable std::string cache;
};
static_assert(!Freezable<MutableInt> && !Freezable<MutableText>);
static_assert(!Freezable<std::vector<std::pair<int, MutableInt>>>);
struct DeepMutable {
  std::vector<std::unique_ptr<const MutableInt>> all;
};
static_assert(!Freezable<DeepMutable>);

// Parcels and ports are for one user at a time.
static_assert(!Freezable<Parcel<int>>);

// Nobody can see whether private members are mutable: their author has to say so.
template <template <auto...> class List>
class Account {
 public:
  explicit Account(int number) : number_(number) {}

 private:
  int number_;
  std::unique_ptr<std::string> owner_;

 public:
  using IsolatesMembers = List<&Account::number_, &Account::owner_>;
};
static_assert(!Freezable<Account<Members>> && Freezable<Account<OwningMembers>>);

// The author vouches for what is shallow, and for nothing else.
struct Vouching {
  std::vector<std::unique_ptr<int>> numbers;
  MutableInt hits;
  using IsolatesMembers = OwningMembers<&Vouching::numbers, &Vouching::hits>;
};
struct VouchingTooMuch {
  std::function<void()> function;
  using IsolatesMembers = OwningMembers<&VouchingTooMuch::function>;
};
struct Outside {
  Vouching inside;
  std::unique_ptr<int> beside;
};
static_assert(Freezable<Vouching> && !Freezable<VouchingTooMuch> && !Freezable<Outside>);

// Types that contain themselves.
struct Tree {
  std::string name;
  std::vector<Tree> children;
};
struct Link {
  std::unique_ptr<const Link> next;
};
struct MutableLink {
  std::unique_ptr<MutableLink> next;
};
static_assert(Freezable<Tree> && Freezable<Link> && !Freezable<MutableLink>);

TEST(FreezableTest, TheErrorNamesThePathAndTheRemedy) {
  constexpr auto kText = internal::RefusalText<DeepMutable, internal::Demand::kFreezable>();
  EXPECT_THAT(std::string(kText.view()), testing::HasSubstr("DeepMutable.all[]: "));
  EXPECT_THAT(
      std::string(kText.view()),
      testing::HasSubstr("MutableInt has a mutable member; remedy: make it a plain member"));
}

}  // namespace
}  // namespace isolates
