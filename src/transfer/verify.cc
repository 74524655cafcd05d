#include <chrono>
#include <string>
#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/detail/threads.h"
#include "isolates/detail/transfer_verify.h"
#include "isolates/heap.h"

namespace isolates {
namespace {

std::string Summary(const std::vector<Violation>& violations) {
  std::string text = "message refused: " + violations.front().ToString();
  if (violations.size() > 1) {
    text += "; and " + std::to_string(violations.size() - 1) + " more";
  }
  return text;
}

}  // namespace

TransferError::TransferError(std::vector<Violation> violations)
    : Error(Summary(violations)), violations_(std::move(violations)) {}

namespace internal {
namespace {

using Clock = std::chrono::steady_clock;

// An address in the caller's own stack must be known as one. (Without a name: no isolate runs
// here.)
void KnowThisStack() noexcept {
  const char here = 0;
  if (!IsOnAnyStack(&here)) RegisterThisThread({});
}

std::vector<Violation> Word(const Walker& first, const void* value, RunWalk run,
                            const WalkOptions& options, std::string_view root_label) {
  std::vector<Violation> violations;
  Walker second(options);
  second.Record(first, root_label, &violations);
  run(value, second);
  return violations;
}

}  // namespace

std::vector<Violation> WalkAndReport(const void* value, RunWalk run, const WalkOptions& options,
                                     std::string_view root_label, VerifyReport* report) {
  const MainHeapScope scope;
  KnowThisStack();
  WalkOptions counting = options;
  counting.count_blocks = true;
  Walker first(counting);
  run(value, first);
  report->blocks = first.census().blocks;
  report->bytes = first.census().bytes;
  report->edges = first.edges();
  if (first.clean()) return {};
  return Word(first, value, run, options, root_label);
}

void ThrowTransferError(std::vector<Violation> violations) {
  throw TransferError(std::move(violations));
}

void VerifyValue(const void* value, RunWalk run, const WalkOptions& options,
                 std::string_view root_label) {
  KnowThisStack();
  Walker first(options);
  run(value, first);
  if (first.clean()) return;
  // The report and the error are ours: they do not belong into the sender's heap.
  const MainHeapScope scope;
  ThrowTransferError(Word(first, value, run, options, root_label));
}

Receipt SealValue(Heap* heap, const void* root, const SealType& type, bool heap_usable_for_drop,
                  std::string_view root_label, VerifyLevel level, CensusSum* sealed) {
  KnowThisStack();
  const bool plain_malloc = allocator() == Allocator::kMalloc;
  // A census needs a heap that is all ours and that nobody else frees in.
  const bool may_drop = !plain_malloc && heap != nullptr && heap_usable_for_drop &&
                        type.droppable && heap->is_parcel() && !heap->shared();
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
  receipt.reachable_blocks = first.census().blocks;
  receipt.reachable_bytes = first.census().bytes;
  std::size_t foreign_blocks = first.foreign_blocks();
  bool clean = first.clean();
  if (may_drop) {
    const CensusSum live = heap->Census();
    receipt.census_time = Clock::now() - walk_end;
    receipt.heap_blocks = live.blocks;
    receipt.heap_bytes = live.bytes;
    receipt.droppable = live.SameSet(first.census());
    if (receipt.droppable) *sealed = live;
  }
  if (clean && may_drop && !receipt.droppable) {
    // The sets differ: look at each owning edge.
    options.check_owners = true;
    Walker owners(options);
    type.run(root, owners);
    foreign_blocks = owners.foreign_blocks();
    if (!owners.clean()) ThrowTransferError(Word(owners, root, type.run, options, root_label));
    const std::size_t own_blocks = receipt.reachable_blocks - foreign_blocks;
    if (receipt.heap_blocks > own_blocks) receipt.stray_blocks = receipt.heap_blocks - own_blocks;
    if (receipt.heap_bytes > receipt.reachable_bytes) {
      receipt.stray_bytes = receipt.heap_bytes - receipt.reachable_bytes;
    }
  }
  if (!clean) ThrowTransferError(Word(first, root, type.run, options, root_label));
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
  return receipt;
}

void RetireAfterSeal(Heap* heap) noexcept {
  if (heap != nullptr && heap->is_parcel()) RetireHeap(heap);
}

}  // namespace internal
}  // namespace isolates
