#include "benchmarks/support/counters.h"

#include <linux/perf_event.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>
#include <string>
#include <system_error>

#include "benchmarks/support/stopwatch.h"

namespace isolates::bench {
namespace {

void SayAbsent(int error) {
  static std::once_flag said;
  std::call_once(said, [&] {
    std::fprintf(stderr, "no instruction and cycle counters on this machine: %s\n",
                 std::generic_category().message(error).c_str());
  });
}

int OpenCounter(std::uint64_t config) {
  perf_event_attr attributes;
  std::memset(&attributes, 0, sizeof(attributes));
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.config = config;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  const long descriptor =
      syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (descriptor < 0) SayAbsent(errno);
  return static_cast<int>(descriptor);
}

std::optional<std::uint64_t> ReadCounter(int descriptor) {
  std::uint64_t value = 0;
  if (descriptor < 0 || read(descriptor, &value, sizeof(value)) != sizeof(value)) {
    return std::nullopt;
  }
  return value;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

struct MachineTime {
  double busy;
  double steal;
};

// The first line of /proc/stat: user nice system idle iowait irq softirq steal ...
std::optional<MachineTime> ReadMachineTime() {
  std::ifstream file("/proc/stat");
  std::string name;
  std::array<double, 8> ticks{};
  file >> name;
  for (double& tick : ticks) file >> tick;
  if (!file || name != "cpu") return std::nullopt;
  const auto per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6];
  return MachineTime{busy / per_second, ticks[7] / per_second};
}

// se.nr_migrations of the calling thread, where the kernel tells.
std::optional<std::uint64_t> ReadMigrations() {
  std::ifstream file("/proc/thread-self/sched");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("se.nr_migrations", 0) != 0) continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos) return std::nullopt;
    return static_cast<std::uint64_t>(std::atof(line.c_str() + colon + 1));
  }
  return std::nullopt;
}

}  // namespace

ThreadCounters::ThreadCounters()
    : instructions_(OpenCounter(PERF_COUNT_HW_INSTRUCTIONS)),
      cycles_(OpenCounter(PERF_COUNT_HW_CPU_CYCLES)) {}
ThreadCounters::~ThreadCounters() {
  for (const int descriptor : {instructions_, cycles_}) {
    if (descriptor >= 0) close(descriptor);
  }
}
std::optional<std::uint64_t> ThreadCounters::instructions() const {
  return ReadCounter(instructions_);
}
std::optional<std::uint64_t> ThreadCounters::cycles() const { return ReadCounter(cycles_); }

NoiseMeter::Totals NoiseMeter::Now() {
  Totals totals;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  totals.seconds = 1e-9 * static_cast<double>(Nanoseconds());
  totals.voluntary_switches = static_cast<std::uint64_t>(usage.ru_nvcsw);
  totals.involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw);
  totals.page_faults = static_cast<std::uint64_t>(usage.ru_majflt);
  totals.own_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  totals.migrations = ReadMigrations();
  if (const auto machine = ReadMachineTime()) {
    totals.busy_seconds = machine->busy;
    totals.steal_seconds = machine->steal;
  }
  return totals;
}

NoiseMeter::NoiseMeter() : start_(Now()) {}

Noise NoiseMeter::Read() const {
  const Totals now = Now();
  Noise noise;
  noise.seconds = now.seconds - start_.seconds;
  noise.voluntary_switches = now.voluntary_switches - start_.voluntary_switches;
  noise.involuntary_switches = now.involuntary_switches - start_.involuntary_switches;
  noise.page_faults = now.page_faults - start_.page_faults;
  if (now.migrations && start_.migrations) noise.migrations = *now.migrations - *start_.migrations;
  if (now.busy_seconds && start_.busy_seconds) {
    noise.steal_seconds = *now.steal_seconds - *start_.steal_seconds;
    // The system counts whole ticks.
    noise.other_seconds = std::max(
        0.0, (*now.busy_seconds - *start_.busy_seconds) - (now.own_seconds - start_.own_seconds));
  }
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);) {
    const auto colon = line.find(':');
    if (line.rfind("cpu MHz", 0) != 0 || colon == std::string::npos) continue;
    const double mhz = std::atof(line.c_str() + colon + 1);
    noise.lowest_mhz = std::min(noise.lowest_mhz.value_or(mhz), mhz);
    noise.highest_mhz = std::max(noise.highest_mhz.value_or(mhz), mhz);
  }
  return noise;
}

}  // namespace isolates::bench
