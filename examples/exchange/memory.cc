#include "examples/exchange/memory.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

namespace exchange {
namespace {

// Set before there are other threads.
using Counter = std::uint64_t (*)();
constinit Counter allocation_counter = nullptr;

}  // namespace

// Without MCL_ONFAULT all that allocators have reserved would be brought in at once.
std::string LockMemory() {
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) return "locked";
  const std::string why = std::strerror(errno);
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  return "not locked: " + why + " (RLIMIT_MEMLOCK " + std::to_string(limit.rlim_cur) + ")";
}

MemoryEvents CountMemoryEvents() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {.allocations = allocation_counter != nullptr ? allocation_counter() : 0,
          .minor_faults = static_cast<std::uint64_t>(usage.ru_minflt),
          .major_faults = static_cast<std::uint64_t>(usage.ru_majflt)};
}

void SetAllocationCounter(std::uint64_t (*counter)()) { allocation_counter = counter; }

}  // namespace exchange
