#ifndef ISOLATES_DETAIL_TRANSFER_SPLIT_H_
#define ISOLATES_DETAIL_TRANSFER_SPLIT_H_

// Parcel::Split.

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/detail/transfer_moves.h"
#include "isolates/detail/transfer_require.h"
#include "isolates/detail/transfer_verify.h"
#include "isolates/parcel.h"

namespace isolates {

namespace internal {

// Verifies a part of a value in `heap` (nullptr: in heaps that are shared) that is about to be
// moved out of it. Throws TransferError.
Receipt VerifyPart(const Heap* heap, const void* part, RunWalk run);

}  // namespace internal

template <class T>
template <class Select>
auto Parcel<T>::Split(Select&& select) {
  using Selected = std::invoke_result_t<Select, T&>;
  using Part = std::remove_reference_t<Selected>;
  static_assert(std::is_lvalue_reference_v<Selected> && !std::is_const_v<Part>,
                "isolates: Split wants a reference to a part of the value: "
                "[](T& value) -> Part& { return value.part; }");
  static_assert(internal::ParcelTraits<T>::kTakeable && internal::ParcelTraits<Part>::kTakeable,
                "isolates: Split moves the part, which would break views into it or into the rest");
  static_assert(
      !internal::kLooksAgain<Part>,
      "isolates: Split moves the part, and the move of this type may be a copy that leaves "
      "shared objects behind");
  internal::RequireTransferable<Part>();
  internal::Heap* const heap = control_ == nullptr ? nullptr : control_->heap;
  Part& part = std::invoke(std::forward<Select>(select), Mutable());
  const Receipt receipt =
      internal::VerifyPart(heap, std::addressof(part), &internal::RunWalkOf<Part>);
  // The selection may have moved blocks of ours into the part.
  internal::HeapScope::MarkAllShared();
  const internal::MainHeapScope main_heap;
  auto root = std::make_unique<Part>(std::move(part));
  Parcel<Part> split = internal::ParcelAccess::Make(root.get(), nullptr, receipt);
  root.release();
  return split;
}

}  // namespace isolates

#endif  // ISOLATES_DETAIL_TRANSFER_SPLIT_H_
