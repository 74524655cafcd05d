// What the processor and the system counted while each isolate ran: instructions, cycles, misses.

#ifndef ISOLATES_PERF_COUNTERS_H_
#define ISOLATES_PERF_COUNTERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace isolates {

// What was counted of some code. See CountPerf.
struct PerfCounts {
  // By the processor, of its user code. nullopt: the machine does not count it (virtual ones seldom
  // do), or the system does not let the program see it.
  std::optional<std::uint64_t> instructions;
  std::optional<std::uint64_t> cycles;         // as above, and so are the next two
  std::optional<std::uint64_t> cache_misses;   // of the last level
  std::optional<std::uint64_t> branch_misses;  // guessed wrong
  // By the system.
  std::optional<std::uint64_t> task_clock;        // ns on a processor
  std::optional<std::uint64_t> context_switches;  // of its thread, in its turns
  std::optional<std::uint64_t> migrations;        // to another processor
  std::optional<std::uint64_t> page_faults;       // minor and major
};

// What was charged to one isolate.
struct IsolatePerfCounts {
  std::uint64_t id = 0;  // 0: all that have ended
  std::string name;      // Isolate::debug_name
  PerfCounts counts;     // of all its turns
};

// What ReadPerf gives.
struct PerfReport {
  std::vector<IsolatePerfCounts> isolates;  // that have run on a worker since, by their numbers
  // What is not counted, and why: "instructions: No such file or directory".
  std::vector<std::string> missing;
};

// Turns on workers that begin from now on are charged to their isolates (true), or no more (false);
// what was charged stays. Off by default. While it is on, each turn costs up to four system calls,
// about a microsecond. What a turn costs is charged when it ends. Any thread.
void CountPerf(bool on);

// What has been charged so far. Any thread.
PerfReport ReadPerf();

// "instructions 1234, task clock 5 ms, ..." without what is missing.
std::string ToString(const PerfCounts& counts);

}  // namespace isolates

#endif  // ISOLATES_PERF_COUNTERS_H_
