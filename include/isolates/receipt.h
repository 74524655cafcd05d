#ifndef ISOLATES_RECEIPT_H_
#define ISOLATES_RECEIPT_H_

// What is known about a hand-over: what goes along, how it was proven to be safe, what it took.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isolates {

// Why a value can or cannot be dropped as a whole.
enum class DropReason : std::uint8_t {
  kNoParcel,  // a message without a heap of its own
  kDroppable,
  kStrays,            // the builder left blocks in the heap that the value does not own
  kForeignBlock,      // the value owns a block of another heap
  kTypeNotDroppable,  // a destructor on the way does more than free memory, or nobody said so
  kSharedHeap,        // a block left, or a mutable reference was given out
  kPooledHeap,        // built in a pooled heap (too many retired heaps, or earlier strays)
  kPlainMalloc,       // linked with plain malloc: there are no heaps
};

// In words, for logs.
std::string_view ToString(DropReason reason) noexcept;

// How it is known that everything the value owns may go with it.
enum class OwnershipProof : std::uint8_t {
  kType,    // by its type alone: no owner was asked for
  kCensus,  // what was met on owning edges is exactly what lives in its heap
  kLookup,  // the allocator was asked for the owner of each block
};

// In words, for logs.
std::string_view ToString(OwnershipProof proof) noexcept;

// What the verification of a message found, and whether its heap may be dropped as a whole.
struct Receipt {
  // What the value owns: met on owning edges from the root.
  std::size_t reachable_blocks = 0;
  std::size_t reachable_bytes = 0;  // of these
  // What is carried along: the heap of a parcel. All 0 if it was not looked at, because it is
  // pooled or shared.
  std::size_t heap_blocks = 0;     // live
  std::size_t heap_bytes = 0;      // of these
  std::size_t heap_committed = 0;  // memory that the heap's areas take up
  // Live in the heap but not reachable.
  std::size_t stray_blocks = 0;
  std::size_t stray_bytes = 0;  // of these

  bool droppable = false;  // the heap may be dropped as a whole
  DropReason reason = DropReason::kNoParcel;

  OwnershipProof proof = OwnershipProof::kType;
  std::size_t walked_edges = 0;  // pointers and views looked at
  std::size_t trusted = 0;       // parts of the value that were taken on trust

  // The value was copied out of the heap that it was built in (CarryPolicy), which was this big.
  bool copied_out = false;
  std::size_t left_bytes = 0;      // live in that heap
  std::size_t left_committed = 0;  // memory that it took up

  std::chrono::nanoseconds verify_time{0};  // of the walk over the value
  std::chrono::nanoseconds census_time{0};  // of the comparison with the heap's live blocks
  // The last hand-over of a parcel as a message or result of its own (not inside of another).
  std::uint64_t sent_ns = 0;               // on std::chrono::steady_clock; 0 if there was none
  std::chrono::nanoseconds adopt_time{0};  // from then until the receiver took it

  // One line, for logs.
  std::string ToString() const;
};

}  // namespace isolates

#endif  // ISOLATES_RECEIPT_H_
