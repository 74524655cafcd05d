#ifndef ISOLATES_DETAIL_TRANSFER_MOVES_H_
#define ISOLATES_DETAIL_TRANSFER_MOVES_H_

// A hand-over moves one object. The move of some types copies parts instead (const members, a class
// with a destructor and no move of its own): then a view that led into the original still does, and
// what is shared has one more owner. So a value of such a type is looked at once more, where it has
// come to lie.

#include <string_view>
#include <type_traits>

#include "isolates/detail/transfer_facts.h"
#include "isolates/detail/transfer_verify.h"

namespace isolates::internal {

template <class T>
constexpr bool MoveMayCopy();

template <class Parts>
struct SomePartMayCopy;
template <class... P>
struct SomePartMayCopy<TypeList<P...>> {
  static constexpr bool kAnswer = (MoveMayCopy<std::remove_cv_t<P>>() || ...);
};

template <class Traits>
constexpr Moving MovingOf() {
  if constexpr (requires { Traits::kMoving; }) {
    return Traits::kMoving;
  } else {
    return Moving::kMayCopy;
  }
}

// (What has no edges, or is nothing but its bits, is right after a copy, too.)
template <class T>
constexpr bool MoveMayCopy() {
  using Traits = TransferTraits<T>;
  if constexpr (std::is_trivially_copyable_v<T> || kTransferClass<T> == TransferClass::kPlain ||
                MovingOf<Traits>() == Moving::kTakesAll) {
    return false;
  } else if constexpr (MovingOf<Traits>() == Moving::kByParts) {
    return SomePartMayCopy<typename Traits::Parts>::kAnswer;
  } else {
    return true;
  }
}

// (So is a type whose every edge is unique and owning.)
template <class T>
inline constexpr bool kLooksAgain =
    kTransferClass<T> == TransferClass::kChecked && MoveMayCopy<T>();

// For a value that VerifyForSend has accepted and that has been moved since. Throws TransferError;
// then nothing has been handed over, and the original is what the move has left of it: unchanged if
// it was a copy altogether.
template <class T>
void VerifyMoved(const T& value, std::string_view root_label, VerifyLevel level) {
  if constexpr (kLooksAgain<T>) VerifyForSend(value, root_label, level);
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_MOVES_H_
