#include "benchmarks/support/spread.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace isolates::bench {

Spread SpreadOf(std::vector<double> figures) {
  if (figures.empty()) return {};
  std::sort(figures.begin(), figures.end());
  // Between two figures: in proportion.
  const auto at = [&](double part) {
    const double place = part * static_cast<double>(figures.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto above = std::min(below + 1, figures.size() - 1);
    return std::lerp(figures[below], figures[above], place - static_cast<double>(below));
  };
  return {figures.front(), at(0.25), at(0.5), at(0.75), figures.back()};
}

}  // namespace isolates::bench
