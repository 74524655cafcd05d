// The phases of the experiment on allocators, for programs with and without isolates.

#ifndef ISOLATES_PROFILING_ALLOCATOR_PHASES_H_
#define ISOLATES_PROFILING_ALLOCATOR_PHASES_H_

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/support/report_json.h"
#include "benchmarks/support/require.h"
#include "benchmarks/support/stopwatch.h"

namespace isolates::bench {

using Graph = std::vector<std::string>;

// Strings of 32 to 511 bytes: about 4 MiB for 14,000.
inline Graph BuildGraph(std::size_t strings) {
  Graph graph;
  graph.reserve(strings);
  std::uint64_t number = 1;
  for (std::size_t i = 0; i < strings; ++i) {
    number = number * 6364136223846793005U + 1442695040888963407U;
    graph.emplace_back(32 + (number >> 33) % 480, 'x');
  }
  return graph;
}
inline double BytesOf(const Graph& graph) {
  double bytes = static_cast<double>(graph.capacity() * sizeof(std::string));
  for (const std::string& text : graph) bytes += static_cast<double>(text.capacity() + 1);
  return bytes;
}

inline double ResidentMiB() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}
inline double PageFaults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_minflt);
}

// `Workers` has a type Held, which owns a graph, and
//   std::vector<Held> Build(int graphs, std::size_t strings)   each in a worker of its own
//   const Graph& Look(const Held&)
//   std::string Keep(Held&, std::size_t index)                 a string that outlives its graph
//   void Trim()
template <class Workers>
class Phases {
 public:
  Phases(Workers& workers, bool quick) : workers_(workers), quick_(quick) {}

  void Run() {
    const int graphs = quick_ ? 4 : 16;
    const std::size_t strings = quick_ ? 2'000 : 14'000;
    for (Held& one : workers_.Build(1, strings)) bytes_each_ = BytesOf(workers_.Look(one));
    base_ = ResidentMiB();
    std::vector<Held> held;
    std::vector<std::string> kept;
    kept.reserve(100'000);
    const auto keep = [&](Held& one) {
      for (std::size_t i = 0; i < strings; i += 1'000) kept.push_back(workers_.Keep(one, i));
    };
    const auto drop_every_second = [&] {
      for (std::size_t i = 0; i < held.size(); i += 2) held[i] = Held{};
      std::erase_if(held, [&](const Held& one) { return workers_.Look(one).empty(); });
    };
    Phase("built and handed over", held, [&] { held = workers_.Build(graphs, strings); });
    Phase("a few strings kept", held, [&] {
      for (Held& one : held) keep(one);
    });
    Phase("every second dropped", held, drop_every_second);
    Phase("built again in the gaps", held, [&] {
      for (Held& one : workers_.Build(graphs / 2, strings)) held.push_back(std::move(one));
    });
    Phase("all dropped", held, [&] { held.clear(); });
    Phase("trimmed", held, [&] { workers_.Trim(); });
    Phase("after ten more rounds", held, [&] {
      for (int round = 0; round < (quick_ ? 2 : 10); ++round) {
        held = workers_.Build(graphs, strings);
        for (Held& one : held) keep(one);
        drop_every_second();
        for (Held& one : workers_.Build(graphs / 2, strings)) held.push_back(std::move(one));
        held.clear();
      }
    });
    Phase("trimmed again", held, [&] { workers_.Trim(); });
    Require(!kept.empty() && kept.back().front() == 'x', "what was kept is there");
  }

  const std::vector<Result>& results() const { return results_; }

 private:
  using Held = typename Workers::Held;

  template <class Function>
  void Phase(const std::string& name, const std::vector<Held>& held, Function function) {
    const double faults = PageFaults();
    const Stopwatch watch;
    function();
    const double ms = static_cast<double>(watch.ns()) / 1e6;
    const double live = bytes_each_ * static_cast<double>(held.size()) / (1 << 20);
    Add("resident: " + name, ResidentMiB() - base_, "MiB");
    Add("live: " + name, live, "MiB");
    Add("time: " + name, ms, "ms");
    Add("page faults: " + name, PageFaults() - faults, "");
  }
  void Add(std::string name, double value, std::string unit) {
    results_.push_back(ResultOf(std::move(name), SpreadOf({value}), std::move(unit), 1));
  }

  Workers& workers_;
  const bool quick_;
  double bytes_each_ = 0;
  double base_ = 0;  // resident, after one graph came and went
  std::vector<Result> results_;
};

// Runs and prints.
template <class Workers>
int RunPhases(Workers workers, bool quick) {
  Phases<Workers> phases(workers, quick);
  phases.Run();
  std::fputs(ToJson(phases.results()).c_str(), stdout);
  return 0;
}

}  // namespace isolates::bench

#endif  // ISOLATES_PROFILING_ALLOCATOR_PHASES_H_
