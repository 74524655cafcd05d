// The memory of the process: locked, and watched for what should not happen in steady state.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_MEMORY_H_
#define ISOLATES_EXAMPLES_EXCHANGE_MEMORY_H_

#include <cstdint>
#include <string>

namespace exchange {

// Keeps in memory what is there and what will be touched (mlockall with MCL_ONFAULT). "locked", or
// why not.
std::string LockMemory();

// Brings in what is mapped now: code that has not run yet, stacks that were not so deep, the free
// memory of allocators. Mappings of more than 128 MB are left as they are. Linux 5.14 or later.
void PrefaultMemory();

// Since the start of the process, of all its threads.
struct MemoryEvents {
  std::uint64_t allocations = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
};
MemoryEvents CountMemoryEvents();

// Who counts allocations. Without one, 0 are seen. Before the first isolate.
void SetAllocationCounter(std::uint64_t (*counter)());

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_MEMORY_H_
