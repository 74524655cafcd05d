#ifndef ISOLATES_ADAPTERS_BOOST_CONTAINER_H_
#define ISOLATES_ADAPTERS_BOOST_CONTAINER_H_

// Lets the containers of Boost.Container be sent, and be dropped as parts of a parcel.
//
//   vector, basic_string                     one block, at data()
//   small_vector                             one block, or none while the elements are in the
//   object static_vector                            no block flat_set, flat_map and the multi kinds
//   what their sequence has (any sequence that is known) list, slist, set, map, multi kinds one
//   block for each element: its node deque                                    a table and its
//   chunks stable_vector                            an index, a node for each element, nodes in
//   reserve
//
// All of them are region-droppable: the addresses of all blocks are known and compared with the
// allocator's own list by a test, and the destructors only free them. Accepted is what takes each
// block from operator new: the default allocator (new_allocator) and std::allocator. Pools and
// boost::container::pmr are refused, because several elements share a block there, or the memory
// belongs to somebody else. devector and intrusive containers are not known.
//
// Boost 1.81 leaks the text of a boost string that is erased from a vector or a flat container; the
// census finds it, and such a parcel is dropped by destructors.
//
// Only the forward declarations are included here: include the containers that you use.

#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>

#include <boost/container/container_fwd.hpp>

#include "isolates/transfer.h"

namespace isolates {
namespace adapters {

// Allocators that take each block from operator new; void is how Boost spells its default.
template <class A>
inline constexpr bool kTakesFromNew = std::is_void_v<A>;
template <class T>
inline constexpr bool kTakesFromNew<boost::container::new_allocator<T>> = true;
template <class T>
inline constexpr bool kTakesFromNew<std::allocator<T>> = true;

// `Allowed` is the verdict on the allocator, F are the function objects that are stored.
template <class Part, bool Allowed, class... F>
struct BoostTraits {
  static constexpr bool kPlainFunctors = ((kTransferClass<F> == TransferClass::kPlain) && ...);
  using Parts = TypeList<Part>;
  static constexpr Moving kMoving = Moving::kTakesAll;
  static constexpr TransferClass kClass =
      Allowed && kPlainFunctors ? TransferClass::kOwned : TransferClass::kRejected;
  static constexpr bool kDroppable = (std::is_trivially_destructible_v<F> && ...);
  static constexpr bool kCarrier = true;
  // Function objects are called by readers, and nobody sees what state they change.
  static constexpr Constness kConstness =
      ((std::is_empty_v<F> || std::is_pointer_v<F>) && ...) ? Constness::kDeep : Constness::kNone;
  static constexpr std::string_view kFreezeProblem = "has a comparator with members";
  static constexpr std::string_view kFreezeRemedy = "use a function object without members";
  static constexpr std::string_view kProblem =
      Allowed ? "has a comparator that owns or points to something"
              : "has an allocator that the library does not know";
  static constexpr std::string_view kRemedy =
      Allowed ? "use a function object without such members" : "use the default allocator";
};

template <class C, class A, class... F>
struct BoostContainerTraits : BoostTraits<typename C::value_type, kTakesFromNew<A>, F...> {
  static constexpr std::string_view Label(std::size_t) { return "[]"; }
};

template <class T>
const std::byte* BytesOf(const T* object) noexcept {
  return reinterpret_cast<const std::byte*>(object);
}

// A single block, which a small container does without.
template <class C, class A>
struct BoostArrayTraits : BoostContainerTraits<C, A> {
  static void Walk(const C& value, Walker& walker) {
    if (value.capacity() != 0 && !InsideObject(value.data(), &value, sizeof(C))) {
      walker.Block(value.data(), value.capacity() * sizeof(typename C::value_type));
    }
    walker.Elements(value);
  }
};

// A block for each element. Links come first in a node, so the iterator's link is its block; how
// far behind it the element lies is the same in all nodes of a container.
template <class C, class A, class... F>
struct BoostNodeTraits : BoostContainerTraits<C, A, F...> {
  static void Walk(const C& value, Walker& walker) {
    if (value.empty()) return;
    const auto first = value.begin();
    const auto header = static_cast<std::size_t>(BytesOf(std::addressof(*first)) -
                                                 BytesOf(first.get().pointed_node()));
    walker.Nodes(value, [&walker, header](const auto& element) {
      walker.Block(BytesOf(std::addressof(element)) - header, header + sizeof(element));
    });
  }
};

// Sorted sequences: nothing of their own but the comparator. The last argument of the container is
// an allocator or the sequence; its own traits judge either.
template <class C>
struct BoostFlatTraits : BoostTraits<typename C::sequence_type, true, typename C::key_compare> {
  static constexpr Moving kMoving = Moving::kByParts;
  static void Walk(const C& value, Walker& walker) { walker.Visit(value.sequence()); }
};

// Reads what a deque has for those who derive from it.
template <class D>
struct BoostDequeAccess : D {
  static const auto& Members(const D& deque) { return deque.*(&BoostDequeAccess::members_); }
};

}  // namespace adapters

template <class T, class A, class O>
struct TransferTraits<boost::container::vector<T, A, O>>
    : adapters::BoostArrayTraits<boost::container::vector<T, A, O>, A> {};

template <class T, std::size_t N, class A, class O>
struct TransferTraits<boost::container::small_vector<T, N, A, O>>
    : adapters::BoostArrayTraits<boost::container::small_vector<T, N, A, O>, A> {
  static constexpr Moving kMoving = Moving::kByParts;
};

template <class T, std::size_t N, class O>
struct TransferTraits<boost::container::static_vector<T, N, O>>
    : adapters::BoostArrayTraits<boost::container::static_vector<T, N, O>, void> {
  static constexpr Moving kMoving = Moving::kByParts;
  // The elements are members, so to speak: alone they decide.
  static constexpr TransferClass kClass = TransferClass::kPlain;
  static void Walk(const boost::container::static_vector<T, N, O>& value, Walker& walker) {
    walker.Elements(value);
  }
};

template <class C, class Traits, class A>
struct TransferTraits<boost::container::basic_string<C, Traits, A>>
    : adapters::BoostContainerTraits<boost::container::basic_string<C, Traits, A>, A> {
  using String = boost::container::basic_string<C, Traits, A>;
  using Parts = TypeList<>;
  static void Walk(const String& value, Walker& walker) {
    // Short strings live in the object; the terminator is not counted in the capacity.
    if (!InsideObject(value.data(), &value, sizeof(String))) {
      walker.Block(value.data(), (value.capacity() + 1) * sizeof(C));
    }
  }
};

template <class K, class Less, class S>
struct TransferTraits<boost::container::flat_set<K, Less, S>>
    : adapters::BoostFlatTraits<boost::container::flat_set<K, Less, S>> {};
template <class K, class Less, class S>
struct TransferTraits<boost::container::flat_multiset<K, Less, S>>
    : adapters::BoostFlatTraits<boost::container::flat_multiset<K, Less, S>> {};
template <class K, class V, class Less, class S>
struct TransferTraits<boost::container::flat_map<K, V, Less, S>>
    : adapters::BoostFlatTraits<boost::container::flat_map<K, V, Less, S>> {};
template <class K, class V, class Less, class S>
struct TransferTraits<boost::container::flat_multimap<K, V, Less, S>>
    : adapters::BoostFlatTraits<boost::container::flat_multimap<K, V, Less, S>> {};

template <class T, class A>
struct TransferTraits<boost::container::list<T, A>>
    : adapters::BoostNodeTraits<boost::container::list<T, A>, A> {};
template <class T, class A>
struct TransferTraits<boost::container::slist<T, A>>
    : adapters::BoostNodeTraits<boost::container::slist<T, A>, A> {};

template <class K, class Less, class A, class O>
struct TransferTraits<boost::container::set<K, Less, A, O>>
    : adapters::BoostNodeTraits<boost::container::set<K, Less, A, O>, A, Less> {};
template <class K, class Less, class A, class O>
struct TransferTraits<boost::container::multiset<K, Less, A, O>>
    : adapters::BoostNodeTraits<boost::container::multiset<K, Less, A, O>, A, Less> {};
template <class K, class V, class Less, class A, class O>
struct TransferTraits<boost::container::map<K, V, Less, A, O>>
    : adapters::BoostNodeTraits<boost::container::map<K, V, Less, A, O>, A, Less> {};
template <class K, class V, class Less, class A, class O>
struct TransferTraits<boost::container::multimap<K, V, Less, A, O>>
    : adapters::BoostNodeTraits<boost::container::multimap<K, V, Less, A, O>, A, Less> {};

template <class T, class A, class O>
struct TransferTraits<boost::container::deque<T, A, O>>
    : adapters::BoostContainerTraits<boost::container::deque<T, A, O>, A> {
  using Deque = boost::container::deque<T, A, O>;
  static void Walk(const Deque& value, Walker& walker) {
    const auto& members = adapters::BoostDequeAccess<Deque>::Members(value);
    if (members.m_map == nullptr) return;
    walker.Block(members.m_map, members.m_map_size * sizeof(members.m_map[0]));
    const auto* const last = members.m_finish.get_node();
    for (const auto* chunk = members.m_start.get_node(); chunk <= last; ++chunk) {
      walker.Block(*chunk, Deque::get_block_size() * sizeof(T));
    }
    walker.Elements(value);
  }
};

template <class T, class A>
struct TransferTraits<boost::container::stable_vector<T, A>>
    : adapters::BoostContainerTraits<boost::container::stable_vector<T, A>, A> {
  using Vector = boost::container::stable_vector<T, A>;
  static void Walk(const Vector& value, Walker& walker) {
    const auto end = value.end();
    // The index: an address for each node, for the end, and for the first and last node in reserve.
    const auto* const end_place = end.node_pointer()->up;
    if (end_place == nullptr) return;
    walker.Block(end_place - value.size(), (value.capacity() + 3) * sizeof(*end_place));
    using Node = std::remove_pointer_t<decltype(end.node_pointer())>;
    // Nodes in reserve start with the address of the next one.
    const void* node = end_place[1];
    for (std::size_t left = value.capacity() - value.size(); left != 0; --left) {
      walker.Block(node, sizeof(Node));
      std::memcpy(&node, node, sizeof(node));
    }
    auto place = value.begin();
    walker.Nodes(value, [&walker, &place](const T&) {
      walker.Block((place++).node_pointer(), sizeof(Node));
    });
  }
};

}  // namespace isolates

#endif  // ISOLATES_ADAPTERS_BOOST_CONTAINER_H_
