#ifndef ISOLATES_SRC_HEAP_PARCEL_TRAP_H_
#define ISOLATES_SRC_HEAP_PARCEL_TRAP_H_

// Checked builds: what is remembered of a parcel's hand-overs, and the guard over its heap while it
// is on its way.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "isolates/detail/main_heap.h"
#include "isolates/parcel.h"
#include "src/heap/poison.h"
#include "src/heap/trap.h"

namespace isolates::internal {

struct ParcelTrap : MainHeapObject {
  std::string route;               // "hand-over 17, from isolate 'a' to port 'b'"
  trap::Guard* guard = nullptr;    // stands while the parcel is on its way
  std::unique_ptr<Poison> poison;  // likewise, with plain malloc under AddressSanitizer
};

// A number that is never used again.
std::uint64_t NextHandOver() noexcept;
// "hand-over 17, from isolate 'a' to port 'b'". Memory of the current heap.
std::string DescribeRoute(std::uint64_t number);
// "isolate 'a'": who runs on this thread.
std::string WhoRunsHere();

void TrapSentParcel(ParcelControl* parcel) noexcept;
void TrapAdoptedParcel(ParcelControl* parcel) noexcept;
// Drops the parcel's heap; what touches it from now on is told who dropped it.
void TrapDroppedParcel(ParcelControl* parcel) noexcept;

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_HEAP_PARCEL_TRAP_H_
