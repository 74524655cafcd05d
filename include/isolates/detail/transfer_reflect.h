#ifndef ISOLATES_DETAIL_TRANSFER_REFLECT_H_
#define ISOLATES_DETAIL_TRANSFER_REFLECT_H_

// Reflection of aggregates: how many members, of which types, with which names.
//
// Members are bound by Boost.PFR's table of structured bindings. Their number is found here and not
// by PFR, because an aggregate that PFR cannot take apart must become a readable message instead of
// an error inside of PFR, and because arrays among the members are common.

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/pfr.hpp>

#include "isolates/detail/transfer_facts.h"
#include "isolates/detail/transfer_names.h"

namespace isolates::internal {

// Converts to anything; never evaluated. (Defined all the same: g++ misses a definition where T is
// a local type, such as a closure inside of an optional.)
struct AnyValue {
  template <class T>
  operator T() const noexcept {  // NOLINT(google-explicit-constructor)
    __builtin_unreachable();
  }
};
template <std::size_t>
using AnyValueAt = AnyValue;

// Converts to bases of T only.
template <class T>
struct AnyBase {
  template <class B>
    requires(std::is_base_of_v<B, T> && !std::is_same_v<B, T>)
  operator B() const noexcept;  // NOLINT(google-explicit-constructor)
};
// Converts to bases of T that hold nothing, whose destructors do nothing, and which may be sent.
template <class T>
struct AnyEmptyBase {
  template <class B>
    requires(std::is_base_of_v<B, T> && !std::is_same_v<B, T> && std::is_empty_v<B> &&
             std::is_trivially_destructible_v<B> && kTransferClass<B> == TransferClass::kPlain)
  operator B() const noexcept;  // NOLINT(google-explicit-constructor)
};
template <class T, std::size_t>
using AnyBaseAt = AnyBase<T>;
template <class T, std::size_t>
using AnyEmptyBaseAt = AnyEmptyBase<T>;

template <class T, std::size_t... I>
constexpr bool InitializableBy(std::index_sequence<I...>) {
  return requires { T{AnyValueAt<I>{}...}; };
}

// The number of initializers that T takes, elements of arrays counted one by one; 0 if there is no
// such number up to the limit.
inline constexpr std::size_t kMaxInitializers = 256;

template <class T, std::size_t N = 1, bool Seen = false>
constexpr std::size_t CountInitializers() {
  // Members without a default initializer make small numbers fail, too: the first success may come
  // late, but not after more members than can be bound.
  constexpr std::size_t kLast = Seen ? kMaxInitializers : 100;
  if constexpr (N > kLast) {
    return 0;
  } else if constexpr (InitializableBy<T>(std::make_index_sequence<N>{})) {
    return CountInitializers<T, N + 1, true>();
  } else if constexpr (Seen) {
    return N - 1;
  } else {
    return CountInitializers<T, N + 1, false>();
  }
}

// T{before..., {inner...}, after...}
template <class T, std::size_t... B, std::size_t... I, std::size_t... A>
constexpr bool NestedInitializable(std::index_sequence<B...>, std::index_sequence<I...>,
                                   std::index_sequence<A...>) {
  return requires { T{AnyValueAt<B>{}..., {AnyValueAt<I>{}...}, AnyValueAt<A>{}...}; };
}

// The number of initializers that the member at position `Before` takes: its extent for an array, 1
// for everything else. A member of k > 1 elements takes braces of k, and then fewer follow; braces
// around anything else replace exactly one initializer.
template <class T, std::size_t Before, std::size_t Inner, std::size_t After>
constexpr bool kTakesBraces =
    NestedInitializable<T>(std::make_index_sequence<Before>{}, std::make_index_sequence<Inner>{},
                           std::make_index_sequence<After>{});

template <class T, std::size_t Total, std::size_t Before, std::size_t Inner = 0>
constexpr std::size_t ExtentAt() {
  constexpr std::size_t kRest = Total - Before;
  if constexpr (Inner <= kRest) {
    if constexpr (!kTakesBraces<T, Before, Inner, kRest - 1>) {
      if constexpr (Inner >= 2) {
        if constexpr (kTakesBraces<T, Before, Inner, kRest - Inner> &&
                      !kTakesBraces<T, Before, Inner + 1, kRest - Inner>) {
          return Inner;
        } else {
          return ExtentAt<T, Total, Before, Inner + 1>();
        }
      } else {
        return ExtentAt<T, Total, Before, Inner + 1>();
      }
    } else {
      return 1;
    }
  } else {
    return 1;
  }
}

template <class T, std::size_t Total, std::size_t Before = 0>
constexpr std::size_t CountFieldsFrom() {
  if constexpr (Before >= Total) {
    return 0;
  } else {
    return 1 + CountFieldsFrom<T, Total, Before + ExtentAt<T, Total, Before>()>();
  }
}

// Bases come before members in a list of initializers. (A member of the type of a base of its own
// class would be counted as one: PFR then says so.)
template <class T, std::size_t... I>
constexpr bool StartsWithBases(std::index_sequence<I...>) {
  return requires { T{AnyBaseAt<T, I>{}...}; };
}
template <class T, std::size_t... I>
constexpr bool StartsWithEmptyBases(std::index_sequence<I...>) {
  return requires { T{AnyEmptyBaseAt<T, I>{}...}; };
}
template <class T, std::size_t N = 0>
constexpr std::size_t CountBases() {
  if constexpr (StartsWithBases<T>(std::make_index_sequence<N + 1>{})) {
    return CountBases<T, N + 1>();
  } else {
    return N;
  }
}

// Converts to nothing. (A place that takes it takes everything.)
struct AnyNothing {};
// Converts to unions without a name only.
struct AnyNamelessUnion {
  template <class U>
    requires(std::is_union_v<U> &&
             (TypeNameOf<U>().find("<unnamed union>") != std::string_view::npos ||
              TypeNameOf<U>().find("(anonymous union at") != std::string_view::npos))
  operator U() const noexcept;  // NOLINT(google-explicit-constructor)
};
template <class T, std::size_t... B, std::size_t... A>
constexpr bool UnionAt(std::index_sequence<B...>, std::index_sequence<A...>) {
  return requires { T{AnyValueAt<B>{}..., AnyNamelessUnion{}, AnyValueAt<A>{}...}; } &&
         !requires { T{AnyValueAt<B>{}..., AnyNothing{}, AnyValueAt<A>{}...}; };
}
// The members of an anonymous union are those of its class, which cannot be taken apart then.
template <class T, std::size_t Total, std::size_t... I>
constexpr bool HasAnonymousUnion(std::index_sequence<I...>) {
  return (UnionAt<T>(std::make_index_sequence<I>{}, std::make_index_sequence<Total - I - 1>{}) ||
          ...);
}

enum class Reflection { kOk, kBase, kTooMany, kHidden, kUnion };

template <class T>
struct Aggregate {
  static constexpr bool kEmpty = std::is_empty_v<T>;
  static constexpr std::size_t kBases = CountBases<T>();
  // Bases that hold something hide their members.
  static constexpr bool kHasBase =
      kBases != 0 && !StartsWithEmptyBases<T>(std::make_index_sequence<kBases>{});
  static constexpr std::size_t kInitializers = [] {
    if constexpr (kEmpty || kHasBase) {
      return std::size_t{0};
    } else {
      return CountInitializers<T>();
    }
  }();
  static constexpr bool kHasUnion =
      HasAnonymousUnion<T, kInitializers>(std::make_index_sequence<kInitializers>{});
  static constexpr std::size_t kFields = CountFieldsFrom<T, kInitializers, kBases>();
  // PFR's table ends at 100.
  static constexpr Reflection kReflection = kHasBase    ? Reflection::kBase
                                            : kHasUnion ? Reflection::kUnion
                                            : !kEmpty && (kFields == 0 || kFields > 100)
                                                ? Reflection::kTooMany
                                                : Reflection::kOk;
};

// References to all members. For a const object a member's reference is const, too, unless the
// member is declared mutable.
template <class T>
constexpr auto TieFields(const T& value) noexcept {
  return boost::pfr::detail::tie_as_tuple(value,
                                          boost::pfr::detail::size_t_<Aggregate<T>::kFields>{});
}

template <class T>
using TiedFields = decltype(TieFields(std::declval<const T&>()));

template <class T, std::size_t I>
using FieldReference =
    decltype(boost::pfr::detail::sequence_tuple::get<I>(std::declval<TiedFields<T>&>()));

template <class T, std::size_t I>
using FieldType = std::remove_cv_t<std::remove_reference_t<FieldReference<T, I>>>;

// Of the member as it is declared: a const one is const in a non-const object, too.
template <class T, std::size_t I>
inline constexpr bool kFieldMoves =
    kMovesAsPart<std::remove_reference_t<decltype(boost::pfr::detail::sequence_tuple::get<I>(
        boost::pfr::detail::tie_as_tuple(std::declval<T&>(),
                                         boost::pfr::detail::size_t_<Aggregate<T>::kFields>{})))>>;

template <class T, std::size_t I>
inline constexpr bool kFieldMutable =
    !std::is_const_v<std::remove_reference_t<FieldReference<T, I>>>;

// An object that is declared and never defined: the address of its member, as a template argument,
// makes the compiler spell the member's name.
template <class T>
struct NamedObject {
  T value;
};
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
template <class T>
extern const NamedObject<T> kNamedObject;

template <class P>
struct FieldAddress {
  P pointer;
};
template <class P>
FieldAddress(P) -> FieldAddress<P>;

template <class T, std::size_t I>
constexpr auto AddressOfField() noexcept {
  return FieldAddress{
      std::addressof(boost::pfr::detail::sequence_tuple::get<I>(boost::pfr::detail::tie_as_tuple(
          kNamedObject<T>.value, boost::pfr::detail::size_t_<Aggregate<T>::kFields>{})))};
}

// Bit fields have no address.
template <class T, std::size_t I>
concept FieldHasName = requires { MemberLabel<AddressOfField<T, I>()>::kLabel; };

template <class T, std::size_t I>
constexpr std::string_view FieldLabel() {
  if constexpr (FieldHasName<T, I>) {
    return MemberLabel<AddressOfField<T, I>()>::kLabel;
  } else {
    return IndexLabel<I>::kFieldLabel;
  }
}
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

// A reference among the members looks like the object that it leads to, and must not pass for it.
// It shows in two ways: it has no constant address (nor has a bit field, and one of either hides
// the names of all), and it takes the implicit assignment away.
template <class T>
constexpr bool MayHaveReferences() {
  if constexpr (Aggregate<T>::kFields == 0) {
    return false;
  } else {
    return !FieldHasName<T, 0> && !std::is_trivially_copy_assignable_v<T>;
  }
}

template <class T>
constexpr Reflection ReflectionOf() {
  if constexpr (Aggregate<T>::kReflection != Reflection::kOk) {
    return Aggregate<T>::kReflection;
  } else {
    return MayHaveReferences<T>() ? Reflection::kHidden : Reflection::kOk;
  }
}

template <class T, class Index = std::make_index_sequence<Aggregate<T>::kFields>>
struct FieldList;

template <class T, std::size_t... I>
struct FieldList<T, std::index_sequence<I...>> {
  using Types = TypeList<FieldType<T, I>...>;
  static constexpr std::string_view Label(std::size_t index) {
    constexpr std::string_view kLabels[] = {FieldLabel<T, I>()..., {}};
    return kLabels[index];
  }
  // A mutable member that owns memory or leads somewhere lets a reader move or redirect it.
  static constexpr bool kMutableOwner =
      ((kFieldMutable<T, I> && !std::is_arithmetic_v<std::remove_all_extents_t<FieldType<T, I>>> &&
        !std::is_enum_v<std::remove_all_extents_t<FieldType<T, I>>>) ||
       ...);
  static constexpr bool kSomeMutable = (kFieldMutable<T, I> || ...);
  static constexpr bool kAllMove = (kFieldMoves<T, I> && ...);
  static constexpr bool kSomeCopyMayThrow =
      (!std::is_nothrow_copy_constructible_v<std::remove_all_extents_t<FieldType<T, I>>> || ...);
  static constexpr bool kNoDestructorThrows =
      (std::is_nothrow_destructible_v<FieldType<T, I>> && ...);

  template <class Visitor>
  static void ForEach(const T& value, Visitor&& visitor) {
    [[maybe_unused]] const auto fields = TieFields(value);
    (visitor(FieldLabel<T, I>(), boost::pfr::detail::sequence_tuple::get<I>(fields)), ...);
  }
};

// Whether T's destructor is known to do nothing but destroy its members.
//
// An aggregate cannot declare constructors (C++20), but it can declare a destructor, and that
// cannot be asked for. It leaves a trace: with a destructor of its own, T gets no implicit move
// constructor, and "moving" T copies it. So it has none if
//   - it is trivially destructible (a declared and defaulted destructor does nothing), or
//   - it can be moved but not copied: only a move constructor can do that, or
//   - its move cannot throw although copying one of its members may: a copy of T would be allowed
//   to
//     throw, so the move is a real one.
// No trace is no proof: then the answer is no, the safe one, and OwningMembers is the remedy. That
// happens to members whose own move may throw: std::deque (and stack and queue on top of it).
template <class T>
constexpr bool DestructorIsImplicit() {
  if constexpr (std::is_trivially_destructible_v<T> ||
                (std::is_move_constructible_v<T> && !std::is_copy_constructible_v<T>)) {
    return true;
  } else {
    // (A member whose destructor may throw spoils the question about its copy.)
    return std::is_nothrow_move_constructible_v<T> && FieldList<T>::kSomeCopyMayThrow &&
           FieldList<T>::kNoDestructorThrows;
  }
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_REFLECT_H_
