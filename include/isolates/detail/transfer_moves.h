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

// Of T itself (kMoveMayCopy of its traits), or of a part that it holds in place (kHoldsParts).
template <class T>
constexpr bool MoveMayCopy() {
  using Traits = TransferTraits<T>;
  if constexpr (requires { requires Traits::kMoveMayCopy; }) {
    return true;
  } else if constexpr (requires { requires Traits::kHoldsParts; }) {
    return SomePartMayCopy<typename Traits::Parts>::kAnswer;
  } else {
    return false;
  }
}

// Types whose every edge is unique and owning are right after a copy, too.
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
