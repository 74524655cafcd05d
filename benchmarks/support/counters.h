// What the processor and the system count: instructions and cycles of a thread, and what disturbs a
// run. Where the machine does not offer a counter, the figure is absent, and a line on the error
// output says so once.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_COUNTERS_H_
#define ISOLATES_BENCHMARKS_SUPPORT_COUNTERS_H_

#include <cstdint>
#include <optional>

namespace isolates::bench {

// Instructions and cycles in user mode of the thread that made it, from then on.
class ThreadCounters {
 public:
  ThreadCounters();
  ThreadCounters(const ThreadCounters&) = delete;
  ThreadCounters& operator=(const ThreadCounters&) = delete;
  ~ThreadCounters();

  std::optional<std::uint64_t> instructions() const;
  std::optional<std::uint64_t> cycles() const;

 private:
  int instructions_;  // descriptors; -1: absent
  int cycles_;
};

// The disturbances of a run, for its certificate. Of the process, unless noted.
struct Noise {
  double seconds = 0;
  std::uint64_t voluntary_switches = 0;     // a thread waited
  std::uint64_t involuntary_switches = 0;   // a thread had to make room
  std::uint64_t page_faults = 0;            // those that read from a disk
  std::optional<std::uint64_t> migrations;  // of the thread that asks, from processor to processor
  std::optional<double> steal_seconds;      // of the machine: its host ran something else
  std::optional<double> other_seconds;      // of the machine: processor time of other processes
  std::optional<double> lowest_mhz;         // of the machine's processors, when asked
  std::optional<double> highest_mhz;
};

// From its making until asked, any number of times.
class NoiseMeter {
 public:
  NoiseMeter();
  Noise Read() const;

 private:
  struct Totals {
    double seconds = 0;
    std::uint64_t voluntary_switches = 0;
    std::uint64_t involuntary_switches = 0;
    std::uint64_t page_faults = 0;
    double own_seconds = 0;
    std::optional<std::uint64_t> migrations;
    std::optional<double> busy_seconds;
    std::optional<double> steal_seconds;
  };
  static Totals Now();

  const Totals start_;
};

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_COUNTERS_H_
