#ifndef ISOLATES_DETAIL_PARCEL_SITE_H_
#define ISOLATES_DETAIL_PARCEL_SITE_H_

// Where one parcel is built: a heap that the calling thread has until the value in it is sealed.

#include <cstdint>
#include <optional>
#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"

namespace isolates::internal {

// Lives on the stack of the code that builds, outside of every scope of its heap.
class ParcelSite {
 public:
  // `builder`: see WorkerHeaps::AcquireParcelHeap.
  explicit ParcelSite(std::uintptr_t builder);
  // Nothing was sealed (the builder has thrown, and the exception may live in the heap): the heap
  // is shared from now on.
  ~ParcelSite();
  ParcelSite(const ParcelSite&) = delete;
  ParcelSite& operator=(const ParcelSite&) = delete;

  Heap* heap() const noexcept { return heap_; }
  bool fresh() const noexcept { return heap_->is_parcel(); }

  // The heap, for the seal, which keeps or retires a fresh one. A pooled one stays here.
  Heap* GiveToSeal() noexcept { return fresh() ? std::exchange(heap_, nullptr) : heap_; }

 private:
  std::optional<WorkerHeaps> late_;  // of a thread whose own has ended already
  WorkerHeaps* heaps_;
  Heap* heap_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PARCEL_SITE_H_
