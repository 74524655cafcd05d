#include "benchmarks/support/interleave.h"

#include <algorithm>
#include <cstddef>

#include "benchmarks/support/stopwatch.h"

namespace isolates::bench {
namespace {

std::vector<double> MeasureAll(const std::vector<Candidate>& candidates, bool reverse) {
  std::vector<double> values(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::size_t index = reverse ? candidates.size() - 1 - i : i;
    values[index] = candidates[index].measure();
  }
  return values;
}

}  // namespace

Interleaved Interleave(const std::function<double()>& limit,
                       const std::vector<Candidate>& candidates, const InterleaveOptions& options) {
  const Stopwatch watch;
  Interleaved result;
  std::vector<double> limits;
  std::vector<std::vector<double>> values(candidates.size());
  std::vector<std::vector<double>> ratios(candidates.size());
  if (options.warm_up) {
    limit();
    MeasureAll(candidates, false);
  }
  for (int repetition = 0; repetition < options.most_repetitions && result.kept < options.wanted;
       ++repetition) {
    if (repetition > 0 && watch.seconds() > options.most_seconds) break;
    const double before = limit();
    const std::vector<double> now = MeasureAll(candidates, repetition % 2 != 0);
    const double after = limit();
    if (std::max(before, after) > (1 + options.tolerance) * std::min(before, after)) {
      ++result.dropped;
      continue;
    }
    ++result.kept;
    const double mean = (before + after) / 2;
    limits.push_back(mean);
    for (std::size_t i = 0; i < now.size(); ++i) {
      values[i].push_back(now[i]);
      ratios[i].push_back(now[i] / mean);
    }
  }
  result.enough = result.kept >= options.wanted;
  result.limit = SpreadOf(std::move(limits));
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    result.candidates.push_back(
        {candidates[i].name, SpreadOf(std::move(values[i])), SpreadOf(std::move(ratios[i]))});
  }
  return result;
}

}  // namespace isolates::bench
