// What sending means for the sender's heap.

#ifndef ISOLATES_DETAIL_PORT_MESSAGE_H_
#define ISOLATES_DETAIL_PORT_MESSAGE_H_

#include "isolates/detail/heap.h"
#include "isolates/transfer.h"

namespace isolates::internal {

// Blocks of the current heap are about to leave in a value of type T: from now on the heap is
// shared (H4).
template <class T>
void MarkLeaving() noexcept {
  if constexpr (kTransferClass<T> != TransferClass::kPlain) {
    if (Heap* heap = CurrentHeap()) heap->MarkShared();
  }
}

// Traits of the library's own handles: they may be sent and hold no block of any isolate's heap,
// but their destructors do more than free memory.
struct HandleTraits {
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kDroppable = false;
  template <class T>
  static void Walk(const T&, Walker&) {}
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PORT_MESSAGE_H_
