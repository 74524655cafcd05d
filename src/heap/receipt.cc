#include "isolates/receipt.h"

namespace isolates {
namespace {

std::string Amount(std::size_t blocks, std::size_t bytes) {
  return std::to_string(blocks) + " blocks, " + std::to_string(bytes) + " bytes";
}

}  // namespace

std::string_view ToString(DropReason reason) noexcept {
  switch (reason) {
    case DropReason::kNoParcel:
      return "it has no heap of its own";
    case DropReason::kDroppable:
      return "droppable";
    case DropReason::kStrays:
      return "the builder left blocks that the value does not own";
    case DropReason::kForeignBlock:
      return "the value owns a block of another heap";
    case DropReason::kTypeNotDroppable:
      return "a type in it is not known to do nothing but free memory";
    case DropReason::kSharedHeap:
      return "its heap is shared";
    case DropReason::kPooledHeap:
      return "it was built in a pooled heap";
    case DropReason::kPlainMalloc:
      return "plain malloc has no heaps";
  }
  return "unknown";
}

std::string_view ToString(OwnershipProof proof) noexcept {
  switch (proof) {
    case OwnershipProof::kType:
      return "by type";
    case OwnershipProof::kCensus:
      return "by census";
    case OwnershipProof::kLookup:
      return "by owner look-up";
  }
  return "unknown";
}

std::string Receipt::ToString() const {
  std::string text = "reachable " + Amount(reachable_blocks, reachable_bytes);
  if (heap_committed != 0) {
    text += "; carried " + Amount(heap_blocks, heap_bytes) + ", " + std::to_string(heap_committed) +
            " committed";
  }
  if (stray_blocks != 0) text += "; strays " + Amount(stray_blocks, stray_bytes);
  text += droppable ? "; droppable" : "; not droppable: " + std::string(isolates::ToString(reason));
  text += "; owners proven " + std::string(isolates::ToString(proof)) + ", " +
          std::to_string(walked_edges) + " edges walked, " + std::to_string(trusted) + " trusted";
  if (copied_out) {
    text += "; copied out of " + std::to_string(left_bytes) + " bytes, " +
            std::to_string(left_committed) + " committed";
  }
  text += "; verify " + std::to_string(verify_time.count()) + " ns, census " +
          std::to_string(census_time.count()) + " ns";
  if (sent_ns != 0) text += ", adopt " + std::to_string(adopt_time.count()) + " ns";
  return text;
}

}  // namespace isolates
