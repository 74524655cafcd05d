#include "isolates/detail/heap.h"

#include <algorithm>
#include <cstring>

#include "isolates/detail/check.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "src/heap/backend.h"
#include "src/heap/heap_book.h"
#include "src/heap/trap.h"

namespace isolates {

HeapCounters heap_counters() noexcept { return internal::HeapBook::Get().Counters(); }

AllocatorReport allocator_report() {
  AllocatorReport report = internal::backend::Report();
  report.heap_limit = internal::HeapBook::Get().limit();
  return report;
}

void SetHeapLimit(std::size_t heaps) noexcept {
  internal::HeapBook::Get().set_limit(std::clamp<std::size_t>(heaps, 1, kMaxHeapLimit));
}

namespace internal {

thread_local constinit const HeapScope* HeapScope::innermost_ = nullptr;

void TrimThisThread() noexcept {
  if (WorkerHeaps* const worker = WorkerHeaps::Current()) {
    worker->Collect();
  } else {
    backend::TheapCollect(nullptr);
  }
}

bool HeapScope::Uses(const Heap* heap) noexcept {
  for (const HeapScope* scope = innermost_; scope != nullptr; scope = scope->outer_) {
    if (scope->heap_ == heap) {
      return true;
    }
  }
  return false;
}

void Heap::set_owner_name(std::string_view name) noexcept {
  std::array<std::uint64_t, kNameWords> words{};
  name.copy(reinterpret_cast<char*>(words.data()), sizeof(words));
  for (std::size_t i = 0; i < kNameWords; ++i) {
    name_[i].store(words[i], std::memory_order_relaxed);  // wording only; may be read mixed
  }
}

std::string Heap::owner_name() const {
  std::array<std::uint64_t, kNameWords> words;
  for (std::size_t i = 0; i < kNameWords; ++i) {
    words[i] = name_[i].load(std::memory_order_relaxed);  // wording only; may be read mixed
  }
  const auto* const text = reinterpret_cast<const char*>(words.data());
  return std::string(text, ::strnlen(text, sizeof(words)));
}

CensusSum Heap::Census() const {
  ISOLATES_CHECK(!shared(), "census of a shared heap: others may free its blocks meanwhile");
  return backend::VisitBlocks(raw_);
}

HeapUse Heap::Use() const noexcept { return backend::UseOf(raw_); }

CensusSum Heap::Measure() const {
  ISOLATES_CHECK(!shared(), "measuring a shared heap: others may free its blocks meanwhile");
  return backend::MeasureAreas(raw_);
}

CensusSum Heap::CensusQuiescent() const {
  CensusSum sum = backend::VisitBlocks(raw_);
  // mimalloc 3.7 visits blocks that other threads have freed since the thread of the page left it;
  // the area's count is without them.
  sum.blocks = std::min(sum.blocks, backend::MeasureAreas(raw_).blocks);
  return sum;
}

Heap* HeapOf(const void* block_start) noexcept { return OwnerOf(block_start).heap; }

OwnerInfo OwnerOf(const void* block_start) noexcept {
  if constexpr (kCheckedBuild) {
    if (trap::IsGuarded(block_start)) {
      return {};  // the allocator may not be asked now
    }
  }
  bool main = false;
  backend::RawHeap* const raw = backend::RawHeapOf(block_start, &main);
  if (main) {
    return {BlockOwner::kMain, nullptr};
  }
  Heap* const heap = raw == nullptr ? nullptr : HeapBook::Get().registry().Find(raw);
  return {heap == nullptr ? BlockOwner::kUnknown : BlockOwner::kHeap, heap};
}

void RetireHeap(Heap* heap) noexcept {
  ISOLATES_CHECK(!HeapScope::Uses(heap), "a heap is retired inside its own HeapScope");
  HeapBook::Get().Retire(heap);
}

void DestroyParcelHeap(Heap* heap, std::string_view story) noexcept {
  ISOLATES_CHECK(backend::HasHeaps(), "plain malloc: no heap can be dropped as a whole");
  ISOLATES_CHECK(heap->is_parcel(), "only a parcel's heap may be dropped as a whole");
  ISOLATES_CHECK(!heap->shared(), "a shared heap may not be dropped: others hold blocks of it");
  ISOLATES_CHECK(!HeapScope::Uses(heap), "a heap is dropped inside its own HeapScope");
  HeapBook::Get().Destroy(heap, story);
}

}  // namespace internal
}  // namespace isolates
