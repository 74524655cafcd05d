// What sending means for the sender's heap.

#ifndef ISOLATES_DETAIL_TRANSFER_LEAVING_H_
#define ISOLATES_DETAIL_TRANSFER_LEAVING_H_

#include <string_view>
#include <type_traits>
#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/transfer.h"

namespace isolates::internal {

// Traits of the library's own handles: they may be sent and hold no block of any isolate's heap,
// but their destructors do more than free memory.
struct HandleTraits {
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kDroppable = false;
  static constexpr bool kHandle = true;
  static constexpr Moving kMoving = Moving::kTakesAll;  // or copies, which are as good
  static constexpr std::string_view kFreezeProblem = "is for one user at a time";
  static constexpr std::string_view kFreezeRemedy = "send it beside what is frozen";
  template <class T>
  static void Walk(const T&, Walker&) {}
};

// Those that never change once they are made.
struct ImmutableHandleTraits : HandleTraits {
  static constexpr Constness kConstness = Constness::kDeep;
};

// What is handed over for an argument: a temporary or moved object itself, of anything else a copy.
// That copy is what must be verified: what it shares with its original would stay behind.
// (A temporary that is const cannot be moved.)
template <class T>
inline constexpr bool kHandsOverACopy =
    std::is_lvalue_reference_v<T> || std::is_const_v<std::remove_reference_t<T>>;
template <class T>
using HandedOver = std::conditional_t<kHandsOverACopy<T>, std::decay_t<T>, T&&>;
template <class T>
HandedOver<T> ForHandOver(T&& argument) {
  return std::forward<T>(argument);
}

// Whether the value may own blocks of the heaps that the caller builds in.
template <class T>
bool MayOwnBlocksOfOurs(const T&) noexcept {
  return kTransferClass<T> != TransferClass::kPlain &&
         !requires { requires TransferTraits<T>::kHandle; };
}
// All that it owns was built elsewhere, unless somebody changed it since.
template <class T>
bool MayOwnBlocksOfOurs(const Parcel<T>& parcel) noexcept {
  return MayHaveChanged(parcel);
}

// Blocks of the current heap are about to leave: from now on the heap is shared (H4). So are the
// heaps further out, which belong to the same isolate.
inline void MarkCurrentHeapLeaving() noexcept { HeapScope::MarkAllShared(); }

// The same if the value can own any.
template <class T>
void MarkLeaving(const T& value) noexcept {
  if (MayOwnBlocksOfOurs(value)) MarkCurrentHeapLeaving();
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_LEAVING_H_
