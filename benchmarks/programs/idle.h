// Isolates that listen to a port of their own and get nothing.

#ifndef ISOLATES_BENCHMARKS_PROGRAMS_IDLE_H_
#define ISOLATES_BENCHMARKS_PROGRAMS_IDLE_H_

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <ctime>
#include <fstream>

#include "benchmarks/support/require.h"
#include "isolates/isolates.h"

namespace isolates::bench {

inline double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

inline std::atomic<int> listening{0};

inline void Idle(int) {
  ReceivePort<int> port;
  std::move(port).Listen([](int) {});
  listening.fetch_add(1);
}

// Resident bytes of each of so many. They stay. The first ones of a process pay for what all share.
inline double BytesOfEach(int count, bool light) {
  listening = 0;
  const std::uint64_t live = runtime_info().isolates_live;
  const double before = ResidentBytes();
  for (int i = 0; i < count; ++i) Isolate::Spawn(Idle, 0, SpawnOptions().Light(light)).Get();
  const timespec pause{0, 1'000'000};
  while (listening.load() < count) nanosleep(&pause, nullptr);
  const double bytes = (ResidentBytes() - before) / count;
  Require(runtime_info().isolates_live == live + static_cast<std::uint64_t>(count),
          "all of them are alive");
  return bytes;
}

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_PROGRAMS_IDLE_H_
