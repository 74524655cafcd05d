// The figures that the library wants to reach.
//
//   bazel/bazelw run -c opt //benchmarks:figures [-- --json] [--quick] [--only=NAME]
//
// --json: nothing but one JSON array (report_json.h). --quick: a run of seconds, to see that it
// works; its figures mean nothing. --only: one of the parts below.

#include "benchmarks/figures/figures.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "isolates/runtime.h"

namespace isolates::bench {
namespace {

// With fewer repetitions than that a median says nothing, and there is no figure.
constexpr int kFewest = 3;

constexpr std::pair<std::string_view, void (*)(Figures&)> kParts[] = {
    {"ports", PortFigures},     {"scheduled", ScheduledFigures},
    {"fan_in", FanInFigures},   {"send", SendFigures},
    {"run", RunFigures},        {"parcels", ParcelFigures},
    {"wake_up", WakeUpFigures}, {"idle", IdleFigures},
    {"busy", BusyFigures},
};

int Usage() {
  std::fprintf(stderr, "usage: figures [--json] [--quick] [--only=NAME]\nnames:");
  for (const auto& part : kParts) {
    std::fprintf(stderr, " %.*s", static_cast<int>(part.first.size()), part.first.data());
  }
  std::fprintf(stderr, "\n");
  return 2;
}

Result NothingMeasured(Result result) {
  result.value = result.limit = result.ratio = result.min = result.max = kUnknown;
  return result;
}

}  // namespace

void Figures::Take(const std::function<double()>& limit, const std::vector<Candidate>& candidates,
                   const std::string& unit, const Reaches& reaches, Reached reached) {
  InterleaveOptions options;
  if (quick_) {
    options.wanted = 1;
    options.most_repetitions = 1;
    options.tolerance = 10;
    options.warm_up = false;
  }
  const Interleaved run = Interleave(limit, candidates, options);
  for (std::size_t i = 0; i < run.candidates.size(); ++i) {
    Result result = ResultOf(run.candidates[i], unit);
    if (!quick_ && result.kept < kFewest) result = NothingMeasured(std::move(result));
    Judge(std::move(result), reaches.at(i), reached);
  }
}

void Figures::Judge(Result result, std::optional<double> reach, Reached reached) {
  result.reach = reach;
  // What is not a number is neither less nor more than anything.
  if (reach) result.reached = reached(result);
  results_.push_back(std::move(result));
}

void Figures::Compare(const std::function<double()>& limit,
                      const std::vector<Candidate>& candidates, const std::string& unit,
                      const Reaches& reaches) {
  Take(limit, candidates, unit, reaches,
       [](const Result& result) { return result.ratio <= *result.reach; });
}

void Figures::CompareRates(const std::function<double()>& limit, std::vector<Candidate> candidates,
                           const std::string& unit, const Reaches& reaches) {
  const double in_unit = unit == "million/s" ? 1e3 : 1e9;
  const auto rate = [in_unit](const std::function<double()>& time) {
    return [in_unit, time] { return in_unit / time(); };
  };
  for (Candidate& candidate : candidates) candidate.measure = rate(candidate.measure);
  Take(rate(limit), candidates, unit, reaches,
       [](const Result& result) { return result.ratio >= *result.reach; });
}

void Figures::Measure(const std::function<double()>& limit,
                      const std::vector<Candidate>& candidates, const std::string& unit,
                      const Reaches& reaches) {
  Take(limit, candidates, unit, reaches,
       [](const Result& result) { return result.value <= *result.reach; });
}

void Figures::Add(Result result, std::optional<double> reach) {
  Judge(std::move(result), reach, [](const Result& one) { return one.value <= *one.reach; });
}

void Figures::AddAtLeast(Result result, std::optional<double> reach) {
  Judge(std::move(result), reach, [](const Result& one) { return one.value >= *one.reach; });
}

void Figures::AddRatio(Result result, std::optional<double> reach) {
  Judge(std::move(result), reach, [](const Result& one) { return one.ratio <= *one.reach; });
}

static int Main(int argc, char** argv) {
  constexpr std::string_view kIdleChild = "--idle-child=";
  bool json = false;
  bool quick = false;
  std::string_view only;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      json = true;
    } else if (argument == "--quick") {
      quick = true;
    } else if (argument.starts_with("--only=")) {
      only = argument.substr(7);
    } else if (argument.starts_with(kIdleChild)) {
      return RunIdleChild(std::atoi(argv[i] + kIdleChild.size()));
    } else {
      return Usage();
    }
  }
  const auto cpus = TwoCpus();
  if (!cpus) {
    std::fprintf(stderr, "two processors are needed\n");
    return 2;
  }
  runtime_info();  // it starts
  Figures figures(*cpus, quick);
  for (const auto& [name, part] : kParts) {
    if (only.empty() || only == name) part(figures);
  }
  if (figures.results().empty()) return Usage();
  std::printf("%s",
              json ? ToJson(figures.results()).c_str() : ToMarkdown(figures.results()).c_str());
  return 0;
}

}  // namespace isolates::bench

int main(int argc, char** argv) { return isolates::bench::Main(argc, argv); }
