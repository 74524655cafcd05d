// The figures that the library wants to reach: each beside its limit, in one run.

#ifndef ISOLATES_BENCHMARKS_FIGURES_FIGURES_H_
#define ISOLATES_BENCHMARKS_FIGURES_FIGURES_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/support/interleave.h"
#include "benchmarks/support/placement.h"
#include "benchmarks/support/report_json.h"

namespace isolates::bench {

class Figures {
 public:
  Figures(CpuPair cpus, bool quick) : cpus_(cpus), quick_(quick) {}

  CpuPair cpus() const { return cpus_; }
  template <class T>
  T Scale(T full, T quick) const {
    return quick_ ? quick : full;
  }

  // For each candidate what is to be reached; nothing: it stands there to compare with.
  using Reaches = std::vector<std::optional<double>>;
  // Times: the ratio to the limit is to be at most that.
  void Compare(const std::function<double()>& limit, const std::vector<Candidate>& candidates,
               const std::string& unit, const Reaches& reaches);
  // Times of one operation, told as operations in a second: the ratio is to be at least that.
  // `unit`: "million/s" or "1/s".
  void CompareRates(const std::function<double()>& limit, std::vector<Candidate> candidates,
                    const std::string& unit, const Reaches& reaches);
  // Times: the value itself is to be at most that. The limit says whether the machine was steady.
  void Measure(const std::function<double()>& limit, const std::vector<Candidate>& candidates,
               const std::string& unit, const Reaches& reaches);
  // A figure by itself: the value is to be at most that.
  void Add(Result result, std::optional<double> reach);
  // The same, but at least that; and of the ratio, at most.
  void AddAtLeast(Result result, std::optional<double> reach);
  void AddRatio(Result result, std::optional<double> reach);

  const std::vector<Result>& results() const { return results_; }

 private:
  using Reached = bool (*)(const Result& result);
  void Take(const std::function<double()>& limit, const std::vector<Candidate>& candidates,
            const std::string& unit, const Reaches& reaches, Reached reached);
  void Judge(Result result, std::optional<double> reach, Reached reached);

  const CpuPair cpus_;
  const bool quick_;
  std::vector<Result> results_;
};

// One for each file of this folder.
void BusyFigures(Figures& figures);
void FanInFigures(Figures& figures);
void IdleFigures(Figures& figures);
void ParcelFigures(Figures& figures);
void PortFigures(Figures& figures);
void RunFigures(Figures& figures);
void ScheduledFigures(Figures& figures);
void SendFigures(Figures& figures);
void WakeUpFigures(Figures& figures);

// What the process that IdleFigures starts does instead of everything else: prints the bytes of
// each of so many idle isolates.
int RunIdleChild(int isolates);

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_FIGURES_FIGURES_H_
