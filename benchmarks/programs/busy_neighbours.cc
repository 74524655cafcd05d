// Busy neighbours: requests to an isolate, one each millisecond, beside more and more isolates that
// compute. What it stresses: whether an isolate that is asked comes to its turn when there are more
// busy ones than processors. (Dart's pool of threads blocks from the eighth on.)
//
// The client waits for each answer. When one is late, the requests that were due meanwhile were not
// made; the second row of each pair counts them as well (histogram.h: coordinated omission).

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "benchmarks/programs/computing.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/programs/serve.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

constexpr std::chrono::microseconds kTurn{100};  // how long a neighbour computes in a turn

void Measure(Program& program, int neighbours, std::int64_t requests, double most_seconds) {
  Asked asked;
  {
    Server server;
    const Computing computing(neighbours, kTurn);
    asked = server.Ask(requests, most_seconds);
  }
  const std::string name = std::to_string(neighbours) + " neighbours";
  program.Latency(name, std::move(asked.plain));
  program.Latency(name + ", and requests that were due", std::move(asked.corrected));
}

void Run(Program& program) {
  const auto requests = program.Scale<std::int64_t>(1'000, 10);
  const double most_seconds = program.Scale(10.0, 0.2);
  Measure(program, 0, requests, most_seconds);
  for (int neighbours = 1; neighbours <= program.Scale(64, 4); neighbours *= 2) {
    Measure(program, neighbours, requests, most_seconds);
  }
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
