#include <chrono>

#include "isolates/detail/heap.h"
#include "isolates/detail/probe.h"
#include "isolates/detail/transfer_seal.h"
#include "isolates/detail/transfer_split.h"
#include "isolates/heap.h"
#include "src/transfer/passes.h"

namespace isolates::internal {
namespace {

using Clock = std::chrono::steady_clock;

void NoteWalk(const Walker& walk, Receipt* receipt) {
  receipt->reachable_blocks = walk.census().blocks;
  receipt->reachable_bytes = walk.census().bytes;
  receipt->walked_edges = walk.edges();
  receipt->trusted = walk.trusted();
}

void NoteHeap(const CensusSum& live, Receipt* receipt) {
  receipt->heap_blocks = live.blocks;
  receipt->heap_bytes = live.bytes;
  receipt->heap_committed = live.committed;
}

void NoteStrays(const Walker& walk, Receipt* receipt) {
  const std::size_t own_blocks = receipt->reachable_blocks - walk.foreign_blocks();
  if (receipt->heap_blocks > own_blocks) {
    receipt->stray_blocks = receipt->heap_blocks - own_blocks;
  }
  if (receipt->heap_bytes > walk.own_bytes()) {
    receipt->stray_bytes = receipt->heap_bytes - walk.own_bytes();
  }
}

}  // namespace

Receipt SealValue(Heap* heap, const void* root, const SealType& type, bool heap_usable_for_drop,
                  std::string_view root_label, VerifyLevel level, CensusSum* sealed) {
  KnowThisStack();
  const bool plain_malloc = allocator() == Allocator::kMalloc;
  // A look at the heap's blocks needs a heap that is all ours and that nobody else frees in.
  const bool quiet = !plain_malloc && heap != nullptr && heap_usable_for_drop &&
                     heap->is_parcel() && !heap->shared();
  const bool may_drop = quiet && type.droppable;
  Receipt receipt;
  const auto walk_start = Clock::now();
  WalkOptions options;
  options.own_heap = heap;
  // If the census finds exactly the blocks that the walk met, every owning edge is proven by it.
  options.check_owners = !may_drop;
  options.count_blocks = true;
  options.record_blocks = type.views;
  options.strict_closures = level == VerifyLevel::kAlways;
  Walker first(options);
  type.run(root, first);
  const auto walk_end = Clock::now();
  receipt.verify_time = walk_end - walk_start;
  NoteWalk(first, &receipt);
  if (!first.clean()) {
    ThrowTransferError(WordViolations(first, root, type.run, options, root_label));
  }
  std::size_t foreign_blocks = first.foreign_blocks();
  std::size_t outer_blocks = first.outer_blocks();
  if (may_drop) {
    const CensusSum live = heap->Census();
    receipt.census_time = Clock::now() - walk_end;
    NoteHeap(live, &receipt);
    receipt.droppable = live.SameSet(first.census());
    if (receipt.droppable) *sealed = live;
  } else if (quiet) {
    NoteHeap(heap->Measure(), &receipt);
  }
  receipt.proof = receipt.droppable ? OwnershipProof::kCensus : OwnershipProof::kLookup;
  const bool strays = receipt.heap_blocks > receipt.reachable_blocks - foreign_blocks;
  if (quiet && !receipt.droppable && (may_drop || strays)) {
    // The sets differ: look at each owning edge.
    options.check_owners = true;
    options.measure_own = true;
    Walker owners(options);
    type.run(root, owners);
    if (!owners.clean()) {
      ThrowTransferError(WordViolations(owners, root, type.run, options, root_label));
    }
    foreign_blocks = owners.foreign_blocks();
    outer_blocks = owners.outer_blocks();
    NoteStrays(owners, &receipt);
    receipt.verify_time = Clock::now() - walk_start - receipt.census_time;
  }
  // Blocks of the caller's heaps leave in this value, or may hide where the walk does not look: in
  // closures, in what is taken on trust (rule H4).
  if (outer_blocks != 0 || first.opaque() != 0 || first.trusted() != 0) HeapScope::MarkAllShared();
  if (receipt.droppable) {
    receipt.reason = DropReason::kDroppable;
  } else if (plain_malloc) {
    receipt.reason = DropReason::kPlainMalloc;
  } else if (!type.droppable) {
    receipt.reason = DropReason::kTypeNotDroppable;
  } else if (may_drop) {
    receipt.reason = foreign_blocks != 0 ? DropReason::kForeignBlock : DropReason::kStrays;
  } else if (heap == nullptr || !heap->is_parcel()) {
    receipt.reason = DropReason::kPooledHeap;
  } else {
    receipt.reason = DropReason::kSharedHeap;
  }
  ISOLATES_PROBE3(handover, receipt.reachable_blocks, receipt.reachable_bytes,
                  receipt.droppable ? 1 : 0);
  return receipt;
}

Receipt VerifyValueWithReceipt(const void* value, RunWalk run, const WalkOptions& options,
                               std::string_view root_label) {
  KnowThisStack();
  const MainHeapScope main_heap;
  Receipt receipt;
  const auto start = Clock::now();
  WalkOptions counting = options;
  counting.count_blocks = true;
  Walker walker(counting);
  run(value, walker);
  NoteWalk(walker, &receipt);
  receipt.verify_time = Clock::now() - start;
  receipt.proof = options.check_owners ? OwnershipProof::kLookup : OwnershipProof::kType;
  if (walker.clean()) return receipt;
  ThrowTransferError(WordViolations(walker, value, run, options, root_label));
}

Receipt VerifyPart(const Heap* heap, const void* part, RunWalk run) {
  WalkOptions options;
  options.own_heap = heap;
  Receipt receipt = VerifyValueWithReceipt(part, run, options, "part");
  receipt.reason =
      allocator() == Allocator::kMalloc ? DropReason::kPlainMalloc : DropReason::kSharedHeap;
  return receipt;
}

void RetireAfterSeal(Heap* heap) noexcept {
  if (heap != nullptr && heap->is_parcel()) RetireHeap(heap);
}

bool WantsCopy(CarryPolicy policy, const Receipt& receipt) noexcept {
  switch (policy) {
    case CarryPolicy::kCarry:
      return false;
    case CarryPolicy::kCopyOut:
      return true;
    case CarryPolicy::kAuto:
      return receipt.heap_committed >= kCopyOutCommitted &&
             receipt.reachable_bytes < receipt.heap_committed / kCopyOutShare;
  }
  return false;
}

}  // namespace isolates::internal
