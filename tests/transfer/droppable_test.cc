// Which types may be freed without their destructors (rule H5c). The dangerous case is an aggregate
// with a destructor of its own: it must never pass for one without.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/transfer.h"

namespace isolates {
namespace {

template <class... T>
constexpr bool kAllDroppable = (kRegionDroppable<T> && ...);
template <class... T>
constexpr bool kNoneDroppable = (!kRegionDroppable<T> && ...);

// The same members without and with a destructor, which may do anything.
template <class... M>
struct Without;
template <class... M>
struct With;
template <class A>
struct Without<A> {
  A a;
};
template <class A>
struct With<A> {
  A a;
  ~With() {}
};
template <class A, class B>
struct Without<A, B> {
  A a;
  B b;
};
template <class A, class B>
struct With<A, B> {
  A a;
  B b;
  ~With() {}
};
template <class A>
struct WithNoexcept {
  A a;
  ~WithNoexcept() noexcept {}
};
template <class A>
struct WithAssignment {
  A a;
  WithAssignment& operator=(const WithAssignment&) noexcept { return *this; }
  ~WithAssignment() {}
};
struct Defaulted {
  int a;
  ~Defaulted() = default;
};
struct VirtuallyNothing {
  std::string text;
  ~VirtuallyNothing() = default;  // no trace of being harmless: the safe way
};

// Shared descriptors: copies are cheap and cannot throw, the destructor closes something.
class Handle {
 public:
  Handle() = default;
  Handle(const Handle&) noexcept {}
  Handle& operator=(const Handle&) noexcept = default;
  ~Handle() { fd_ = -1; }

 private:
  int fd_ = 0;

 public:
  using IsolatesMembers = Members<&Handle::fd_>;
};
// Its destructor may throw, which makes the question about its copy worthless.
class Thrower {
 public:
  Thrower() = default;
  Thrower(const Thrower&) noexcept {}
  ~Thrower() noexcept(false) {}

 private:
  std::vector<int> data_;

 public:
  using IsolatesMembers = OwningMembers<&Thrower::data_>;
};

struct Tree {
  std::string name;
  std::vector<Tree> children;
};
struct Chain {
  std::string name;
  std::unique_ptr<Chain> next;
};
struct VouchedChain {
  std::string name;
  std::unique_ptr<VouchedChain> next;
  std::vector<std::unique_ptr<std::string>> texts;
  using IsolatesMembers =
      OwningMembers<&VouchedChain::name, &VouchedChain::next, &VouchedChain::texts>;
};
struct VouchesOnlyForItself {
  Chain chain;
  using IsolatesMembers = OwningMembers<&VouchesOnlyForItself::chain>;
};
struct FromAPool {
  int number;
  static void* operator new(std::size_t bytes) { return ::operator new(bytes); }
  static void operator delete(void* block) { ::operator delete(block); }
};
struct MutableText {
  mutable std::string text;
};
struct MutableCounter {
  mutable int count;
  std::string text;
};
struct HasDeque {
  std::deque<int> d;
};
struct HasDequeVouched {
  std::deque<int> d;
  using IsolatesMembers = OwningMembers<&HasDequeVouched::d>;
};

TEST(DroppableTest, DestructorsOfAggregatesAreNoticed) {
  static_assert(kAllDroppable<Without<int>, Without<std::string>, Without<std::unique_ptr<int>>>);
  static_assert(kAllDroppable<Without<std::vector<int>>, Without<std::optional<std::string>>>);
  static_assert(kAllDroppable<Without<std::variant<int, std::string>>, Without<int, std::string>>);
  static_assert(kAllDroppable<Without<std::map<int, std::string>, std::unique_ptr<int[]>>>);
  static_assert(kAllDroppable<Without<std::unordered_map<int, int>>, Without<std::string[3]>>);
  static_assert(kAllDroppable<Without<Without<std::string>, int>, Defaulted, Without<int[3]>>);

  static_assert(kNoneDroppable<With<int>, With<std::string>, With<std::unique_ptr<int>>>);
  static_assert(kNoneDroppable<With<std::vector<int>>, With<std::optional<std::string>>>);
  static_assert(kNoneDroppable<With<std::variant<int, std::string>>, With<int, std::string>>);
  static_assert(kNoneDroppable<With<std::map<int, std::string>, std::unique_ptr<int[]>>>);
  static_assert(kNoneDroppable<With<std::unordered_map<int, int>>, With<std::string[3]>>);
  static_assert(kNoneDroppable<With<int[3]>, With<std::deque<int>>, With<std::string_view>>);
  static_assert(kNoneDroppable<WithNoexcept<std::string>, WithNoexcept<int>>);
  static_assert(kNoneDroppable<WithAssignment<std::string>, WithAssignment<std::deque<int>>>);
  static_assert(kNoneDroppable<With<Without<std::string>>, Without<With<std::string>>>);
  static_assert(kNoneDroppable<std::vector<With<int>>, std::optional<With<std::string>>>);
  static_assert(kNoneDroppable<Handle, Without<Handle>, With<Handle>, Without<Handle, int>>);
  static_assert(kNoneDroppable<Without<Handle, std::string>, With<Handle, std::string>>);
  static_assert(kNoneDroppable<WithNoexcept<Thrower>, WithNoexcept<Without<Thrower>>>);
  static_assert(kNoneDroppable<VirtuallyNothing>);
}

TEST(DroppableTest, WhatIsNotProvenNeedsADeclaration) {
  // The move constructor of std::deque may throw in libstdc++: no trace to read.
  static_assert(kNoneDroppable<HasDeque>);
  static_assert(kAllDroppable<std::deque<int>, HasDequeVouched>);
}

TEST(DroppableTest, ShallowConstIsNoticed) {
  static_assert(kAllDroppable<std::unique_ptr<int>, std::unique_ptr<int[]>, int*, const char*>);
  static_assert(kAllDroppable<std::unique_ptr<const std::string>, std::span<double>>);
  static_assert(kAllDroppable<std::span<const std::string>, const std::string*, const void*>);
  static_assert(kNoneDroppable<std::unique_ptr<std::string>, std::unique_ptr<std::string[]>>);
  static_assert(kNoneDroppable<std::string*, void*, std::span<std::string>, Chain>);
  static_assert(kNoneDroppable<std::reference_wrapper<std::string>, MutableText>);
  static_assert(kAllDroppable<Tree, VouchedChain, MutableCounter, std::vector<VouchedChain>>);
  // A declaration speaks for the members of its own class only.
  static_assert(kNoneDroppable<VouchesOnlyForItself>);
}

TEST(DroppableTest, WhatDoesMoreThanFreeing) {
  static_assert(kNoneDroppable<std::shared_ptr<int>, std::weak_ptr<int>, std::function<void()>>);
  static_assert(kNoneDroppable<std::pmr::string, Parcel<int>, RemoteError, std::mutex>);
  static_assert(kNoneDroppable<std::unique_ptr<FromAPool>>);
  static_assert(kAllDroppable<FromAPool>);
}

}  // namespace
}  // namespace isolates
