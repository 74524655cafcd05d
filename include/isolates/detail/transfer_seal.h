#ifndef ISOLATES_DETAIL_TRANSFER_SEAL_H_
#define ISOLATES_DETAIL_TRANSFER_SEAL_H_

// From a value in a heap to a parcel.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <type_traits>
#include <utility>

#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/parcel_site.h"
#include "isolates/detail/transfer_reached.h"
#include "isolates/detail/transfer_require.h"
#include "isolates/detail/transfer_std_pointers.h"
#include "isolates/detail/transfer_verify.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/parcel.h"

namespace isolates::internal {

// What SealParcel must know of a type.
struct SealType {
  RunWalk run;
  bool droppable;
  bool views;
};

// Verifies the value at `root` and decides whether the heap can be dropped as a whole. Throws
// TransferError. On return `sealed` is the census of the heap if it can.
Receipt SealValue(Heap* heap, const void* root, const SealType& type, bool heap_usable_for_drop,
                  std::string_view root_label, VerifyLevel level, CensusSum* sealed);

// After the value is gone or out of the hands of the builder: a parcel heap that was not given to a
// parcel can only be retired.
void RetireAfterSeal(Heap* heap) noexcept;

template <class T>
CensusSum RewalkOf(const void* root) {
  WalkOptions options;
  options.check_owners = false;
  options.count_blocks = true;
  Walker walker(options);
  walker.RunRoot(*static_cast<const T*>(root));
  return walker.census();
}

template <class T>
void ForEachOwned(const void* root, void (*each)(const void*, std::size_t, void*), void* target) {
  WalkOptions options;
  options.check_owners = false;
  options.record_blocks = true;
  Walker walker(options);
  walker.RunRoot(*static_cast<const T*>(root));
  for (const BlockRange& block : walker.blocks()) each(block.start, block.bytes, target);
}

// Makes the parcel of the value at `root`, which was made by `new` in `heap`. On the builder's
// worker, after the builder has ended, with the main heap as the default. If the parcel cannot be
// dropped as a whole, a parcel heap is retired here; a pooled heap stays with the caller. If the
// value is refused, it is deleted, the heap is treated in the same way, and TransferError is
// thrown.
template <class T>
Parcel<T> SealParcel(Heap* heap, T* root, bool heap_usable_for_drop,
                     std::string_view root_label = "result",
                     VerifyLevel level = VerifyLevel::kDefault) {
  RequireTransferable<T>();
  constexpr SealType kType{&RunRootWalkOf<T>, kRegionDroppable<T> && !DeletesItself<T>,
                           kSummary<T>.views};
  CensusSum sealed;
  try {
    const Receipt receipt =
        SealValue(heap, root, kType, heap_usable_for_drop, root_label, level, &sealed);
    Parcel<T> parcel =
        ParcelAccess::Make(root, heap, receipt, sealed, kCheckedBuild ? &RewalkOf<T> : nullptr);
    if constexpr (kCheckedBuild) ParcelAccess::Control(parcel)->owned = &ForEachOwned<T>;
    if (!receipt.droppable) RetireAfterSeal(heap);
    return parcel;
  } catch (...) {
    delete root;
    RetireAfterSeal(heap);
    throw;
  }
}

// What a builder wants for its parcel.
struct ParcelPlan {
  VerifyLevel verify = VerifyLevel::kDefault;
  CarryPolicy carry = CarryPolicy::kCarry;
};

// CarryPolicy::kAuto. Time to seal without and with the copy, and the drop by the receiver; a
// vector of 80-byte strings, of which the builder made two million and kept some (-c opt, 2 cores):
//   value / committed   kept        carried           copied out
//   1/6                 250,000     22 ms, 0.54 ms    36 ms, 0.04 ms
//   1/11                125,000     20 ms, 0.46 ms    28 ms, 0.02 ms
//   1/43                 31,000     26 ms, 0.62 ms    27 ms, 0.01 ms
// Below 1/8 the copy costs less than the look that the heap needs anyway; below 1 MiB there is too
// little to save.
inline constexpr std::size_t kCopyOutCommitted = std::size_t{1} << 20;
inline constexpr std::size_t kCopyOutShare = 8;

bool WantsCopy(CarryPolicy policy, const Receipt& receipt) noexcept;

// The value of `parcel` in a second fresh heap. Returns `parcel` if there is no such heap or the
// copy fails.
template <class T>
Parcel<T> CopyOut(Parcel<T> parcel, std::uintptr_t builder) {
  const Receipt& before = parcel.receipt();
  try {
    ParcelSite site(~builder);  // what the builder leaves behind is not the copies' fault
    if (!site.fresh()) return parcel;
    T* root = nullptr;
    {
      const HeapScope scope(site.heap());
      root = new T(parcel.get());
    }
    Parcel<T> copy = SealParcel(site.GiveToSeal(), root, true);
    if (!copy.receipt().droppable) return parcel;  // no better than the original
    Receipt& receipt = ParcelAccess::Control(copy)->receipt;
    receipt.copied_out = true;
    receipt.left_bytes = before.heap_bytes;
    receipt.left_committed = before.heap_committed;
    receipt.stray_blocks = before.stray_blocks;
    receipt.stray_bytes = before.stray_bytes;
    receipt.verify_time += before.verify_time;
    receipt.census_time += before.census_time;
    return copy;
  } catch (const std::exception&) {
    return parcel;
  }
}

// The end of a parcel's making: as SealParcel, and what the plan wants.
template <class T>
Parcel<T> FinishParcel(Heap* heap, T* root, const ParcelPlan& plan, std::uintptr_t builder) {
  const bool fresh = heap != nullptr && heap->is_parcel();
  Parcel<T> parcel = SealParcel<T>(heap, root, fresh, "result", plan.verify);
  if (fresh) WorkerHeaps::NoteCensus(parcel.receipt().droppable, builder);
  if constexpr (CanBeCopiedOut<T>()) {
    if (fresh && WantsCopy(plan.carry, parcel.receipt())) {
      return CopyOut(std::move(parcel), builder);
    }
  }
  return parcel;
}

template <class Builder>
inline constexpr char kBuilderKind = 0;

// Distinguishes kinds of builders for rule H3. Functions of one signature have one type: they are
// told apart by their addresses.
template <class Builder>
std::uintptr_t BuilderKindOf(const Builder& builder) noexcept {
  if constexpr (std::is_function_v<Builder>) {
    return reinterpret_cast<std::uintptr_t>(&builder);
  } else if constexpr (std::is_pointer_v<Builder>) {
    return reinterpret_cast<std::uintptr_t>(builder);
  } else {
    return reinterpret_cast<std::uintptr_t>(&kBuilderKind<Builder>);
  }
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_SEAL_H_
