#include "benchmarks/programs/program.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "benchmarks/support/counters.h"
#include "isolates/runtime.h"

namespace isolates::bench {

void Require(bool right, std::string_view what) {
  if (right) return;
  std::fprintf(stderr, "wrong result: %.*s\n", static_cast<int>(what.size()), what.data());
  std::fflush(stdout);
  std::_Exit(1);
}

Program::Program(int argc, char** argv) {
  constexpr std::string_view kPlacement = "--placement=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--quick") {
      quick_ = true;
    } else if (argument == "--json") {
      json_ = true;
    } else if (const auto placement = argument.starts_with(kPlacement)
                                          ? ParsePlacement(argument.substr(kPlacement.size()))
                                          : std::nullopt) {
      placement_ = *placement;
    } else {
      std::fprintf(stderr, "usage: %s [--quick] [--json] [--placement=same|cross|free]\n", argv[0]);
      std::exit(2);
    }
  }
  RestrictProcess(placement_);
  RuntimeOptions options;
  options.pin_workers = placement_ != Placement::kFree;
  ConfigureRuntime(options);
  runtime_info();
}

std::optional<CpuPair> Program::cpus() const {
  return placement_ == Placement::kCross ? TwoCpus() : std::nullopt;
}

void Program::Measure(std::string name, std::string unit, const std::function<double()>& figure) {
  figure();
  std::vector<double> figures(Scale<std::size_t>(9, 2));
  for (double& each : figures) each = figure();
  const int repetitions = static_cast<int>(figures.size());
  Add(ResultOf(std::move(name), SpreadOf(std::move(figures)), std::move(unit), repetitions));
}

void Program::Compare(const std::function<double()>& limit,
                      const std::vector<Candidate>& candidates, const std::string& unit) {
  InterleaveOptions options;
  if (quick_) {
    options.wanted = 2;
    options.most_repetitions = 2;
    options.tolerance = 1e9;
    options.warm_up = false;
  }
  const Interleaved run = Interleave(limit, candidates, options);
  for (const Compared& candidate : run.candidates) Add(ResultOf(run, candidate, unit));
  if (!run.enough) {
    std::fprintf(stderr, "only %d of %d repetitions were kept: the machine is not quiet\n",
                 run.kept, run.kept + run.dropped);
  }
}

void Program::Latency(const std::string& name, const Histogram& times) {
  for (const auto& [label, percent] :
       {std::pair("p50", 50.0), std::pair("p90", 90.0), std::pair("p99", 99.0),
        std::pair("p99.9", 99.9), std::pair("max", 100.0)}) {
    Result result;
    result.name = name + " " + label;
    result.value = static_cast<double>(times.Percentile(percent));
    result.unit = "ns";
    result.min = static_cast<double>(times.min());
    result.max = static_cast<double>(times.max());
    Add(std::move(result));
  }
}

int Program::Finish() const {
  std::fputs(json_ ? ToJson(results_).c_str() : ToMarkdown(results_).c_str(), stdout);
  std::fflush(stdout);
  return 0;
}

}  // namespace isolates::bench
