// The spread of repeated figures.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_SPREAD_H_
#define ISOLATES_BENCHMARKS_SUPPORT_SPREAD_H_

#include <limits>
#include <vector>

namespace isolates::bench {

// All are not a number if there are no figures.
struct Spread {
  double min = std::numeric_limits<double>::quiet_NaN();
  double lower_quartile = min;
  double median = min;
  double upper_quartile = min;
  double max = min;
};

Spread SpreadOf(std::vector<double> figures);

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_SPREAD_H_
