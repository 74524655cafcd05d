// The figures that the library wants to reach: each beside its limit, in one run.

#ifndef ISOLATES_BENCHMARKS_FIGURES_FIGURES_H_
#define ISOLATES_BENCHMARKS_FIGURES_FIGURES_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/support/interleave.h"
#include "benchmarks/support/placement.h"
#include "benchmarks/support/report_json.h"

namespace isolates::bench {

// A program that gives a wrong result says so and fails at once.
void Require(bool right, std::string_view what);

class Figures {
 public:
  Figures(CpuPair cpus, bool quick) : cpus_(cpus), quick_(quick) {}

  CpuPair cpus() const { return cpus_; }
  template <class T>
  T Scale(T full, T quick) const {
    return quick_ ? quick : full;
  }

  // For each candidate, what its ratio to the limit is to be.
  using Reaches = std::vector<std::optional<double>>;
  // Times: the ratio is to be at most that.
  void Compare(const std::function<double()>& limit, const std::vector<Candidate>& candidates,
               const std::string& unit, const Reaches& reaches);
  // Times for each message, told as millions of messages in a second: the ratio is to be at least
  // that.
  void CompareRates(const std::function<double()>& limit, std::vector<Candidate> candidates,
                    const Reaches& reaches);
  // A figure that is to be at most `reach` by itself, in its unit.
  void Add(Result result, std::optional<double> reach);

  const std::vector<Result>& results() const { return results_; }

 private:
  InterleaveOptions Options() const;

  const CpuPair cpus_;
  const bool quick_;
  std::vector<Result> results_;
};

// One for each file of this folder.
void PortFigures(Figures& figures);

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_FIGURES_FIGURES_H_
