// The round trip of a request, one each millisecond, beside isolates that compute in turns.
//
// Each busy one computes for 100 us in an event and sends itself the next. The limit of each row is
// what a fair queue of events would give: one of them as long as there are no more busy isolates
// than processors, and from there on in proportion: flat, then linear.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/figures/figures.h"
#include "benchmarks/programs/computing.h"
#include "benchmarks/programs/serve.h"
#include "benchmarks/support/spread.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

constexpr std::chrono::microseconds kEvent{100};

// Microseconds, the median of so many requests, or of fewer if they take longer than that.
double RoundTrip(int busy, int requests, double most_seconds) {
  Server server;
  const Computing computing(busy, kEvent);
  return static_cast<double>(server.Ask(requests, most_seconds).plain.Percentile(50)) / 1e3;
}

}  // namespace

void BusyFigures(Figures& figures) {
  const auto processors = static_cast<double>(runtime_info().cpus.size());
  const int requests = figures.Scale(300, 3);
  const double most_seconds = figures.Scale(1.0, 0.1);
  const int most = figures.Scale(64, 4);
  for (int busy = 0; busy <= most; busy = std::max(1, 2 * busy)) {
    std::vector<double> medians(figures.Scale<std::size_t>(3, 1));
    for (double& median : medians) median = RoundTrip(busy, requests, most_seconds);
    const int kept = static_cast<int>(medians.size());
    Result result =
        ResultOf("request beside " + std::to_string(busy) + " busy isolates (limit: a fair queue)",
                 SpreadOf(std::move(medians)), "us", kept);
    result.limit = static_cast<double>(kEvent.count()) * std::max(1.0, busy / processors);
    result.ratio = result.value / result.limit;
    figures.AddRatio(std::move(result), 3);
  }
}

}  // namespace isolates::bench
