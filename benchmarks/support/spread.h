// The spread of repeated figures.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_SPREAD_H_
#define ISOLATES_BENCHMARKS_SUPPORT_SPREAD_H_

#include <vector>

namespace isolates::bench {

// All are not a number if there are no figures.
struct Spread {
  double min;
  double lower_quartile;
  double median;
  double upper_quartile;
  double max;
};

Spread SpreadOf(std::vector<double> figures);

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_SPREAD_H_
