// How many blocks the process has allocated: by `new`, by malloc called from the program's own
// objects, and by the library for itself. Only in programs that link
// //benchmarks/support:allocations, whose allocations are a few instructions dearer.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_ALLOCATIONS_H_
#define ISOLATES_BENCHMARKS_SUPPORT_ALLOCATIONS_H_

#include <cstdint>

namespace isolates::bench {

// Of all threads, from the start of the process. Exact if nobody allocates meanwhile.
std::uint64_t Allocations();
// Of the calling thread, as long as the process has not had more than 64.
std::uint64_t OwnAllocations();

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_ALLOCATIONS_H_
