#include "isolates/parcel.h"

#include <chrono>
#include <cstdint>
#include <new>

#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/instruments.h"
#include "isolates/detail/parcel_transit.h"
#include "src/heap/parcel_trap.h"

namespace isolates {

namespace internal {
namespace {

std::uint64_t NowNs() noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

}  // namespace

void NoteParcelSent(ParcelControl* parcel) noexcept {
  parcel->receipt.sent_ns = NowNs();
  parcel->receipt.adopt_time = {};
  if (Tracing()) TraceEvent(TraceKind::kParcelSent, MeteredIsolateHere());
  if constexpr (kCheckedBuild) {
    TrapSentParcel(parcel);
  }
}

void NoteParcelAdopted(ParcelControl* parcel) noexcept {
  parcel->receipt.adopt_time = std::chrono::nanoseconds(NowNs() - parcel->receipt.sent_ns);
  if (Tracing()) TraceEvent(TraceKind::kParcelAdopted, MeteredIsolateHere());
  if constexpr (kCheckedBuild) {
    TrapAdoptedParcel(parcel);
  }
}

ParcelControl::~ParcelControl() { delete trap; }

void ParcelControl::MarkChanged() noexcept {
  changed = true;
  if (heap != nullptr) {
    heap->MarkShared();
  }
  if (receipt.droppable) {
    receipt.droppable = false;
    receipt.reason = DropReason::kSharedHeap;
  }
}

void ParcelControl::CheckValue() const noexcept {
  if (rewalk == nullptr) {
    return;
  }
  try {
    ISOLATES_CHECK(rewalk(root).SameSet(sealed),
                   "a parcel's value changed between its seal and its drop");
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): no memory for a walk
  }
}

bool ParcelControl::DropWhole() noexcept {
  if (heap == nullptr || heap->shared()) {
    return false;
  }
  if constexpr (kCheckedBuild) {
    const CensusSum live = heap->Census();
    ISOLATES_CHECK(live.SameSet(sealed), "a parcel's blocks changed between its seal and its drop");
    CheckValue();
    TrapDroppedParcel(this);
  } else {
    DestroyParcelHeap(heap);
  }
  delete this;
  return true;
}

void ParcelControl::Release() noexcept {
  if (heap != nullptr) {
    RetireHeap(heap);
  }
  delete this;
}

}  // namespace internal
}  // namespace isolates
