// Random object graphs with planted violations, against an oracle of their own.
//
//   bazel/bazelw run -c opt //tests/fuzz:transfer_fuzz -- --graphs=N --seed=S
//       [--leg=verify|parcel|property|all] [--threads=N] [--first=N]
//
// Closes with `N passed, N failed`, counted in graphs. A failure prints how to replay its graph.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "isolates/heap.h"
#include "tests/fuzz/legs.h"
#include "tests/fuzz/oracle.h"

namespace {

using isolates::fuzz::Leg;

// Parcels that cannot be dropped whole leave a heap each: room for some thousands of them.
constexpr std::size_t kHeaps = 4096;

bool Number(std::string_view argument, std::string_view name, std::uint64_t& value) {
  if (!argument.starts_with(name)) return false;
  char* end = nullptr;
  value = std::strtoull(argument.data() + name.size(), &end, 10);
  return *end == '\0';
}

void PrintCounts(const isolates::fuzz::PlantCounts& counts) {
  std::printf("planted:");
  for (std::size_t i = 0; i < static_cast<std::size_t>(isolates::fuzz::Wrong::kCount); ++i) {
    std::printf(" %s %zu;", isolates::fuzz::NameOf(static_cast<isolates::fuzz::Wrong>(i)),
                counts.by_wrong[i]);
  }
  std::printf("\nviews led to:");
  for (std::size_t i = 0; i < static_cast<std::size_t>(isolates::fuzz::Stray::kCount); ++i) {
    std::printf(" %s %zu;", isolates::fuzz::NameOf(static_cast<isolates::fuzz::Stray>(i)),
                counts.views[i]);
  }
  std::printf("\nparcels:");
  for (std::size_t i = 0; i < isolates::fuzz::kDropReasons; ++i) {
    if (counts.parcels[i] == 0) continue;
    const std::string reason(ToString(static_cast<isolates::DropReason>(i)));
    std::printf(" %s %zu;", reason.c_str(), counts.parcels[i]);
  }
  const isolates::HeapCounters heaps = isolates::heap_counters();
  std::printf("\nheaps: %zu made, %zu dropped as a whole, %zu live\n", heaps.created,
              heaps.destroyed, heaps.live);
}

}  // namespace

int main(int argc, char** argv) {
  isolates::fuzz::Run run;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    std::uint64_t threads = 0;
    if (argument == "--leg=verify") {
      run.leg = Leg::kVerify;
    } else if (argument == "--leg=parcel") {
      run.leg = Leg::kParcel;
    } else if (argument == "--leg=property") {
      run.leg = Leg::kProperty;
    } else if (argument == "--leg=all") {
      run.leg = Leg::kAll;
    } else if (Number(argument, "--threads=", threads) && threads > 0 && threads <= 64) {
      run.threads = static_cast<unsigned>(threads);
    } else if (!Number(argument, "--graphs=", run.graphs) &&
               !Number(argument, "--seed=", run.seed) && !Number(argument, "--first=", run.first)) {
      std::fprintf(stderr,
                   "usage: transfer_fuzz [--graphs=N] [--seed=N] [--first=N] [--threads=N]\n"
                   "                     [--leg=verify|parcel|property|all]\n");
      return 2;
    }
  }
  isolates::SetHeapLimit(kHeaps);
  const auto start = std::chrono::steady_clock::now();
  const isolates::fuzz::Outcome outcome = RunGraphs(run);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  std::printf("%s", outcome.failures.c_str());
  PrintCounts(outcome.counts);
  std::printf("%zu types, seed %llu, %.1f s, %.2f us a graph on %u threads\n",
              isolates::fuzz::AllTypes().size(), static_cast<unsigned long long>(run.seed),
              time.count(), 1e6 * time.count() / static_cast<double>(run.graphs), run.threads);
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(outcome.passed),
              static_cast<unsigned long long>(outcome.failed));
  return outcome.failed == 0 ? 0 : 1;
}
