#ifndef ISOLATES_DETAIL_TRANSFER_TRAITS_H_
#define ISOLATES_DETAIL_TRANSFER_TRAITS_H_

// TransferTraits<T>: what the library knows about a type. A specialization has
//
//   static constexpr TransferClass kClass;    // of T itself, without its parts
//   static constexpr bool kDroppable;         // ~T only frees memory of the same graph
//   using Parts = TypeList<...>;              // types reached through T (default: none)
//   static void Walk(const T&, Walker&);      // reports T's edges, visits T's parts
//   static constexpr std::string_view Label(std::size_t part);       // optional, for error paths
//   static constexpr bool kViews, kShallow, kCarrier, kVouches;      // optional, see TypeFacts
//   static constexpr Moving kMoving;          // optional; of the move of T
//   static constexpr Constness kConstness;    // optional; kDeep: may be part of what is frozen
//   static constexpr std::string_view kProblem, kRemedy;             // for kRejected
//   static constexpr std::string_view kFreezeProblem, kFreezeRemedy;  // optional, if not kDeep
//
// The easy way is to derive it from one of the bases below. This file has the bases, the opt-ins
// for classes and the rules for types without a specialization; transfer_std*.h has the standard
// library.

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>

#include "isolates/detail/transfer_facts.h"
#include "isolates/detail/transfer_known.h"
#include "isolates/detail/transfer_names.h"
#include "isolates/detail/transfer_reflect.h"
#include "isolates/detail/transfer_walker.h"

namespace isolates {

namespace internal {

template <class T>
void ScanClosure(const T& closure, Walker& walker);  // transfer_closure.h

// Bytes without pointers.
template <class T>
struct PlainTraits {
  static constexpr TransferClass kClass = TransferClass::kPlain;
  static constexpr bool kDroppable = std::is_trivially_destructible_v<T>;
  static constexpr Constness kConstness = Constness::kDeep;
  static void Walk(const T&, Walker&) {}
};

// An operator delete of its own may do more than give memory back.
template <class T>
concept DeletesItself =
    requires(void* block) { T::operator delete(block); } ||
    requires(void* block) { T::operator delete(block, std::size_t{}); } ||
    requires(void* block) { T::operator delete(block, std::align_val_t{}); } ||
    requires(void* block) { T::operator delete(block, std::size_t{}, std::align_val_t{}); } ||
    requires(T* object) { T::operator delete(object, std::destroying_delete_t{}); } ||
    requires(T* object) {
      T::operator delete(object, std::destroying_delete_t{}, std::size_t{});
    } ||
    requires(T* object) {
      T::operator delete(object, std::destroying_delete_t{}, std::align_val_t{});
    } ||
    requires(T* object) {
      T::operator delete(object, std::destroying_delete_t{}, std::size_t{}, std::align_val_t{});
    } || requires(void* block) { T::operator delete[](block, std::align_val_t{}); } ||
    requires(void* block) { T::operator delete[](block, std::size_t{}, std::align_val_t{}); } ||
    requires(void* block) { T::operator delete[](block); } ||
    requires(void* block) { T::operator delete[](block, std::size_t{}); };

inline bool InsideObject(const void* address, const void* object, std::size_t bytes) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const auto begin = reinterpret_cast<std::uintptr_t>(object);
  return at >= begin && at < begin + bytes;
}

// Never sent. The derived traits say kProblem and kRemedy.
template <class T>
struct RejectedTraits {
  static constexpr TransferClass kClass = TransferClass::kRejected;
  static constexpr bool kDroppable = false;
  template <class U>
  static void Walk(const U&, Walker&) {}
};

}  // namespace internal

// ---- opt-ins for classes ----

// Names a base class in a list of members.
template <class B>
struct Base {
  // The base class.
  using Type = B;
};

// Names a raw pointer that owns one object, made by new, in a list of members: `Owns<&C::next_>{}`.
// Null is fine. The walk refuses an object that is met a second time, so back pointers stay plain
// members: they may lead to anything that the message owns.
template <auto M>
struct Owns {};

// At the end of a class: `public: using IsolatesMembers = isolates::Members<&C::a_, &C::b_>;` (the
// alias is public and comes after the members, which may be private). Lists every member. A
// destructor of the class may do what it likes, so a parcel with such a class is dropped by
// destructors.
template <auto... M>
struct Members {
  // The author vouches for nothing.
  static constexpr bool kOwning = false;
};

// As Members, and the author vouches that
//   - the destructor of the class does nothing but free what the members own, and
//   - who holds the class by const reference neither changes nor moves what unique_ptrs, spans or
//     pointers in it lead to, nor mutable members.
// Then a parcel with it may be dropped in O(pages), and it may be frozen.
template <auto... M>
struct OwningMembers {
  // The author vouches.
  static constexpr bool kOwning = true;
};

namespace internal {

template <auto M>
struct MemberFacts;

template <class C, class V, V C::* M>
struct MemberFacts<M> {
  using Class = C;
  using Type = V;
  static constexpr bool kIsBase = false;
  static constexpr bool kOwns = false;
  static constexpr std::string_view kLabel = MemberLabel<M>::kLabel;
  template <class T>
  static void Walk(const T& object, Walker& walker) {
    walker.Member(kLabel, object.*M);
  }
};

template <class B, Base<B> M>
struct MemberFacts<M> {
  using Class = void;
  using Type = B;
  static constexpr bool kIsBase = true;
  static constexpr bool kOwns = false;
  static constexpr std::string_view kLabel{};
  template <class T>
  static void Walk(const T& object, Walker& walker) {
    walker.Member(kLabel, static_cast<const B&>(object));
  }
};

template <class C, class V, V* C::* P, Owns<P> M>
struct MemberFacts<M> {
  static_assert(!std::is_polymorphic_v<V> || std::is_final_v<V>,
                "isolates: Owns<> does not see of which derived class the object is");
  using Class = C;
  using Type = V;
  static constexpr bool kIsBase = false;
  static constexpr bool kOwns = true;
  static constexpr std::string_view kLabel = MemberLabel<P>::kLabel;
  template <class T>
  static void Walk(const T& object, Walker& walker) {
    walker.Owned<V>(kLabel, object.*P);
  }
};

template <class T, bool Owning, auto... M>
struct ListedTraits {
  using Parts = TypeList<typename MemberFacts<M>::Type...>;
  // An owning pointer is an edge even if what it leads to has none.
  static constexpr TransferClass kClass =
      (MemberFacts<M>::kOwns || ...) ? TransferClass::kOwned : TransferClass::kPlain;
  static constexpr bool kDroppable = Owning || std::is_trivially_destructible_v<T>;
  static constexpr bool kVouches = Owning;
  // Members may be mutable, and an owning raw pointer gives access to what it owns.
  static constexpr bool kShallow =
      !Owning && (!std::is_trivially_destructible_v<T> || (MemberFacts<M>::kOwns || ...));
  // Nobody can see from outside whether members are mutable.
  static constexpr Constness kConstness = Owning ? Constness::kDeep : Constness::kNone;
  static constexpr std::string_view kFreezeProblem =
      "has private or listed members, which may be mutable: nobody says that readers change "
      "nothing";
  static constexpr std::string_view kFreezeRemedy =
      "if they do not, declare `IsolatesMembers = isolates::OwningMembers<...>`";
  static constexpr std::string_view Label(std::size_t index) {
    constexpr std::string_view kLabels[] = {MemberFacts<M>::kLabel..., {}};
    return kLabels[index];
  }
  static void Walk(const T& value, Walker& walker) { (MemberFacts<M>::Walk(value, walker), ...); }
};

// T declares the list itself: a class that derives from T and adds members must declare its own.
template <class T, auto... M>
inline constexpr bool kListsOwnMembers =
    sizeof...(M) == 0
        ? std::is_empty_v<T> || (std::is_polymorphic_v<T> && sizeof(T) == sizeof(void*))
        : ((std::is_same_v<typename MemberFacts<M>::Class, T>) || ...) ||
              // A list of bases alone says no more than that T adds nothing to them.
              ((MemberFacts<M>::kIsBase && ...) &&
               sizeof(T) <= (sizeof(typename MemberFacts<M>::Type) + ... + 0));

template <class T>
struct InheritedListTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem =
      "declares no IsolatesMembers of its own: the list that it inherits names none of its members";
  static constexpr std::string_view kRemedy =
      "add `using IsolatesMembers = isolates::Members<isolates::Base<B>{}, &C::member_, ...>;`";
};

template <class T, class List>
struct OptInTraits;

template <class T, auto... M>
struct OptInTraits<T, Members<M...>>
    : std::conditional_t<kListsOwnMembers<T, M...>, ListedTraits<T, false, M...>,
                         InheritedListTraits<T>> {};
template <class T, auto... M>
struct OptInTraits<T, OwningMembers<M...>>
    : std::conditional_t<kListsOwnMembers<T, M...>, ListedTraits<T, true, M...>,
                         InheritedListTraits<T>> {};

}  // namespace internal

// Outside of a class, for types that cannot be changed:
//   template <> struct isolates::TransferTraits<C>
//       : isolates::MembersTraits<C, isolates::Members<&C::a, &C::b>> {};
template <class T, class List>
struct MembersTraits : internal::OptInTraits<T, List> {};

// Outside of a class, for types that must not be sent:
//   template <> struct isolates::TransferTraits<C> : isolates::UnsendableTraits<C> {};
template <class T>
struct UnsendableTraits : internal::RejectedTraits<T> {
  // What the compiler says is wrong.
  static constexpr std::string_view kProblem = "is marked unsendable";
  // And what to do: T::kIsolatesRemedy, if there is one.
  static constexpr std::string_view kRemedy = [] {
    if constexpr (requires { std::string_view(T::kIsolatesRemedy); }) {
      return std::string_view(T::kIsolatesRemedy);
    } else {
      return std::string_view("keep it in its isolate and send what others need to know");
    }
  }();
};

namespace internal {

// ---- types without a specialization ----

template <class T>
inline constexpr bool kIsClosure = std::is_class_v<T> && IsClosureName(TypeNameOf<T>());

template <class T>
struct ClosureTraits {
  // The captures are nobody's business but the compiler's: they are scanned (V4).
  static constexpr TransferClass kClass =
      std::is_empty_v<T> ? TransferClass::kPlain : TransferClass::kChecked;
  static constexpr Moving kMoving = Moving::kTakesAll;  // a scan says the same of a copy
  static constexpr bool kDroppable = std::is_empty_v<T>;
  static constexpr bool kShallow = !std::is_empty_v<T>;  // a call may change what it holds
  static constexpr Constness kConstness = std::is_empty_v<T> ? Constness::kDeep : Constness::kNone;
  static constexpr std::string_view kFreezeProblem = "has captures, which nobody can see";
  static constexpr std::string_view kFreezeRemedy =
      "freeze the captured values, and a function pointer beside them if need be";
  static void Walk(const T& value, Walker& walker) { ScanClosure(value, walker); }
};

template <class T>
struct AggregateTraits {
  using Fields = FieldList<T>;
  using Parts = typename Fields::Types;
  static constexpr TransferClass kClass = TransferClass::kPlain;
  static constexpr bool kDroppable = DestructorIsImplicit<T>();
  static constexpr bool kShallow = Fields::kMutableOwner;
  // A destructor of one's own takes the move away.
  static constexpr Moving kMoving =
      kDroppable && Fields::kAllMove ? Moving::kByParts : Moving::kMayCopy;
  static constexpr Constness kConstness =
      Fields::kSomeMutable ? Constness::kShallow : Constness::kDeep;
  static constexpr std::string_view kFreezeProblem = "has a mutable member";
  static constexpr std::string_view kFreezeRemedy =
      "make it a plain member, or move it out of what is frozen";
  static constexpr std::string_view Label(std::size_t index) { return Fields::Label(index); }
  static void Walk(const T& value, Walker& walker) {
    Fields::ForEach(value, [&walker](std::string_view label, const auto& member) {
      walker.Member(label, member);
    });
  }
};

template <class T>
struct OpaqueTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem =
      "has members that the library cannot see (private members, constructors or a virtual "
      "function)";
  static constexpr std::string_view kRemedy =
      "end it with `public: using IsolatesMembers = isolates::Members<&C::a_, &C::b_>;`, naming "
      "every member";
};
template <class T>
struct DerivedAggregateTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem =
      "is an aggregate with a base class that is not just an empty tag";
  static constexpr std::string_view kRemedy =
      "declare in it `using IsolatesMembers = isolates::Members<isolates::Base<B>{}, &C::a>;`";
};
template <class T>
struct HugeAggregateTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem =
      "has members that cannot be counted (long C arrays, more than 100 members)";
  static constexpr std::string_view kRemedy =
      "use std::array, or declare `using IsolatesMembers = isolates::Members<&C::a, &C::b>;`";
};
template <class T>
struct HiddenAggregateTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem =
      "has a reference or a bit field among its members, which hides their types";
  static constexpr std::string_view kRemedy =
      "hold values, or declare `using IsolatesMembers = isolates::Members<&C::a>;` without bit "
      "fields";
};
template <class T>
struct AnonymousUnionTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem =
      "has an anonymous union among its members: nobody can tell which of them is alive";
  static constexpr std::string_view kRemedy = "use std::variant";
};
template <class T>
struct UnionTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem = "is a union: nobody can tell which member is alive";
  static constexpr std::string_view kRemedy = "use std::variant";
};
template <class T>
struct VoidTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem = "is not an object type";
  static constexpr std::string_view kRemedy = "send an object";
};

template <class T>
concept Complete = requires { sizeof(T); };

template <class T>
struct IncompleteTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem = "is not defined here";
  static constexpr std::string_view kRemedy = "include its definition before it is sent";
};

template <class T>
struct KnownTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem = kKnownRejected[FindKnown(TypeNameOf<T>())].problem;
  static constexpr std::string_view kRemedy = kKnownRejected[FindKnown(TypeNameOf<T>())].remedy;
};

template <class T>
struct AggregateOrMessage {
  static constexpr auto Choose() {
    constexpr Reflection kReflection = ReflectionOf<T>();
    if constexpr (kReflection == Reflection::kBase) {
      return std::type_identity<DerivedAggregateTraits<T>>{};
    } else if constexpr (kReflection == Reflection::kTooMany) {
      return std::type_identity<HugeAggregateTraits<T>>{};
    } else if constexpr (kReflection == Reflection::kUnion) {
      return std::type_identity<AnonymousUnionTraits<T>>{};
    } else if constexpr (kReflection == Reflection::kHidden) {
      return std::type_identity<HiddenAggregateTraits<T>>{};
    } else {
      return std::type_identity<AggregateTraits<T>>{};
    }
  }
};

template <class T>
struct IteratorTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem = "is an iterator into a container";
  static constexpr std::string_view kRemedy = "send an index or a key";
};

// Library types that are known by name: no header of theirs is needed to recognize them.
template <class T>
constexpr auto ChooseNamed() {
  constexpr std::string_view kName = TypeNameOf<T>();
  if constexpr (FindKnown(kName) != kNotKnown) {
    return std::type_identity<KnownTraits<T>>{};
  } else if constexpr (IsKnownPlain(kName) && std::is_trivially_copyable_v<T>) {
    return std::type_identity<PlainTraits<T>>{};
  } else if constexpr (std::is_aggregate_v<T>) {
    return AggregateOrMessage<T>::Choose();
  } else if constexpr (requires(T& i) { *i, ++i, i++; } && std::is_copy_constructible_v<T>) {
    return std::type_identity<IteratorTraits<T>>{};
  } else {
    return std::type_identity<OpaqueTraits<T>>{};
  }
}

template <class T>
constexpr auto ChooseTraits() {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_null_pointer_v<T> ||
                std::is_member_pointer_v<T>) {
    return std::type_identity<PlainTraits<T>>{};
  } else if constexpr (std::is_union_v<T>) {
    return std::type_identity<UnionTraits<T>>{};
  } else if constexpr (!std::is_class_v<T>) {
    return std::type_identity<VoidTraits<T>>{};
  } else if constexpr (!Complete<T>) {
    return std::type_identity<IncompleteTraits<T>>{};
  } else if constexpr (requires { typename T::IsolatesUnsendable; }) {
    return std::type_identity<UnsendableTraits<T>>{};
  } else if constexpr (requires { typename T::IsolatesMembers; }) {
    return std::type_identity<OptInTraits<T, typename T::IsolatesMembers>>{};
  } else if constexpr (kIsClosure<T>) {
    return std::type_identity<ClosureTraits<T>>{};
  } else if constexpr (std::is_empty_v<T> && std::is_trivially_copyable_v<T> &&
                       !std::is_aggregate_v<T>) {
    return std::type_identity<PlainTraits<T>>{};
  } else {
    return ChooseNamed<T>();
  }
}

}  // namespace internal

template <class T>
struct TransferTraits : decltype(internal::ChooseTraits<T>())::type {};

}  // namespace isolates

#endif  // ISOLATES_DETAIL_TRANSFER_TRAITS_H_
