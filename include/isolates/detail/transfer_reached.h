#ifndef ISOLATES_DETAIL_TRANSFER_REACHED_H_
#define ISOLATES_DETAIL_TRANSFER_REACHED_H_

// What moving or copying a value means for all that can be reached from it: answers that need the
// types themselves and not only their TypeFacts.

#include <type_traits>

#include "isolates/detail/transfer_facts.h"
#include "isolates/detail/transfer_traits.h"
#include "isolates/parcel.h"

namespace isolates::internal {

template <class T>
inline constexpr bool kIsParcel = false;
template <class T>
inline constexpr bool kIsParcel<Parcel<T>> = true;

template <class T>
struct TypesBelow : TraitParts<TransferTraits<T>> {};
// A parcel moves, but nothing in it does.
template <class T>
  requires kIsParcel<T>
struct TypesBelow<T> {
  using Type = TypeList<>;
};

// Adds the types of `More`, and what can be reached from them, to `Seen`.
template <class Seen, class More>
struct Reached {
  using Type = Seen;
};
template <class... S, class First, class... Rest>
struct Reached<TypeList<S...>, TypeList<First, Rest...>> {
  static constexpr auto Next() {
    using T = std::remove_cv_t<std::remove_all_extents_t<First>>;
    if constexpr ((std::is_same_v<S, T> || ...)) {
      return std::type_identity<TypeList<S...>>{};
    } else {
      using Below = typename TypesBelow<T>::Type;
      return std::type_identity<typename Reached<TypeList<S..., T>, Below>::Type>{};
    }
  }
  using Type = typename Reached<typename decltype(Next())::type, TypeList<Rest...>>::Type;
};

template <class T>
using ReachedFrom = typename Reached<TypeList<>, TypeList<T>>::Type;

template <class Types>
inline constexpr bool kAnyViews = false;
template <class... T>
inline constexpr bool kAnyViews<TypeList<T...>> = (TraitViews<TransferTraits<T>>() || ...);

template <class Types>
inline constexpr bool kAllCopyConstructible = false;
template <class... T>
inline constexpr bool kAllCopyConstructible<TypeList<T...>> =
    (std::is_copy_constructible_v<T> && ...);

// A copy in another heap is as good as the original: it owns copies of all blocks, and nothing
// leads from one to the other. (std::is_copy_constructible alone does not tell: it is true for a
// vector of unique_ptrs.)
template <class T>
consteval bool CanBeCopiedOut() {
  if constexpr (kRegionDroppable<T> && !kSummary<T>.views) {
    return kAllCopyConstructible<ReachedFrom<T>>;
  } else {
    return false;
  }
}

// Take() moves the root, which would break views into it.
template <class T>
struct ParcelTraits<T, void> {
  static constexpr bool kTakeable = !kAnyViews<ReachedFrom<T>>;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_REACHED_H_
