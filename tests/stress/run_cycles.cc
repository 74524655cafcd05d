// Run and complete, again and again: nothing may be lost, and memory must stay flat.
//
//   bazel/bazelw run -c opt //tests/stress:run_cycles -- [--cycles=N] [--graphs=N] [--kept=N]
//
// Closes with `N passed, N failed`.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::Future;
using isolates::Isolate;

struct Sizes {
  long cycles = 20'000;
  long graphs = 2'000;
  long kept = 20'000;
};

int passed = 0;
int failed = 0;

void Report(const char* name, bool ok, const std::string& figures) {
  (ok ? passed : failed) += 1;
  std::printf("%-8s %s: %s\n", ok ? "ok" : "FAILED", name, figures.c_str());
  std::fflush(stdout);
}

long ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  long total = 0;
  long resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// A sanitizer keeps freed memory back; there only the results are checked.
constexpr bool kMemoryIsTelling =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    false;
#else
    true;
#endif

constexpr long kMegabyte = 1 << 20;

// Calls `cycle(i)` for each i and compares resident memory after a fifth of them with the end.
template <class Cycle>
void Flat(const char* name, long count, long allowed_growth, Cycle cycle) {
  const auto start = std::chrono::steady_clock::now();
  long after_warm_up = 0;
  long wrong = 0;
  for (long i = 0; i < count; ++i) {
    if (i == count / 5) after_warm_up = ResidentBytes();
    if (!cycle(i)) ++wrong;
  }
  const long growth = ResidentBytes() - after_warm_up;
  const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
  char text[200];
  std::snprintf(text, sizeof(text),
                "%ld cycles, %.2f us each, %ld wrong, resident %+.1f MB after warm-up at %.1f MB",
                count, time.count() / static_cast<double>(count), wrong,
                static_cast<double>(growth) / kMegabyte,
                static_cast<double>(after_warm_up) / kMegabyte);
  Report(name, wrong == 0 && (!kMemoryIsTelling || growth <= allowed_growth), text);
}

std::vector<std::string> Graph(long seed) {
  std::vector<std::string> strings;
  for (int i = 0; i < 1000; ++i) strings.emplace_back(70 + (seed + i) % 30, 'x');
  return strings;
}

bool RunTrivial(long i) {
  return Isolate::Run([](long value) { return value + 1; }, i).Get() == i + 1;
}

bool RunGraph(long i) { return Isolate::Run(Graph, i).Get().size() == 1000; }

bool RunParcelGraph(long i) { return Isolate::RunParcel(Graph, i).Get()->size() == 1000; }

void KeepResults(long count) {
  std::vector<std::string> kept;
  kept.reserve(static_cast<std::size_t>(count));
  for (long i = 0; i < 1000; ++i) RunTrivial(i);
  const long before = ResidentBytes();
  for (long i = 0; i < count; ++i) {
    kept.push_back(Isolate::Run([] { return std::string(40, 'k'); }).Get());
  }
  const double each = static_cast<double>(ResidentBytes() - before) / static_cast<double>(count);
  const bool right = std::all_of(kept.begin(), kept.end(), [](const std::string& text) {
    return text == std::string(40, 'k');
  });
  char text[100];
  std::snprintf(text, sizeof(text), "%ld results of 40 bytes, %.1f bytes each", count, each);
  Report("kept results", right && (!kMemoryIsTelling || each <= 200), text);
}

bool Parse(const char* argument, const char* name, long& value) {
  const std::size_t length = std::strlen(name);
  if (std::strncmp(argument, name, length) != 0) return false;
  char* end = nullptr;
  value = std::strtol(argument + length, &end, 10);
  return *end == '\0' && value >= 5;
}

}  // namespace

int main(int argc, char** argv) {
  Sizes sizes;
  for (int i = 1; i < argc; ++i) {
    if (!Parse(argv[i], "--cycles=", sizes.cycles) && !Parse(argv[i], "--graphs=", sizes.graphs) &&
        !Parse(argv[i], "--kept=", sizes.kept)) {
      std::fprintf(stderr, "usage: run_cycles [--cycles=N] [--graphs=N] [--kept=N], each N >= 5\n");
      return 2;
    }
  }
  Flat("trivial Run", sizes.cycles, 4 * kMegabyte, RunTrivial);
  Flat("Run with a 100 KB graph", sizes.graphs, 8 * kMegabyte, RunGraph);
  Flat("RunParcel with a 100 KB graph", sizes.graphs, 8 * kMegabyte, RunParcelGraph);
  KeepResults(sizes.kept);
  const auto info = isolates::runtime_info();
  const auto counters = isolates::heap_counters();
  std::printf("heaps live %zu, created %zu, destroyed %zu; threads %zu, stalls %zu\n",
              counters.live, counters.created, counters.destroyed, info.threads,
              static_cast<std::size_t>(info.stalls));
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
