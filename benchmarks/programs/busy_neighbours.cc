// Busy neighbours: requests to an isolate, one each millisecond, beside more and more isolates that
// compute. What it stresses: whether an isolate that is asked comes to its turn when there are more
// busy ones than processors. (Dart's pool of threads blocks from the eighth on.)
//
// The client waits for each answer. When one is late, the requests that were due meanwhile were not
// made; the second row of each pair counts them as well (histogram.h: coordinated omission).

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <utility>

#include "benchmarks/programs/computing.h"
#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/programs/serve.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

constexpr std::chrono::microseconds kTurn{100};  // how long a neighbour computes in a turn
constexpr std::int64_t kIntervalNs = 1'000'000;

// At once if it has passed.
void SleepUntil(std::int64_t time) {
  const timespec until{time / 1'000'000'000, time % 1'000'000'000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

// So many requests, or fewer if they take longer than `most_seconds`.
void Measure(Program& program, int neighbours, std::int64_t requests, double most_seconds) {
  ReceivePort<SendPort<std::int64_t>> connect;
  ReceivePort<std::int64_t> answers;
  Crew crew;
  crew.Start(Serve, ServeSetup{connect.send_port(), answers.send_port()});
  const SendPort<std::int64_t> numbers = *connect.Receive(kForever);
  Histogram plain;
  Histogram corrected;
  {
    const Computing computing(neighbours, kTurn);
    const Stopwatch watch;
    std::int64_t due = Nanoseconds();
    for (std::int64_t i = 0; i < requests && (i == 0 || watch.seconds() < most_seconds); ++i) {
      SleepUntil(due);
      const std::int64_t start = Nanoseconds();
      numbers.Send(std::int64_t{i});
      Require(*answers.Receive(kForever) == i + 1, "each request is answered in its turn");
      const auto time = static_cast<std::uint64_t>(Nanoseconds() - start);
      plain.Record(time);
      corrected.RecordCorrected(time, kIntervalNs);
      due = std::max(due + kIntervalNs, Nanoseconds());
    }
    numbers.Send(std::int64_t{-1});
    crew.Wait();
  }
  const std::string name = std::to_string(neighbours) + " neighbours";
  program.Latency(name, std::move(plain));
  program.Latency(name + ", and requests that were due", std::move(corrected));
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
