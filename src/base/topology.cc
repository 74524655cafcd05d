#include "src/base/topology.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace isolates::internal {
namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The most restrictive quota from this process's cgroup (v2) up to the root, or the v1
// controller's.
int FindQuota() {
  int quota = 0;
  const auto consider = [&quota](int found) {
    if (found > 0) quota = quota == 0 ? found : std::min(quota, found);
  };
  std::ifstream membership("/proc/self/cgroup");
  for (std::string line; std::getline(membership, line);) {
    if (line.rfind("0::", 0) != 0) continue;
    for (std::string path = line.substr(3);;) {
      consider(ParseCpuQuota(FirstLine("/sys/fs/cgroup" + path + "/cpu.max")));
      const auto slash = path.find_last_of('/');
      if (slash == std::string::npos) break;
      path.resize(slash);
    }
  }
  const std::string v1_quota = FirstLine("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  if (!v1_quota.empty()) {
    consider(ParseCpuQuota(v1_quota + " " + FirstLine("/sys/fs/cgroup/cpu/cpu.cfs_period_us")));
  }
  return quota;
}

}  // namespace

int ParseCpuQuota(const std::string& cpu_max) {
  std::istringstream words(cpu_max);
  double quota = 0;
  double period = 0;
  if (!(words >> quota >> period) || quota <= 0 || period <= 0) return 0;
  return std::max(1, static_cast<int>((quota + period - 1) / period));
}

AllowedCpus FindAllowedCpus() {
  AllowedCpus allowed;
  // The mask's size is not known beforehand: the call fails until the buffer is large enough.
  for (int capacity = 1024; capacity <= 1 << 20; capacity *= 4) {
    cpu_set_t* set = CPU_ALLOC(capacity);
    const std::size_t bytes = CPU_ALLOC_SIZE(capacity);
    CPU_ZERO_S(bytes, set);
    const bool ok = sched_getaffinity(0, bytes, set) == 0;
    for (int cpu = 0; ok && cpu < capacity; ++cpu) {
      if (CPU_ISSET_S(cpu, bytes, set)) allowed.cpus.push_back(cpu);
    }
    CPU_FREE(set);
    if (ok) break;
  }
  if (allowed.cpus.empty()) allowed.cpus.push_back(0);
  allowed.quota = FindQuota();
  if (allowed.quota > 0 && static_cast<std::size_t>(allowed.quota) < allowed.cpus.size()) {
    allowed.cpus.resize(static_cast<std::size_t>(allowed.quota));
  }
  return allowed;
}

bool PinThisThread(int cpu) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < 0 || cpu >= CPU_SETSIZE) return false;
  CPU_SET(cpu, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0;
}

}  // namespace isolates::internal
