#include <mutex>
#include <thread>
#include <vector>

#include "tests/fuzz/legs.h"

namespace isolates::fuzz {
namespace {

constexpr int kShownFailures = 10;

const char* NameOf(Leg leg) {
  switch (leg) {
    case Leg::kVerify:
      return "verify";
    case Leg::kParcel:
      return "parcel";
    case Leg::kProperty:
      return "property";
    case Leg::kAll:
      break;
  }
  return "all";
}

}  // namespace

const TypeOps& PickType(const Bench& bench, Choices& random) {
  const TypeOps& picked = *AllTypes()[random.Below(AllTypes().size())];
  return bench.only == nullptr ? picked : *bench.only;
}

std::string RunGraph(Bench& bench, Leg leg, Choices& random) {
  if (leg == Leg::kAll) {
    // The others take longer: threads and heaps are made for them.
    const std::size_t pick = random.Below(256);
    leg = pick == 0 ? Leg::kProperty : pick < 16 ? Leg::kParcel : Leg::kVerify;
  }
  switch (leg) {
    case Leg::kParcel:
      return ParcelLeg(bench, random);
    case Leg::kProperty:
      return PropertyLeg(bench, random);
    case Leg::kVerify:
    case Leg::kAll:
      break;
  }
  return VerifyLeg(bench, random);
}

Outcome RunGraphs(const Run& run) {
  Outcome outcome;
  std::mutex mutex;
  int shown = 0;
  const auto work = [&](unsigned thread) {
    Bench bench;
    bench.secret = run.secret;
    bench.only = run.only;
    bench.alone = run.threads == 1;
    std::uint64_t passed = 0;
    std::uint64_t failed = 0;
    for (std::uint64_t i = thread; i < run.graphs; i += run.threads) {
      Choices random(GraphSeed(run.seed, run.first + i));
      const std::string wrong = RunGraph(bench, run.leg, random);
      if (wrong.empty()) {
        ++passed;
        continue;
      }
      ++failed;
      const std::lock_guard lock(mutex);
      if (++shown > kShownFailures) continue;
      outcome.failures += "graph " + std::to_string(run.first + i) +
                          " failed; replay: --leg=" + NameOf(run.leg) +
                          " --seed=" + std::to_string(run.seed) +
                          " --first=" + std::to_string(run.first + i) + " --graphs=1\n" + wrong;
    }
    const std::lock_guard lock(mutex);
    outcome.passed += passed;
    outcome.failed += failed;
    outcome.counts.Add(bench.counts);
  };
  std::vector<std::thread> threads;
  for (unsigned thread = 1; thread < run.threads; ++thread) threads.emplace_back(work, thread);
  work(0);
  for (std::thread& thread : threads) thread.join();
  return outcome;
}

}  // namespace isolates::fuzz
