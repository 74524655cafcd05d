// The round trip of a request beside isolates that compute in turns.
//
// The limit of each row is what a fair queue of turns would give: with no more busy isolates than
// processors one turn, and from there on in proportion to them: flat, then linear.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/figures/figures.h"
#include "benchmarks/programs/computing.h"
#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/serve.h"
#include "benchmarks/support/require.h"
#include "benchmarks/support/spread.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

constexpr std::chrono::microseconds kTurn{100};

// Microseconds, the median of so many requests, or of fewer if they take longer than that.
double RoundTrip(int busy, int requests, double most_seconds) {
  ReceivePort<SendPort<std::int64_t>> connect;
  ReceivePort<std::int64_t> answers;
  Crew crew;
  crew.Start(Serve, ServeSetup{connect.send_port(), answers.send_port()});
  const SendPort<std::int64_t> numbers = *connect.Receive(kForever);
  std::vector<double> times;
  {
    const Computing computing(busy, kTurn);
    const Stopwatch all;
    for (int i = 0; i < requests && (i == 0 || all.seconds() < most_seconds); ++i) {
      const Stopwatch watch;
      numbers.Send(std::int64_t{i});
      Require(*answers.Receive(kForever) == i + 1, "each request is answered in its turn");
      times.push_back(static_cast<double>(watch.ns()) / 1e3);
    }
    numbers.Send(std::int64_t{-1});
    crew.Wait();
  }
  return SpreadOf(std::move(times)).median;
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
        ResultOf("request beside " + std::to_string(busy) + " busy isolates (limit: fair turns)",
                 SpreadOf(std::move(medians)), "us", kept);
    result.limit = static_cast<double>(kTurn.count()) * std::max(1.0, busy / processors);
    result.ratio = result.value / result.limit;
    figures.AddRatio(std::move(result), 2);
  }
}

}  // namespace isolates::bench
