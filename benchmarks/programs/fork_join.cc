// Fork and join: many jobs are started, then all results are taken. What it stresses: Run and its
// Future; and with jobs that compute, whether all processors have work. (Savina, "fork join
// create".)
//
// Baselines: std::async, and one thread that does everything.

#include <cstdint>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/programs/program.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

// A number that takes `steps` to find.
std::uint64_t Compute(std::uint64_t seed, std::uint64_t steps) {
  std::uint64_t number = seed;
  for (std::uint64_t i = 0; i < steps; ++i) {
    number = number * 6364136223846793005U + 1442695040888963407U;
  }
  return number;
}

std::uint64_t InOneThread(std::uint64_t jobs, std::uint64_t steps) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < jobs; ++i) sum += Compute(i, steps);
  return sum;
}

std::uint64_t InIsolates(std::uint64_t jobs, std::uint64_t steps) {
  std::vector<Future<std::uint64_t>> results;
  results.reserve(jobs);
  for (std::uint64_t i = 0; i < jobs; ++i) results.push_back(Isolate::Run(Compute, i, steps));
  std::uint64_t sum = 0;
  for (auto& result : results) sum += result.Get();
  return sum;
}

std::uint64_t ByStdAsync(std::uint64_t jobs, std::uint64_t steps) {
  std::vector<std::future<std::uint64_t>> results;
  results.reserve(jobs);
  for (std::uint64_t i = 0; i < jobs; ++i) {
    results.push_back(std::async(std::launch::async, Compute, i, steps));
  }
  std::uint64_t sum = 0;
  for (auto& result : results) sum += result.get();
  return sum;
}

using Way = std::uint64_t (*)(std::uint64_t, std::uint64_t);

std::function<double()> TimeEach(Way way, std::uint64_t jobs, std::uint64_t steps) {
  const std::uint64_t expected = InOneThread(jobs, steps);
  return [=] {
    const Stopwatch watch;
    const std::uint64_t sum = way(jobs, steps);
    const double us = watch.ns_each(static_cast<std::int64_t>(jobs)) / 1e3;
    Require(sum == expected, "the sum of all jobs");
    return us;
  };
}

void Run(Program& program) {
  const auto jobs = program.Scale<std::uint64_t>(1'000, 50);
  program.Measure("an empty job, isolates", "us", TimeEach(InIsolates, jobs, 0));
  program.Measure("an empty job, std::async", "us", TimeEach(ByStdAsync, jobs, 0));
  // The limit is one thread: with two processors the ratio is at best 0.5.
  const auto steps = program.Scale<std::uint64_t>(50'000, 500);
  program.Compare(TimeEach(InOneThread, jobs, steps),
                  {{"a job that computes, isolates", TimeEach(InIsolates, jobs, steps)},
                   {"a job that computes, std::async", TimeEach(ByStdAsync, jobs, steps)}},
                  "us");
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
