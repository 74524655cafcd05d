#include "benchmarks/programs/program.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "isolates/runtime.h"

namespace isolates::bench {
namespace {

constexpr std::array<std::pair<const char*, double>, 5> kPercentiles = {
    {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"max", 100}}};

Result At(const std::string& name, const char* label, const Histogram& times, double percent) {
  Result result;
  result.name = name + ", " + label;
  result.value = static_cast<double>(times.Percentile(percent));
  result.unit = "ns";
  result.kept = static_cast<int>(times.count());
  result.min = static_cast<double>(times.min());
  result.max = static_cast<double>(times.max());
  return result;
}

std::string LatencyTable(const std::vector<std::pair<std::string, Histogram>>& latencies) {
  std::string table = "| latency, ns |";
  std::string line = "|---|";
  for (const auto& percentile : kPercentiles) {
    table += std::string(" ") + percentile.first + " |";
    line += "---|";
  }
  table += " number |\n" + line + "---|\n";
  for (const auto& [name, times] : latencies) {
    table += "| " + name + " |";
    for (const auto& percentile : kPercentiles) {
      table += " " + std::to_string(times.Percentile(percentile.second)) + " |";
    }
    table += " " + std::to_string(times.count()) + " |\n";
  }
  return table;
}

std::string Disturbances(const Noise& noise) {
  std::array<char, 200> text{};
  std::snprintf(text.data(), text.size(),
                "%.1f s; meanwhile other processes had %.1f s of processor time, and the host took "
                "%.1f s; threads were interrupted %llu times.\n",
                noise.seconds, noise.other_seconds.value_or(kUnknown),
                noise.steal_seconds.value_or(kUnknown),
                static_cast<unsigned long long>(noise.involuntary_switches));
  return text.data();
}

}  // namespace

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
  options.most_seconds = 60;
  if (quick_) {
    options.wanted = 2;
    options.most_repetitions = 2;
    options.tolerance = 1e9;
    options.warm_up = false;
  }
  const Interleaved run = Interleave(limit, candidates, options);
  for (const Compared& candidate : run.candidates) Add(ResultOf(candidate, unit));
  if (!run.enough) {
    std::fprintf(
        stderr,
        "of some only %d figures were kept, and up to %d dropped: the machine is not quiet\n",
        run.kept, run.dropped);
  }
}

void Program::Latency(std::string name, Histogram times) {
  latencies_.emplace_back(std::move(name), std::move(times));
}

int Program::Finish() const {
  std::string text;
  if (json_) {
    std::vector<Result> all = results_;
    for (const auto& [name, times] : latencies_) {
      for (const auto& [label, percent] : kPercentiles)
        all.push_back(At(name, label, times, percent));
    }
    text = ToJson(all);
  } else {
    if (!results_.empty()) text += ToMarkdown(results_) + "\n";
    if (!latencies_.empty()) text += LatencyTable(latencies_) + "\n";
    text += Disturbances(noise_.Read());
  }
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  return 0;
}

}  // namespace isolates::bench
