// Which processors this process may use.

#ifndef ISOLATES_SRC_BASE_TOPOLOGY_H_
#define ISOLATES_SRC_BASE_TOPOLOGY_H_

#include <string>
#include <vector>

namespace isolates::internal {

struct AllowedCpus {
  // Numbers of the processors in the affinity mask that the process started with, ascending, cut to
  // the cgroup's quota. Never empty.
  std::vector<int> cpus;
  // The quota in processors, rounded up; 0 if there is none.
  int quota = 0;
};

AllowedCpus FindAllowedCpus();

// Reads a cgroup v2 "cpu.max" or the two cgroup v1 numbers; rounds up; 0 for "no limit" or
// nonsense.
int ParseCpuQuota(const std::string& cpu_max);

// Binds the calling thread to one processor. False if the system refuses, which is worth a warning
// and nothing more: the thread runs unpinned.
bool PinThisThread(int cpu) noexcept;

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_BASE_TOPOLOGY_H_
