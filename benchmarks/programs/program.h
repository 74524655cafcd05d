// What all programs of this folder have in common: arguments, checked results, and one table.
//
//   int main(int argc, char** argv) {
//     Program program(argc, argv);
//     program.Measure("ring", "ns/hop", [&] { return Ring(program.Scale(500'000, 2'000)); });
//     return program.Finish();
//   }
//
// Arguments: --quick (a small run, to see that it works), --json (see report_json.h) and
// --placement=same|cross|free (placement.h; cross unless given).

#ifndef ISOLATES_BENCHMARKS_PROGRAMS_PROGRAM_H_
#define ISOLATES_BENCHMARKS_PROGRAMS_PROGRAM_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "benchmarks/support/counters.h"
#include "benchmarks/support/histogram.h"
#include "benchmarks/support/interleave.h"
#include "benchmarks/support/placement.h"
#include "benchmarks/support/report_json.h"
#include "benchmarks/support/require.h"

namespace isolates::bench {

class Program {
 public:
  // Starts the runtime. Ends the process if the arguments are not understood.
  Program(int argc, char** argv);

  bool quick() const { return quick_; }
  Placement placement() const { return placement_; }
  // Two processors for two parties; nothing if all run on one, or anywhere.
  std::optional<CpuPair> cpus() const;
  template <class T>
  T Scale(T full, T quick) const {
    return quick_ ? quick : full;
  }

  // Several repetitions of a figure by itself.
  void Measure(std::string name, std::string unit, const std::function<double()>& figure);
  // In turns with the figure of the machine's limit (interleave.h).
  void Compare(const std::function<double()>& limit, const std::vector<Candidate>& candidates,
               const std::string& unit);
  // Its percentiles: 50, 90, 99, 99.9 and the maximum. Times in nanoseconds.
  void Latency(std::string name, Histogram times);
  void Add(Result result) { results_.push_back(std::move(result)); }

  // Prints what was measured, and what disturbed the run; the status of the process.
  int Finish() const;

 private:
  bool quick_ = false;
  bool json_ = false;
  Placement placement_ = Placement::kCross;
  const NoiseMeter noise_;
  std::vector<Result> results_;
  std::vector<std::pair<std::string, Histogram>> latencies_;
};

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_PROGRAMS_PROGRAM_H_
