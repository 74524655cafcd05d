#include "isolates/detail/parcel_site.h"

#include <string>

namespace isolates::internal {

ParcelSite::ParcelSite(std::uintptr_t builder) : heaps_(WorkerHeaps::OfThisThread()) {
  const MainHeapScope main_heap;
  if (heaps_ == nullptr) heaps_ = &late_.emplace();
  heaps_->ServiceLeaves();
  heap_ = heaps_->AcquireParcelHeap(builder);
  if (fresh()) heap_->set_owner_name("a parcel in the making");
}

ParcelSite::~ParcelSite() {
  if (heap_ == nullptr) return;
  if (fresh()) {
    RetireHeap(heap_);
  } else {
    heaps_->ReleasePooled(heap_);
  }
}

}  // namespace isolates::internal
