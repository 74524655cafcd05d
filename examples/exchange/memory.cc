#include "examples/exchange/memory.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

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

void PrefaultMemory() {
  constexpr std::uintptr_t kMost = std::uintptr_t{128} << 20;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) != 3) continue;
    if (rights[0] != 'r' || end - begin > kMost) continue;
    const int how = rights[1] == 'w' ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
    // What cannot be brought in (the kernel's own pages) is no loss.
    madvise(reinterpret_cast<void*>(begin), end - begin, how);  // NOLINT(performance-no-int-to-ptr)
  }
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
