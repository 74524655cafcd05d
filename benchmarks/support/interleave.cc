#include "benchmarks/support/interleave.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "benchmarks/support/stopwatch.h"

namespace isolates::bench {
namespace {

// What was kept of one candidate.
struct Figures {
  std::vector<double> values;
  std::vector<double> limits;
  std::vector<double> ratios;
  int dropped = 0;

  int kept() const { return static_cast<int>(values.size()); }
  void Keep(double value, double limit) {
    values.push_back(value);
    limits.push_back(limit);
    ratios.push_back(value / limit);
  }
};

class Runner {
 public:
  Runner(const std::function<double()>& limit, const std::vector<Candidate>& candidates,
         const InterleaveOptions& options)
      : limit_(limit), candidates_(candidates), options_(options), figures_(candidates.size()) {}

  Interleaved Run() {
    if (options_.warm_up) {
      limit_();
      for (const Candidate& candidate : candidates_) candidate.measure();
    }
    TakeLimit();
    for (int repetition = 0; repetition < options_.most_repetitions; ++repetition) {
      for (std::size_t i = 0; i < figures_.size(); ++i) {
        const std::size_t index = repetition % 2 == 0 ? i : figures_.size() - 1 - i;
        if (figures_[index].kept() >= options_.wanted) continue;
        if (repetition > 0 && watch_.seconds() > options_.most_seconds) return Outcome();
        Take(index);
      }
    }
    return Outcome();
  }

 private:
  double TakeLimit() {
    all_limits_.push_back(limit_());
    return all_limits_.back();
  }
  void Take(std::size_t index) {
    const double before = all_limits_.back();
    const double value = candidates_[index].measure();
    const double after = TakeLimit();
    if (std::max(before, after) > (1 + options_.tolerance) * std::min(before, after)) {
      ++figures_[index].dropped;
    } else {
      figures_[index].Keep(value, (before + after) / 2);
    }
  }
  Interleaved Outcome() {
    Interleaved outcome;
    outcome.kept = figures_.empty() ? 0 : options_.wanted;
    outcome.limit = SpreadOf(std::move(all_limits_));
    for (std::size_t i = 0; i < figures_.size(); ++i) {
      Figures& figures = figures_[i];
      outcome.kept = std::min(outcome.kept, figures.kept());
      outcome.dropped = std::max(outcome.dropped, figures.dropped);
      Compared compared;
      compared.name = candidates_[i].name;
      compared.kept = figures.kept();
      compared.dropped = figures.dropped;
      compared.value = SpreadOf(std::move(figures.values));
      compared.limit = SpreadOf(std::move(figures.limits));
      compared.ratio = SpreadOf(std::move(figures.ratios));
      outcome.candidates.push_back(std::move(compared));
    }
    outcome.enough = outcome.kept >= options_.wanted;
    return outcome;
  }

  const std::function<double()>& limit_;
  const std::vector<Candidate>& candidates_;
  const InterleaveOptions options_;
  const Stopwatch watch_;
  std::vector<Figures> figures_;
  std::vector<double> all_limits_;
};

}  // namespace

Interleaved Interleave(const std::function<double()>& limit,
                       const std::vector<Candidate>& candidates, const InterleaveOptions& options) {
  return Runner(limit, candidates, options).Run();
}

}  // namespace isolates::bench
