// The classes of types. Everything here is decided by the compiler; a failure is a build error.

#include <any>
#include <atomic>
#include <bitset>
#include <chrono>
#include <complex>
#include <condition_variable>
#include <coroutine>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <queue>
#include <random>
#include <regex>
#include <span>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolates/transfer.h"

namespace isolates {
namespace {

template <class T, TransferClass Class>
constexpr bool Is() {
  return kTransferClass<T> == Class;
}
template <class... T>
constexpr bool kPlainTypes = (Is<T, TransferClass::kPlain>() && ...);
template <class... T>
constexpr bool kOwnedTypes = (Is<T, TransferClass::kOwned>() && ...);
template <class... T>
constexpr bool kCheckedTypes = (Is<T, TransferClass::kChecked>() && ...);
template <class... T>
constexpr bool kRejectedTypes = (Is<T, TransferClass::kRejected>() && ...);

enum class Color { kRed };
struct Empty {};
struct Point {
  int x;
  double y;
};
struct Bits {
  int a;
  unsigned b : 3;
  unsigned c : 5;
};
struct Arrays {
  int a[3];
  std::string text;
  char name[16];
  double matrix[2][2];
  std::string texts[2];
};
struct Node {
  std::string name;
  std::vector<Node> children;
  std::unique_ptr<Node> next;
  std::map<std::string, Node> named;
};
struct Even;
struct Odd {
  std::vector<Even> evens;
};
struct Even {
  std::vector<Odd> odds;
};
class NoDefault {
 public:
  explicit NoDefault(int value) : value_(value) {}
  int value() const { return value_; }

 private:
  int value_;
  std::string text_;

 public:
  using IsolatesMembers = Members<&NoDefault::value_, &NoDefault::text_>;
};
struct HoldsNoDefault {
  NoDefault first;
  int second;
  NoDefault third;
};
struct ConstMember {
  const std::string name;
  int value;
};
struct ViewInside {
  std::vector<std::map<int, std::string_view>> views;
};
struct Derived : Point {
  int z;
};
struct Tag {};
template <class T>
struct Comparable {
  friend bool operator==(const Comparable&, const Comparable&) { return true; }
};
struct EmptyBases : Tag, Comparable<EmptyBases> {
  std::string text;
  int numbers[3];
  std::string_view view;
};
struct OnlyBases : Tag {};
struct TagThatEnds {
  ~TagThatEnds() { std::puts("gone"); }
};
struct EndingBase : TagThatEnds {
  int x;
};
class ThirdPartyUnsendable {};
struct UnsendableBase : ThirdPartyUnsendable {
  int x;
};
// 64 members of all sizes.
#define EIGHT_MEMBERS(n)     \
  int a##n;                  \
  std::string b##n;          \
  char c##n[3];              \
  bool d##n;                 \
  std::vector<int> e##n;     \
  double f##n[2][2];         \
  std::unique_ptr<int> g##n; \
  Point h##n
struct Wide {
  EIGHT_MEMBERS(0);
  EIGHT_MEMBERS(1);
  EIGHT_MEMBERS(2);
  EIGHT_MEMBERS(3);
  EIGHT_MEMBERS(4);
  EIGHT_MEMBERS(5);
  EIGHT_MEMBERS(6);
  EIGHT_MEMBERS(7);
};
struct LongArray {
  char buffer[4096];
};
struct StdArray {
  std::array<char, 4096> buffer;
};
class Opaque {
 public:
  Opaque() : secret_(0) {}
  int secret() const { return secret_; }

 private:
  int secret_;
};
struct ConstReference {
  const int& r;
};
struct Reference {
  std::string text;
  int& r;
};
struct AssignableReference {
  const int& r;
  AssignableReference& operator=(const AssignableReference&) { return *this; }
};
struct TextAndBits {
  std::string text;
  unsigned b : 3;
};
union Either {
  int a;
  float b;
};
struct Marked {
  using IsolatesUnsendable = void;
  int x;
};
struct MarkedByBase : Marked {};
struct Declared;
class ListedBase {
 protected:
  std::string base_text_;

 public:
  using IsolatesMembers = Members<&ListedBase::base_text_>;
};
class ListedDerived : public ListedBase {
 private:
  std::string more_;

 public:
  using IsolatesMembers = Members<Base<ListedBase>{}, &ListedDerived::more_>;
};
class ForgetfulDerived : public ListedBase {
 private:
  std::mutex lock_;
};
template <class T>
class Box {
 public:
  explicit Box(T value) : value_(std::move(value)) {}

 private:
  T value_;

 public:
  using IsolatesMembers = OwningMembers<&Box::value_>;
};
class ThirdParty {
 public:
  explicit ThirdParty(int n) : number(n) {}
  int number;
  std::string text;
};
struct Polymorphic {
  virtual ~Polymorphic() = default;
};
struct Final final {
  virtual ~Final() = default;
  std::string text;
  using IsolatesMembers = Members<&Final::text>;
};
struct FromThis : std::enable_shared_from_this<FromThis> {
  int x = 0;
};
struct StatefulLess {
  std::string locale;
  bool operator()(int a, int b) const { return a < b; }
};
template <class T>
struct OddAllocator : std::allocator<T> {
  template <class U>
  struct rebind {
    using other = OddAllocator<U>;
  };
};

struct OddlyDeleted {
  int handle;
};

}  // namespace
}  // namespace isolates

template <>
struct std::default_delete<isolates::OddlyDeleted> {
  void operator()(isolates::OddlyDeleted* object) const { object->handle = 0; }
};

namespace isolates {

template <>
struct TransferTraits<ThirdParty>
    : MembersTraits<ThirdParty, Members<&ThirdParty::number, &ThirdParty::text>> {};
template <>
struct TransferTraits<ThirdPartyUnsendable> : UnsendableTraits<ThirdPartyUnsendable> {};

namespace {

TEST(TransferClassTest, Plain) {
  static_assert(kPlainTypes<int, bool, double, char32_t, std::byte, std::nullptr_t, Color>);
  static_assert(kPlainTypes<Empty, Point, Bits, std::monostate, int[3], int[2][3], const int>);
  static_assert(kPlainTypes<void (*)(int), int Point::*, StdArray, std::optional<int>>);
  static_assert(kPlainTypes<std::pair<int, Point>, std::tuple<>, std::variant<int, float>>);
  static_assert(kPlainTypes<std::bitset<100>, std::complex<double>, std::chrono::nanoseconds>);
  static_assert(kPlainTypes<std::chrono::steady_clock::time_point, std::chrono::year_month_day>);
  static_assert(kPlainTypes<std::error_code, std::mt19937_64, std::thread::id, std::less<>>);
  const auto captureless = [](int x) { return x; };
  static_assert(kPlainTypes<decltype(captureless)>);
}

TEST(TransferClassTest, Owned) {
  static_assert(kOwnedTypes<std::string, std::wstring, std::vector<int>, std::vector<bool>>);
  static_assert(kOwnedTypes<std::deque<int>, std::list<int>, std::forward_list<int>>);
  static_assert(kOwnedTypes<std::map<int, int>, std::multimap<int, int>, std::set<int>>);
  static_assert(kOwnedTypes<std::multiset<int>, std::unordered_map<int, std::string>>);
  static_assert(kOwnedTypes<std::unordered_set<int>, std::unordered_multimap<int, int>>);
  static_assert(kOwnedTypes<std::optional<std::string>, std::variant<int, std::string>>);
  static_assert(kOwnedTypes<std::pair<int, std::string>, std::tuple<int, std::string>>);
  static_assert(kOwnedTypes<std::array<std::string, 2>, std::string[2], const std::string>);
  static_assert(kOwnedTypes<std::unique_ptr<int>, std::unique_ptr<int[]>>);
  static_assert(kOwnedTypes<std::unique_ptr<std::string[]>, std::unique_ptr<Final>>);
  static_assert(kOwnedTypes<std::stack<int>, std::queue<int>, std::priority_queue<int>>);
  static_assert(kOwnedTypes<std::filesystem::path, Arrays, Node, Odd, Even, ConstMember>);
}

TEST(TransferClassTest, OptIns) {
  static_assert(kOwnedTypes<NoDefault, HoldsNoDefault, ListedBase, ListedDerived, ThirdParty>);
  static_assert(kOwnedTypes<Box<std::string>, std::vector<Box<Node>>>);
  static_assert(kPlainTypes<Box<int>>);
  static_assert(kCheckedTypes<Box<std::string_view>>);
  static_assert(kRejectedTypes<Box<std::mutex>>);
  static_assert(kRejectedTypes<ForgetfulDerived>);  // its own list is missing
  static_assert(kRejectedTypes<Marked, MarkedByBase, ThirdPartyUnsendable>);
  static_assert(kRejectedTypes<std::vector<Marked>, Opaque, std::optional<Opaque>>);
}

struct Greedy {
  int number = 0;
  Greedy() = default;
  template <class T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, Greedy>)
  Greedy(T&&) {}  // NOLINT(google-explicit-constructor)
  using IsolatesMembers = Members<&Greedy::number>;
};
struct WithGreedy {
  int number;
  Greedy greedy;
};
struct WithAnonymousUnion {
  int kind;
  union {
    int number;
    float share;
  };
};

TEST(TransferClassTest, OnlyUnionsAreTakenForUnions) {
  static_assert(Transferable<WithGreedy>);
  static_assert(!Transferable<WithAnonymousUnion>);
  EXPECT_THAT(TransferRefusal<WithAnonymousUnion>(), testing::HasSubstr("anonymous union"));
}

TEST(TransferClassTest, Checked) {
  static_assert(kCheckedTypes<std::string_view, std::span<int>, std::span<const int, 3>>);
  static_assert(kCheckedTypes<int*, const char*, void*, Node*, Declared*, int**>);
  static_assert(kCheckedTypes<std::reference_wrapper<int>, std::tuple<int&>, ViewInside>);
  static_assert(kCheckedTypes<std::shared_ptr<int>, std::weak_ptr<int>, std::shared_ptr<Node>>);
  static_assert(kCheckedTypes<std::pmr::string, std::pmr::vector<std::pmr::string>>);
  static_assert(kCheckedTypes<std::function<void()>, std::initializer_list<int>>);
  int x = 0;
  std::string text;
  const auto by_reference = [&x] { return x; };
  const auto by_value = [x](auto) mutable { return ++x; };
  const auto owning = [text] { return text.size(); };
  static_assert(kCheckedTypes<decltype(by_reference), decltype(by_value), const decltype(owning)>);
}

TEST(TransferClassTest, Rejected) {
  static_assert(kRejectedTypes<std::mutex, std::recursive_mutex, std::shared_mutex>);
  static_assert(kRejectedTypes<std::condition_variable, std::unique_lock<std::mutex>>);
  static_assert(kRejectedTypes<std::thread, std::jthread, std::stop_token, std::future<int>>);
  static_assert(kRejectedTypes<std::promise<int>, std::packaged_task<int()>, std::any>);
  static_assert(kRejectedTypes<std::ifstream, std::ostringstream, std::ostream, std::FILE*>);
  static_assert(kRejectedTypes<std::atomic<int>, std::atomic_flag, std::exception_ptr>);
  static_assert(kRejectedTypes<std::coroutine_handle<>, std::regex, std::random_device>);
  static_assert(kRejectedTypes<std::vector<int>::iterator, std::map<int, int>::iterator>);
  static_assert(kRejectedTypes<std::unique_ptr<Polymorphic>, std::shared_ptr<Polymorphic>>);
  static_assert(kRejectedTypes<std::shared_ptr<FromThis>, std::shared_ptr<void>>);
  static_assert(kRejectedTypes<std::unique_ptr<int, void (*)(int*)>, std::mutex*>);
  static_assert(kRejectedTypes<std::unique_ptr<std::string_view[]>, std::unique_ptr<Declared>>);
  static_assert(kRejectedTypes<Derived, EndingBase, UnsendableBase, LongArray, Either, void,
                               Polymorphic, Declared>);
  static_assert(kRejectedTypes<ConstReference, Reference, AssignableReference, TextAndBits>);
  static_assert(kRejectedTypes<std::unique_ptr<OddlyDeleted>>);
  static_assert(kRejectedTypes<std::map<int, int, StatefulLess>>);
  static_assert(kRejectedTypes<std::vector<int, OddAllocator<int>>>);
  static_assert(kRejectedTypes<std::variant<int, std::tuple<std::vector<std::thread>>>>);
  static_assert(!Transferable<std::mutex> && Transferable<std::string_view>);
}

TEST(TransferClassTest, MembersHaveNames) {
  const internal::TypeFacts& facts = internal::FactsOf<Arrays>();
  ASSERT_EQ(facts.part_count, 5U);
  EXPECT_EQ(facts.parts[0].label, ".a");
  EXPECT_EQ(facts.parts[1].label, ".text");
  EXPECT_EQ(facts.parts[3].label, ".matrix");
  const internal::TypeFacts& bits = internal::FactsOf<Bits>();
  ASSERT_EQ(bits.part_count, 3U);
  EXPECT_THAT(std::string(bits.parts[0].label), testing::AnyOf(".a", ".field 0"));
  EXPECT_EQ(bits.parts[2].label, ".field 2");  // a bit field has no address
  const internal::TypeFacts& derived = internal::FactsOf<EmptyBases>();
  static_assert(kCheckedTypes<EmptyBases> && kRegionDroppable<EmptyBases>);
  static_assert(kPlainTypes<OnlyBases>);
  ASSERT_EQ(derived.part_count, 3U);
  EXPECT_EQ(derived.parts[0].label, ".text");
  EXPECT_EQ(derived.parts[2].label, ".view");
  const internal::TypeFacts& listed = internal::FactsOf<NoDefault>();
  EXPECT_EQ(listed.parts[1].label, ".text_");
}

TEST(TransferClassTest, WideAggregatesAreTakenApart) {
  static_assert(kOwnedTypes<Wide, std::vector<Wide>>);
  const internal::TypeFacts& facts = internal::FactsOf<Wide>();
  ASSERT_EQ(facts.part_count, 64U);
  EXPECT_EQ(facts.parts[0].label, ".a0");
  EXPECT_EQ(facts.parts[63].label, ".h7");
}

TEST(TransferClassTest, RefusalsNameThePathAndTheRemedy) {
  struct Line {
    std::string text;
    std::shared_ptr<std::mutex> lock;
  };
  struct Order {
    std::map<int, std::vector<Line>> lines;
  };
  constexpr auto kText = internal::RefusalText<Order>();
  EXPECT_THAT(std::string(kText.view()),
              testing::HasSubstr("Order.lines[].second[].lock: std::mutex is bound to its place "
                                 "and to those who wait for it; remedy: keep it out of messages"));
}

}  // namespace
}  // namespace isolates
