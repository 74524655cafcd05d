#ifndef ISOLATES_TESTS_FUZZ_TYPES_H_
#define ISOLATES_TESTS_FUZZ_TYPES_H_

// The classes that messages are made of, and RandomType<Seed>: a message type composed at compile
// time from all that shape_*.h describes.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "tests/fuzz/random.h"
#include "tests/fuzz/shape.h"
#include "tests/fuzz/shape_closures.h"
#include "tests/fuzz/shape_containers.h"
#include "tests/fuzz/shape_pointers.h"

namespace isolates::fuzz {

// ---- classes ----

template <class A, class B>
struct Two {
  A a;
  B b;
};
template <class A, class B, class C>
struct Three {
  A first;
  B second;
  C third;
};
template <class A, class B>
struct WithArray {
  A many[2];
  int number;
  B one;
};

// Private members, and a destructor that may do what it likes.
template <class A, class B>
class Private {
 public:
  A& a() { return a_; }
  B& b() { return b_; }

 private:
  A a_{};
  B b_{};

 public:
  using IsolatesMembers = Members<&Private::a_, &Private::b_>;
};

// Private members of which the author vouches.
template <class A, class B>
class Owning {
 public:
  A& a() { return a_; }
  B& b() { return b_; }

 private:
  A a_{};
  B b_{};

 public:
  using IsolatesMembers = OwningMembers<&Owning::a_, &Owning::b_>;
};

template <class A, class B>
class Derived : public Owning<A, int> {
 public:
  B& more() { return more_; }

 private:
  B more_{};

 public:
  using IsolatesMembers = OwningMembers<Base<Owning<A, int>>{}, &Derived::more_>;
};

// An aggregate owns by its members' declarations alone; that its destructor is its own it may have
// to prove by a move that cannot throw.
template <class T, class... P>
struct AggregateShape {
  static constexpr TransferClass kClass = HolderShape<P...>::kClass;
  static constexpr bool kCountable = HolderShape<P...>::kCountable;
  static constexpr Drop DropOf(bool) {
    const bool proven = std::is_trivially_destructible_v<T> || !std::is_copy_constructible_v<T> ||
                        std::is_nothrow_move_constructible_v<T>;
    return Worse(proven ? Drop::kYes : Drop::kEither, HolderShape<P...>::DropOf(false));
  }
};

template <class A, class B>
struct Shape<Two<A, B>> : AggregateShape<Two<A, B>, A, B> {
  static void Fill(Two<A, B>& value, Builder& builder) {
    FillIn(value.a, builder);
    FillIn(value.b, builder);
  }
  static void Go(Two<A, B>& value, Survey& survey) {
    GoMember(".a", value.a, survey);
    GoMember(".b", value.b, survey);
  }
};
template <class A, class B, class C>
struct Shape<Three<A, B, C>> : AggregateShape<Three<A, B, C>, A, B, C> {
  static void Fill(Three<A, B, C>& value, Builder& builder) {
    FillIn(value.first, builder);
    FillIn(value.second, builder);
    FillIn(value.third, builder);
  }
  static void Go(Three<A, B, C>& value, Survey& survey) {
    GoMember(".first", value.first, survey);
    GoMember(".second", value.second, survey);
    GoMember(".third", value.third, survey);
  }
};
template <class A, class B>
struct Shape<WithArray<A, B>> : AggregateShape<WithArray<A, B>, A, B> {
  static void Fill(WithArray<A, B>& value, Builder& builder) {
    FillIn(value.many, builder);
    FillIn(value.number, builder);
    FillIn(value.one, builder);
  }
  static void Go(WithArray<A, B>& value, Survey& survey) {
    GoMember(".many", value.many, survey);
    GoMember(".number", value.number, survey);
    GoMember(".one", value.one, survey);
  }
};

template <class T, class A, class B>
struct ClassShape : HolderShape<A, B> {
  static void Fill(T& value, Builder& builder) {
    FillIn(value.a(), builder);
    FillIn(value.b(), builder);
  }
  static void Go(T& value, Survey& survey) {
    GoMember(".a_", value.a(), survey);
    GoMember(".b_", value.b(), survey);
  }
};
template <class A, class B>
struct Shape<Private<A, B>> : ClassShape<Private<A, B>, A, B> {
  static constexpr Drop DropOf(bool) {
    return std::is_trivially_destructible_v<Private<A, B>> ? HolderShape<A, B>::DropOf(false)
                                                           : Drop::kNo;
  }
};
template <class A, class B>
struct Shape<Owning<A, B>> : ClassShape<Owning<A, B>, A, B> {
  static constexpr Drop DropOf(bool) { return HolderShape<A, B>::DropOf(true); }
};
template <class A, class B>
struct Shape<Derived<A, B>> : HolderShape<A, B> {
  static constexpr Drop DropOf(bool) { return HolderShape<A, B>::DropOf(true); }
  static void Fill(Derived<A, B>& value, Builder& builder) {
    Shape<Owning<A, int>>::Fill(value, builder);
    FillIn(value.more(), builder);
  }
  static void Go(Derived<A, B>& value, Survey& survey) {
    Shape<Owning<A, int>>::Go(value, survey);
    GoMember(".more_", value.more(), survey);
  }
};

// ---- random types ----

namespace random_type {

template <class... T>
struct Choice {
  template <std::size_t I>
  using At = std::tuple_element_t<I, std::tuple<std::type_identity<T>...>>;
  static constexpr std::size_t kCount = sizeof...(T);
};

using Leaves =
    Choice<int, double, bool, char, std::uint16_t, std::complex<double>, std::chrono::milliseconds,
           std::string, std::string, std::string, std::u16string, std::vector<bool>,
           std::vector<int>, std::filesystem::path, std::unique_ptr<int>, std::unique_ptr<double[]>,
           std::set<std::string>, std::unordered_set<int>, std::multiset<int>,
           std::priority_queue<int>, std::string_view, std::string_view, std::u16string_view,
           const int*, char*, const void*, std::span<const int>, std::span<double>,
           std::set<const int*>, std::optional<std::reference_wrapper<const double>>,
           std::optional<WithReference<int>>, std::shared_ptr<std::string>, std::shared_ptr<int>,
           std::weak_ptr<std::string>, std::weak_ptr<int>, std::pmr::string, std::pmr::vector<int>,
           std::pmr::vector<std::pmr::string>, std::optional<ReferenceClosure>,
           std::optional<PointerClosure>, std::optional<ThisClosure>, std::optional<TextClosure>,
           std::function<int()>>;

template <std::uint64_t Seed, int Depth>
struct Type;

template <std::uint64_t Seed, int Depth, int Part>
using Sub = typename Type<Mix(Seed * 7 + Part), Depth - 1>::type;

template <class T>
auto UniqueArrayOf() {
  // Of plain elements nobody knows how many there are.
  if constexpr (std::is_trivially_destructible_v<T>) {
    return std::type_identity<std::unique_ptr<T>>{};
  } else {
    return std::type_identity<std::unique_ptr<T[]>>{};
  }
}

template <std::uint64_t Seed, int Depth>
constexpr auto Pick() {
  constexpr std::uint64_t kPick = Mix(Seed);
  if constexpr (Depth == 0) {
    return typename Leaves::template At<kPick % Leaves::kCount>{};
  } else {
    using A = Sub<Seed, Depth, 0>;
    using B = Sub<Seed, Depth, 1>;
    using L = Sub<Seed, 1, 2>;  // a leaf
    constexpr auto kKind = kPick % 25;
    if constexpr (kKind == 0) return std::type_identity<std::vector<A>>{};
    if constexpr (kKind == 1) return std::type_identity<std::deque<A>>{};
    if constexpr (kKind == 2) return std::type_identity<std::list<A>>{};
    if constexpr (kKind == 3) return std::type_identity<std::forward_list<A>>{};
    if constexpr (kKind == 4) return std::type_identity<std::map<int, A>>{};
    if constexpr (kKind == 5) return std::type_identity<std::multimap<std::string, A>>{};
    if constexpr (kKind == 6) return std::type_identity<std::unordered_map<std::string, A>>{};
    if constexpr (kKind == 7) return std::type_identity<std::unordered_multimap<int, A>>{};
    if constexpr (kKind == 8) return std::type_identity<std::optional<A>>{};
    if constexpr (kKind == 9) return std::type_identity<std::variant<std::monostate, A, B>>{};
    if constexpr (kKind == 10) return std::type_identity<std::pair<A, L>>{};
    if constexpr (kKind == 11) return std::type_identity<std::tuple<L, A, int>>{};
    if constexpr (kKind == 12) return std::type_identity<std::unique_ptr<A>>{};
    if constexpr (kKind == 13) return decltype(UniqueArrayOf<A>()){};
    if constexpr (kKind == 14) return std::type_identity<std::array<A, 3>>{};
    if constexpr (kKind == 15) return std::type_identity<std::stack<A>>{};
    if constexpr (kKind == 16) return std::type_identity<std::queue<A, std::list<A>>>{};
    if constexpr (kKind == 17) return std::type_identity<std::shared_ptr<A>>{};
    if constexpr (kKind == 18) return std::type_identity<Two<A, B>>{};
    if constexpr (kKind == 19) return std::type_identity<Three<L, A, B>>{};
    if constexpr (kKind == 20) return std::type_identity<WithArray<A, L>>{};
    if constexpr (kKind == 21) return std::type_identity<Private<A, B>>{};
    if constexpr (kKind == 22) return std::type_identity<Owning<A, B>>{};
    if constexpr (kKind == 23) return std::type_identity<Derived<A, L>>{};
    if constexpr (kKind == 24) return std::type_identity<Two<std::vector<A>, std::vector<L>>>{};
  }
}

template <std::uint64_t Seed, int Depth>
struct Type {
  using type = typename decltype(Pick<Seed, Depth>())::type;
};

}  // namespace random_type

// The same type for the same seed, for ever: replays depend on it. An aggregate on top, so that
// views, owners and what they can lead to come together.
template <std::uint64_t Seed>
using RandomType = Three<typename random_type::Type<Mix(Seed), 2>::type,
                         typename random_type::Type<Mix(Seed + 1000), 1>::type,
                         typename random_type::Type<Mix(Seed + 2000), 3>::type>;

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_TYPES_H_
