// What sending means for the sender's heap.

#ifndef ISOLATES_DETAIL_TRANSFER_LEAVING_H_
#define ISOLATES_DETAIL_TRANSFER_LEAVING_H_

#include <string_view>

#include "isolates/detail/heap.h"
#include "isolates/transfer.h"

namespace isolates::internal {

// Blocks of the current heap are about to leave: from now on the heap is shared (H4).
inline void MarkCurrentHeapLeaving() noexcept {
  if (Heap* heap = CurrentHeap()) heap->MarkShared();
}

// The same if a value of type T can own any.
template <class T>
void MarkLeaving() noexcept {
  if constexpr (kTransferClass<T> != TransferClass::kPlain) {
    MarkCurrentHeapLeaving();
  }
}

// Traits of the library's own handles: they may be sent and hold no block of any isolate's heap,
// but their destructors do more than free memory.
struct HandleTraits {
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kDroppable = false;
  static constexpr std::string_view kFreezeProblem = "is for one user at a time";
  static constexpr std::string_view kFreezeRemedy = "send it beside what is frozen";
  template <class T>
  static void Walk(const T&, Walker&) {}
};

// Those that never change once they are made.
struct ImmutableHandleTraits : HandleTraits {
  static constexpr Constness kConstness = Constness::kDeep;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_LEAVING_H_
