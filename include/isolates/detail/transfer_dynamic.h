#ifndef ISOLATES_DETAIL_TRANSFER_DYNAMIC_H_
#define ISOLATES_DETAIL_TRANSFER_DYNAMIC_H_

// Objects whose type is known at run time only: what a unique_ptr to a base class or a std::any
// holds. The program lists what can occur; the walk finds out which it is, and refuses all others.

#include <any>
#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <typeinfo>

#include "isolates/detail/transfer_traits.h"

namespace isolates {

// The types that a unique_ptr<Base>, or a std::any, can hold in messages. One list for the program,
// before the first use:
//   template <> struct isolates::DynamicTypes<Shape> : isolates::OneOf<Circle, Square> {};
//   template <> struct isolates::DynamicTypes<std::any> : isolates::OneOf<int, std::string> {};
template <class... T>
struct OneOf {
  // The list.
  using Types = internal::TypeList<T...>;
};
// Specialize it. As it is, nothing is listed, and the compiler refuses the type.
template <class Base>
struct DynamicTypes {};

namespace internal {

template <class Base>
concept HasDynamicTypes = requires { typename DynamicTypes<Base>::Types; };

template <class T>
struct PolymorphicUniqueTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem =
      "leads to a polymorphic type: the object can be of any derived type, which nobody can see";
  static constexpr std::string_view kRemedy =
      "mark the class final, list what can occur in isolates::DynamicTypes, or use std::variant";
};
template <class T>
struct NoVirtualDestructorTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem =
      "leads to a base class without a virtual destructor, which cannot delete what it holds";
  static constexpr std::string_view kRemedy = "give the base class a virtual destructor";
};

template <class Base, class Types>
struct DynamicUniqueTraits;

template <class Base, class... D>
struct DynamicUniqueTraits<Base, TypeList<D...>> {
  static_assert((std::is_base_of_v<std::remove_cv_t<Base>, D> && ...),
                "isolates: DynamicTypes<Base> lists a type that does not derive from Base");
  using Parts = TypeList<D...>;
  static constexpr Moving kMoving = Moving::kTakesAll;
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kDroppable = (!DeletesItself<D> && ... && !DeletesItself<Base>);
  // Whoever holds the pointer by const reference may call what is not const.
  static constexpr bool kShallow = !std::is_const_v<Base>;
  static constexpr Constness kConstness = kShallow ? Constness::kShallow : Constness::kDeep;
  static constexpr bool kCarrier = true;
  static void Walk(const std::unique_ptr<Base>& value, Walker& walker) {
    if (value == nullptr) return;
    const Base& object = *value;
    const std::type_info& type = typeid(object);
    if (!((type == typeid(D) && Go<D>(object, walker)) || ...)) {
      walker.Refuse(Fault::kDynamicType, value.get(), type.name());
    }
  }

 private:
  template <class T>
  static bool Go(const Base& base, Walker& walker) {
    const T* object = nullptr;
    if constexpr (requires { static_cast<const T&>(base); }) {
      object = &static_cast<const T&>(base);
    } else {
      object = &dynamic_cast<const T&>(base);  // a virtual base
    }
    walker.Block(object, sizeof(T));
    walker.Visit(*object);
    return true;
  }
};

template <class Types>
struct AnyTraits;

template <class... D>
struct AnyTraits<TypeList<D...>> {
  using Parts = TypeList<D...>;
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kDroppable = false;  // who adds it later need not be on the list (H5c)
  static constexpr Constness kConstness = Constness::kDeep;
  static void Walk(const std::any& value, Walker& walker) {
    if (!value.has_value()) return;
    if (!((value.type() == typeid(D) && Go<D>(value, walker)) || ...)) {
      walker.Refuse(Fault::kDynamicType, &value, value.type().name());
    }
  }

 private:
  template <class T>
  static bool Go(const std::any& value, Walker& walker) {
    const T* const object = std::any_cast<T>(&value);
    // Small ones live in the std::any itself.
    if (!InsideObject(object, &value, sizeof(value))) walker.Block(object, sizeof(T));
    walker.Visit(*object);
    return true;
  }
};

struct UnlistedAnyTraits : RejectedTraits<std::any> {
  static constexpr std::string_view kProblem = "holds a type that nobody can see at compile time";
  static constexpr std::string_view kRemedy =
      "use std::variant, or list what can occur in isolates::DynamicTypes<std::any>";
};

template <class T>
constexpr auto ChooseAny() {
  if constexpr (HasDynamicTypes<T>) {
    return std::type_identity<AnyTraits<typename DynamicTypes<T>::Types>>{};
  } else {
    return std::type_identity<UnlistedAnyTraits>{};
  }
}

// A unique_ptr<T> can be judged: what it holds is listed, and it can delete it.
template <class T>
inline constexpr bool kListsDynamicTypes =
    HasDynamicTypes<std::remove_cv_t<T>> && std::has_virtual_destructor_v<T>;

template <class T>
constexpr auto ChoosePolymorphicUnique() {
  using Base = std::remove_cv_t<T>;
  if constexpr (!HasDynamicTypes<Base>) {
    return std::type_identity<PolymorphicUniqueTraits<T>>{};
  } else if constexpr (!std::has_virtual_destructor_v<Base>) {
    return std::type_identity<NoVirtualDestructorTraits<T>>{};
  } else {
    return std::type_identity<DynamicUniqueTraits<T, typename DynamicTypes<Base>::Types>>{};
  }
}

}  // namespace internal

// (Constrained, so that the program's list is looked up at the first use and not here.)
template <class T>
  requires std::is_same_v<T, std::any>
struct TransferTraits<T> : decltype(internal::ChooseAny<T>())::type {};

}  // namespace isolates

#endif  // ISOLATES_DETAIL_TRANSFER_DYNAMIC_H_
