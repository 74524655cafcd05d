#ifndef ISOLATES_DETAIL_TRANSFER_STD_CONTAINERS_H_
#define ISOLATES_DETAIL_TRANSFER_STD_CONTAINERS_H_

// Standard containers. Where a container does not tell the address of a block (the node around an
// element, a table of buckets), it is derived from the layout that libstdc++ has kept since 2015;
// the tests compare every container with the allocator's own list of live blocks. With another
// library the blocks are not known and the containers are not region-droppable.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <valarray>
#include <vector>

#include "isolates/detail/transfer_traits.h"

namespace isolates {
namespace internal {

#if defined(__GLIBCXX__) && _GLIBCXX_USE_CXX11_ABI
inline constexpr bool kKnownLayout = true;
#else
inline constexpr bool kKnownLayout = false;
#endif

// Where a container's memory comes from.
template <class A>
struct AllocatorFacts {
  static constexpr bool kPmr = IsStdType(TypeNameOf<A>(), "std::pmr::polymorphic_allocator<");
  static constexpr bool kStandard = std::is_same_v<A, std::allocator<typename A::value_type>>;
  static constexpr TransferClass kClass =
      kStandard ? TransferClass::kOwned
                : (kPmr ? TransferClass::kChecked : TransferClass::kRejected);
};

bool IsNewDeleteResource(const void* resource) noexcept;

template <class C>
void CheckAllocator(const C& container, Walker& walker) {
  if constexpr (AllocatorFacts<typename C::allocator_type>::kPmr) {
    const void* const resource = container.get_allocator().resource();
    if (!IsNewDeleteResource(resource)) walker.Refuse(Fault::kResource, resource);
  }
}

// Comparators and hashes are called by readers, and nobody sees what state they change.
template <class... F>
inline constexpr Constness kFunctorConstness =
    ((std::is_empty_v<F> || std::is_pointer_v<F>) && ...) ? Constness::kDeep : Constness::kNone;
inline constexpr std::string_view kFunctorFreezeProblem =
    "has a comparator or hash with members, which it may change when it is called";
inline constexpr std::string_view kFunctorFreezeRemedy = "use a function object without members";

template <class... F>
inline constexpr bool kPlainFunctors = ((kTransferClass<F> == TransferClass::kPlain) && ...);

template <class C, class... Functors>
struct ContainerTraits {
  using Facts = AllocatorFacts<typename C::allocator_type>;
  using Parts = TypeList<typename C::value_type>;
  static constexpr Moving kMoving = Moving::kTakesAll;
  static constexpr TransferClass kClass =
      kPlainFunctors<Functors...> ? Facts::kClass : TransferClass::kRejected;
  static constexpr bool kDroppable = kKnownLayout && Facts::kStandard &&
                                     (std::is_trivially_destructible_v<Functors> && ... && true);
  static constexpr bool kCarrier = true;
  static constexpr Constness kConstness = kFunctorConstness<Functors...>;
  static constexpr std::string_view kFreezeProblem = kFunctorFreezeProblem;
  static constexpr std::string_view kFreezeRemedy = kFunctorFreezeRemedy;
  static constexpr std::string_view kProblem =
      kPlainFunctors<Functors...> ? "has an allocator that the library does not know"
                                  : "has a comparator or hash that owns or points to something";
  static constexpr std::string_view kRemedy = kPlainFunctors<Functors...>
                                                  ? "use the standard allocator"
                                                  : "use a function object without such members";
  static constexpr std::string_view Label(std::size_t) { return "[]"; }
};

// The block that holds an element behind a node's header.
template <class T>
const void* NodeOf(const T& element, std::size_t header) noexcept {
  const std::size_t offset = (header + alignof(T) - 1) / alignof(T) * alignof(T);
  return reinterpret_cast<const std::byte*>(std::addressof(element)) - offset;
}
template <class T>
constexpr std::size_t NodeBytes(std::size_t header) noexcept {
  return (header + alignof(T) - 1) / alignof(T) * alignof(T) + sizeof(T);
}

inline constexpr std::size_t kTreeHeader = 4 * sizeof(void*);  // colour, parent, left, right
inline constexpr std::size_t kListHeader = 2 * sizeof(void*);
inline constexpr std::size_t kForwardHeader = sizeof(void*);
inline constexpr std::size_t kHashHeader = sizeof(void*);

template <std::size_t Header, class C>
void WalkNodes(const C& container, Walker& walker) {
  using T = typename C::value_type;
  CheckAllocator(container, walker);
  walker.Nodes(container, [&walker](const T& element) {
    if constexpr (kKnownLayout) {
      walker.Block(NodeOf(element, Header), NodeBytes<T>(Header));
    }
  });
}

// The table of buckets is the first word of the object, unless a functor has members of its own.
template <class C>
inline constexpr bool kBucketsFirst =
    std::is_empty_v<typename C::hasher> && !std::is_final_v<typename C::hasher> &&
    std::is_empty_v<typename C::key_equal> && !std::is_final_v<typename C::key_equal> &&
    std::is_empty_v<typename C::allocator_type>;

template <class C>
void WalkHash(const C& container, Walker& walker) {
  if constexpr (kKnownLayout && kBucketsFirst<C>) {
    const void* buckets = nullptr;
    std::memcpy(&buckets, &container, sizeof(buckets));
    // A single bucket lives in the object itself.
    if (!InsideObject(buckets, &container, sizeof(C))) {
      walker.Block(buckets, container.bucket_count() * sizeof(void*));
    }
  }
  WalkNodes<kHashHeader>(container, walker);
}

template <class C>
struct HashTraits : ContainerTraits<C, typename C::hasher, typename C::key_equal> {
  static constexpr bool kDroppable =
      ContainerTraits<C, typename C::hasher, typename C::key_equal>::kDroppable && kBucketsFirst<C>;
  static void Walk(const C& value, Walker& walker) { WalkHash(value, walker); }
};

template <class C>
struct TreeTraits : ContainerTraits<C, typename C::key_compare> {
  static void Walk(const C& value, Walker& walker) { WalkNodes<kTreeHeader>(value, walker); }
};

// Reads the protected container of an adapter.
template <class A>
struct AdapterAccess : A {
  static const typename A::container_type& Get(const A& adapter) {
    return adapter.*(&AdapterAccess::c);
  }
};

template <class A, class... Functors>
struct AdapterTraits {
  using Parts = TypeList<typename A::container_type>;
  static constexpr Moving kMoving = Moving::kByParts;
  static constexpr TransferClass kClass =
      kPlainFunctors<Functors...> ? TransferClass::kPlain : TransferClass::kRejected;
  static constexpr bool kDroppable = (std::is_trivially_destructible_v<Functors> && ... && true);
  static constexpr bool kCarrier = true;
  static constexpr Constness kConstness = kFunctorConstness<Functors...>;
  static constexpr std::string_view kFreezeProblem = kFunctorFreezeProblem;
  static constexpr std::string_view kFreezeRemedy = kFunctorFreezeRemedy;
  static constexpr std::string_view kProblem = "has a comparator that owns or points to something";
  static constexpr std::string_view kRemedy = "use a function object without such members";
  static void Walk(const A& value, Walker& walker) { walker.Visit(AdapterAccess<A>::Get(value)); }
};

}  // namespace internal

template <class C, class Traits, class A>
struct TransferTraits<std::basic_string<C, Traits, A>>
    : internal::ContainerTraits<std::basic_string<C, Traits, A>> {
  using String = std::basic_string<C, Traits, A>;
  using Parts = internal::TypeList<>;
  static void Walk(const String& value, internal::Walker& walker) {
    internal::CheckAllocator(value, walker);
    // Short strings live in the object.
    if (!internal::InsideObject(value.data(), &value, sizeof(String))) {
      walker.Block(value.data(), (value.capacity() + 1) * sizeof(C));
    }
  }
};

template <class T, class A>
struct TransferTraits<std::vector<T, A>> : internal::ContainerTraits<std::vector<T, A>> {
  static void Walk(const std::vector<T, A>& value, internal::Walker& walker) {
    internal::CheckAllocator(value, walker);
    if (value.capacity() == 0) return;
    walker.Block(value.data(), value.capacity() * sizeof(T));
    walker.Elements(value);
  }
};

template <class A>
struct TransferTraits<std::vector<bool, A>> : internal::ContainerTraits<std::vector<bool, A>> {
  static void Walk(const std::vector<bool, A>& value, internal::Walker& walker) {
    internal::CheckAllocator(value, walker);
#if defined(__GLIBCXX__)
    if (value.capacity() != 0) walker.Block(value.begin()._M_p, value.capacity() / 8);
#endif
  }
};

template <class T, class A>
struct TransferTraits<std::deque<T, A>> : internal::ContainerTraits<std::deque<T, A>> {
  static void Walk(const std::deque<T, A>& value, internal::Walker& walker) {
    internal::CheckAllocator(value, walker);
#if defined(__GLIBCXX__)
    // The table of chunks and its size come first in the object.
    struct {
      const void* table;
      std::size_t size;
    } map;
    std::memcpy(&map, &value, sizeof(map));
    walker.Block(map.table, map.size * sizeof(void*));
    constexpr std::size_t kChunk = sizeof(T) < 512 ? 512 / sizeof(T) * sizeof(T) : sizeof(T);
    const auto last = value.end()._M_node;
    for (auto chunk = value.begin()._M_node; chunk <= last; ++chunk) walker.Block(*chunk, kChunk);
#endif
    walker.Elements(value);
  }
};

template <class T>
struct TransferTraits<std::valarray<T>> {
  using Parts = internal::TypeList<T>;
  static constexpr Moving kMoving = Moving::kTakesAll;
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kDroppable = internal::kKnownLayout;
  static constexpr bool kCarrier = true;
  static constexpr Constness kConstness = Constness::kDeep;
  static constexpr std::string_view Label(std::size_t) { return "[]"; }
  static void Walk(const std::valarray<T>& value, internal::Walker& walker) {
    if (value.size() == 0) return;
    walker.Block(&value[0], value.size() * sizeof(T));
    walker.Elements(value);
  }
};

template <class T, class A>
struct TransferTraits<std::list<T, A>> : internal::ContainerTraits<std::list<T, A>> {
  static void Walk(const std::list<T, A>& value, internal::Walker& walker) {
    internal::WalkNodes<internal::kListHeader>(value, walker);
  }
};

template <class T, class A>
struct TransferTraits<std::forward_list<T, A>>
    : internal::ContainerTraits<std::forward_list<T, A>> {
  static void Walk(const std::forward_list<T, A>& value, internal::Walker& walker) {
    internal::WalkNodes<internal::kForwardHeader>(value, walker);
  }
};

template <class K, class V, class Less, class A>
struct TransferTraits<std::map<K, V, Less, A>> : internal::TreeTraits<std::map<K, V, Less, A>> {};
template <class K, class V, class Less, class A>
struct TransferTraits<std::multimap<K, V, Less, A>>
    : internal::TreeTraits<std::multimap<K, V, Less, A>> {};
template <class K, class Less, class A>
struct TransferTraits<std::set<K, Less, A>> : internal::TreeTraits<std::set<K, Less, A>> {};
template <class K, class Less, class A>
struct TransferTraits<std::multiset<K, Less, A>> : internal::TreeTraits<std::multiset<K, Less, A>> {
};

template <class K, class V, class H, class E, class A>
struct TransferTraits<std::unordered_map<K, V, H, E, A>>
    : internal::HashTraits<std::unordered_map<K, V, H, E, A>> {};
template <class K, class V, class H, class E, class A>
struct TransferTraits<std::unordered_multimap<K, V, H, E, A>>
    : internal::HashTraits<std::unordered_multimap<K, V, H, E, A>> {};
template <class K, class H, class E, class A>
struct TransferTraits<std::unordered_set<K, H, E, A>>
    : internal::HashTraits<std::unordered_set<K, H, E, A>> {};
template <class K, class H, class E, class A>
struct TransferTraits<std::unordered_multiset<K, H, E, A>>
    : internal::HashTraits<std::unordered_multiset<K, H, E, A>> {};

template <class T, class C>
struct TransferTraits<std::stack<T, C>> : internal::AdapterTraits<std::stack<T, C>> {};
template <class T, class C>
struct TransferTraits<std::queue<T, C>> : internal::AdapterTraits<std::queue<T, C>> {};
template <class T, class C, class Less>
struct TransferTraits<std::priority_queue<T, C, Less>>
    : internal::AdapterTraits<std::priority_queue<T, C, Less>, Less> {};

// std::filesystem::path: a string, and a block of components if there is more than one.
template <class T>
  requires(internal::IsStdType(internal::TypeNameOf<T>(), "std::filesystem::path"))
struct TransferTraits<T> {
  using Parts = internal::TypeList<typename T::string_type>;
  static constexpr Moving kMoving = Moving::kTakesAll;
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kDroppable = internal::kKnownLayout;
  static constexpr bool kCarrier = true;
  static constexpr Constness kConstness = Constness::kDeep;
  static void Walk(const T& value, internal::Walker& walker) {
    walker.Visit(value.native());
    if constexpr (internal::kKnownLayout) {
      // Behind the string: a word with the address of the components, whose low bits hold a tag.
      using String = typename T::string_type;
      static_assert(sizeof(T) == sizeof(String) + sizeof(void*));
      const std::byte* tagged = nullptr;
      std::memcpy(&tagged, reinterpret_cast<const std::byte*>(&value) + sizeof(String),
                  sizeof(tagged));
      const auto tag = reinterpret_cast<std::uintptr_t>(tagged) % alignof(std::uint32_t);
      if (reinterpret_cast<std::uintptr_t>(tagged) == tag) return;
      const std::byte* const components = tagged - tag;
      struct Header {
        int size;
        int capacity;
      } header;
      std::memcpy(&header, components, sizeof(header));
      // A component is a path and its position.
      constexpr std::size_t kComponent = sizeof(T) + sizeof(std::size_t);
      walker.Block(components,
                   sizeof(header) + static_cast<std::size_t>(header.capacity) * kComponent);
      if (header.size > 0) {
        for (const T& component : value) walker.Visit(component.native());
      }
    }
  }
};

}  // namespace isolates

#endif  // ISOLATES_DETAIL_TRANSFER_STD_CONTAINERS_H_
