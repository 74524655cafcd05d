#ifndef ISOLATES_TESTS_FUZZ_SHAPE_CONTAINERS_H_
#define ISOLATES_TESTS_FUZZ_SHAPE_CONTAINERS_H_

// Shape<T> of the standard containers.

#include <cstddef>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tests/fuzz/shape.h"

namespace isolates::fuzz {

template <class C>
concept PmrContainer = requires(const C& c) { c.get_allocator().resource(); };

template <class C>
void SetArena(void* place, std::pmr::memory_resource* resource) {
  std::destroy_at(&As<C>(place));
  C& fresh = *std::construct_at(static_cast<C*>(place), resource);
  if (resource == std::pmr::new_delete_resource()) return;
  if constexpr (requires { fresh.push_back('x'); }) {
    fresh.assign(2, typename C::value_type{});
  }
  if constexpr (requires { fresh.append("x"); }) {
    fresh.assign(40, 'p');
  }
}

// What all containers have in common: they are places, may be built by a stranger, and may stand on
// an arena.
template <class C, class... P>
struct ContainerShape {
  static constexpr bool kPmr = PmrContainer<C>;
  static constexpr TransferClass kClass = [] {
    TransferClass worst = kPmr ? TransferClass::kChecked : TransferClass::kOwned;
    ((worst = Worse(worst, Shape<P>::kClass)), ...);
    return worst;
  }();
  static constexpr bool kCountable = !kPmr && HolderShape<P...>::kCountable;
  static constexpr Drop DropOf(bool vouched) {
    return kPmr ? Drop::kNo : HolderShape<P...>::DropOf(vouched);
  }
  static constexpr PlaceOps Ops() {
    PlaceOps ops{.name = "container"};
    if constexpr (kPmr) {
      ops.name = "pmr container";
      ops.arena = &SetArena<C>;
    } else if constexpr (kCountable) {
      ops.refill = &Refill<C>;
    }
    return ops;
  }
  template <class Contents>
  static void GoContainer(C& value, Survey& survey, Contents&& contents) {
    const std::size_t place = survey.Enter(&value, &kOps);
    Wrong outer = Wrong::kCount;
    bool scoped = false;
    if constexpr (kPmr) {
      if (value.get_allocator().resource() != std::pmr::new_delete_resource()) {
        survey.Expect(Wrong::kResource);
        outer = survey.SetWrongBlocks(Wrong::kNotABlock);
        scoped = true;
      }
    }
    if (survey.IsForeign(&value)) {
      outer = survey.SetWrongBlocks(Wrong::kStranger);
      scoped = true;
    }
    contents();
    if (scoped) survey.SetWrongBlocks(outer);
    survey.Leave(place);
  }
  static const PlaceOps kOps;
};
template <class C, class... P>
constexpr PlaceOps ContainerShape<C, P...>::kOps = ContainerShape<C, P...>::Ops();

// Room for more elements than there are, now and then.
template <class C>
void ReserveSome(C& value, Builder& builder) {
  if (builder.random.OneIn(8)) value.reserve(builder.random.Below(60));
}

template <class C, class A>
struct Shape<std::basic_string<C, std::char_traits<C>, A>>
    : ContainerShape<std::basic_string<C, std::char_traits<C>, A>> {
  using String = std::basic_string<C, std::char_traits<C>, A>;
  using Base = ContainerShape<String>;
  static void Fill(String& value, Builder& builder) {
    if constexpr (Base::kPmr) SetArena<String>(&value, std::pmr::new_delete_resource());
    ReserveSome(value, builder);
    const std::size_t sizes[] = {0, 5, 15, 16, 40, builder.random.Below(100)};
    const std::size_t size = sizes[builder.random.Below(6)];
    value.assign(size, static_cast<C>('a' + builder.random.Below(26)));
    if (size > 3) value[size / 2] = static_cast<C>('A' + builder.random.Below(26));
  }
  static void Go(String& value, Survey& survey) {
    Base::GoContainer(value, survey, [&] {
      survey.PrintBytes(value.data(), value.size() * sizeof(C));
      const auto* const chars = reinterpret_cast<const std::byte*>(value.data());
      const auto* const self = reinterpret_cast<const std::byte*>(&value);
      if (chars >= self && chars < self + sizeof(value)) return;
      survey.Owns(value.data(), (value.capacity() + 1) * sizeof(C), true);
      survey.Blocks(1);
    });
  }
};

template <class T, class A>
struct Shape<std::vector<T, A>> : ContainerShape<std::vector<T, A>, T> {
  using Vector = std::vector<T, A>;
  using Base = ContainerShape<Vector, T>;
  static void Fill(Vector& value, Builder& builder) {
    if constexpr (Base::kPmr) SetArena<Vector>(&value, std::pmr::new_delete_resource());
    ReserveSome(value, builder);
    value.resize(builder.Size());
    for (T& element : value) FillIn(element, builder);
  }
  static void Go(Vector& value, Survey& survey) {
    Base::GoContainer(value, survey, [&] {
      survey.Print(value.size());
      if (value.capacity() == 0) return;
      survey.Owns(value.data(), value.capacity() * sizeof(T), true);
      survey.Blocks(1);
      GoElements(value, survey);
    });
  }
};

template <>
struct Shape<std::vector<bool>> : ContainerShape<std::vector<bool>> {
  static void Fill(std::vector<bool>& value, Builder& builder) {
    value.resize(builder.Size() * 20);
    for (std::size_t i = 0; i < value.size(); i += 3) value[i] = true;
  }
  static void Go(std::vector<bool>& value, Survey& survey) {
    GoContainer(value, survey, [&] {
      survey.Print(value.size());
      if (value.capacity() != 0) survey.Blocks(1);
    });
  }
};

// A block around each element. The library names blocks around plain elements by the container.
template <class C>
void GoNodes(C& value, Survey& survey) {
  using T = typename C::value_type;
  survey.Print(static_cast<std::uint64_t>(std::distance(value.begin(), value.end())));
  std::size_t index = 0;
  for (auto& element : value) {
    survey.Owns(&element, sizeof(element), false);
    const std::size_t old =
        kPlainShape<std::remove_const_t<T>> ? survey.Push("") : survey.PushIndex(index++);
    survey.Blocks(1);
    GoInto(element, survey);
    survey.Pop(old);
  }
}

template <class T, class A>
struct Shape<std::deque<T, A>> : ContainerShape<std::deque<T, A>, T> {
  using Deque = std::deque<T, A>;
  static void Fill(Deque& value, Builder& builder) {
    for (std::size_t n = builder.Size(); n > 0; --n) FillIn(value.emplace_back(), builder);
  }
  static void Go(Deque& value, Survey& survey) {
    ContainerShape<Deque, T>::GoContainer(value, survey, [&] {
      // Grown at its end alone: a table, and a chunk more than are full.
      constexpr std::size_t kPerChunk = sizeof(T) < 512 ? 512 / sizeof(T) : 1;
      survey.Blocks(2 + value.size() / kPerChunk);
      survey.Print(value.size());
      for (auto& element : value) survey.Owns(&element, sizeof(element), false);
      GoElements(value, survey);
    });
  }
};

template <class T, class A>
struct Shape<std::list<T, A>> : ContainerShape<std::list<T, A>, T> {
  using List = std::list<T, A>;
  static void Fill(List& value, Builder& builder) {
    for (std::size_t n = builder.Size(); n > 0; --n) FillIn(value.emplace_back(), builder);
  }
  static void Go(List& value, Survey& survey) {
    ContainerShape<List, T>::GoContainer(value, survey, [&] { GoNodes(value, survey); });
  }
};

template <class T, class A>
struct Shape<std::forward_list<T, A>> : ContainerShape<std::forward_list<T, A>, T> {
  using List = std::forward_list<T, A>;
  static void Fill(List& value, Builder& builder) {
    for (std::size_t n = builder.Size(); n > 0; --n) FillIn(value.emplace_front(), builder);
  }
  static void Go(List& value, Survey& survey) {
    ContainerShape<List, T>::GoContainer(value, survey, [&] { GoNodes(value, survey); });
  }
};

// ---- maps and sets ----

template <class C>
void FillAssociative(C& value, Builder& builder) {
  using Key = typename C::key_type;
  for (std::size_t n = builder.Size(); n > 0; --n) {
    Key key{};
    FillIn(key, builder);
    if constexpr (requires { typename C::mapped_type; }) {
      if constexpr (requires { value.try_emplace(std::move(key)); }) {
        const auto [at, added] = value.try_emplace(std::move(key));
        if (added) FillIn(at->second, builder);
      } else {
        FillIn(value.emplace(std::move(key), typename C::mapped_type{})->second, builder);
      }
    } else {
      value.insert(std::move(key));
    }
  }
}

template <class C, class... P>
struct TreeShape : ContainerShape<C, P...> {
  static void Fill(C& value, Builder& builder) { FillAssociative(value, builder); }
  static void Go(C& value, Survey& survey) {
    ContainerShape<C, P...>::GoContainer(value, survey, [&] { GoNodes(value, survey); });
  }
};
template <class C, class... P>
struct HashShape : ContainerShape<C, P...> {
  static void Fill(C& value, Builder& builder) { FillAssociative(value, builder); }
  static void Go(C& value, Survey& survey) {
    ContainerShape<C, P...>::GoContainer(value, survey, [&] {
      if (value.bucket_count() > 1) survey.Blocks(1);
      GoNodes(value, survey);
    });
  }
};

template <class K, class V>
struct Shape<std::map<K, V>> : TreeShape<std::map<K, V>, K, V> {};
template <class K, class V>
struct Shape<std::multimap<K, V>> : TreeShape<std::multimap<K, V>, K, V> {};
template <class K>
struct Shape<std::set<K>> : TreeShape<std::set<K>, K> {};
template <class K>
struct Shape<std::multiset<K>> : TreeShape<std::multiset<K>, K> {};
template <class K, class V>
struct Shape<std::unordered_map<K, V>> : HashShape<std::unordered_map<K, V>, K, V> {};
template <class K, class V>
struct Shape<std::unordered_multimap<K, V>> : HashShape<std::unordered_multimap<K, V>, K, V> {};
template <class K>
struct Shape<std::unordered_set<K>> : HashShape<std::unordered_set<K>, K> {};

// ---- adapters ----

template <class A>
struct Contents : A {
  static typename A::container_type& Of(A& adapter) { return adapter.*(&Contents::c); }
};
template <class A>
struct AdapterShape : HolderShape<typename A::container_type> {
  static void Fill(A& value, Builder& builder) { FillIn(Contents<A>::Of(value), builder); }
  static void Go(A& value, Survey& survey) { GoInto(Contents<A>::Of(value), survey); }
};
template <class T, class C>
struct Shape<std::stack<T, C>> : AdapterShape<std::stack<T, C>> {};
template <class T, class C>
struct Shape<std::queue<T, C>> : AdapterShape<std::queue<T, C>> {};
template <class T>
struct Shape<std::priority_queue<T>> : AdapterShape<std::priority_queue<T>> {
  static void Fill(std::priority_queue<T>& value, Builder& builder) {
    for (std::size_t n = builder.Size(); n > 0; --n) {
      T element{};
      FillIn(element, builder);
      value.push(std::move(element));
    }
  }
};

template <>
struct Shape<std::filesystem::path> {
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kCountable = false;
  static constexpr Drop DropOf(bool) { return Drop::kYes; }
  static void Fill(std::filesystem::path& value, Builder& builder) {
    const char* const paths[] = {"",
                                 "name",
                                 "/usr/share/dict/words",
                                 "a/b",
                                 "a name that is too long for the short string buffer",
                                 "/"};
    value = paths[builder.random.Below(6)];
  }
  static void Go(std::filesystem::path& value, Survey& survey) {
    survey.BlocksUnknown();
    survey.PrintBytes(value.native().data(), value.native().size());
  }
};

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_SHAPE_CONTAINERS_H_
