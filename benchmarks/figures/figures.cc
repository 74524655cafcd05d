// The figures that the library wants to reach.
//
//   bazel/bazelw run -c opt //benchmarks:figures [-- --json] [--quick] [--only=NAME]
//
// --json: the last line is one JSON array (report_json.h).

#include "benchmarks/figures/figures.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "isolates/isolates.h"

namespace isolates::bench {

void Require(bool right, std::string_view what) {
  if (right) return;
  std::fprintf(stderr, "wrong result: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

InterleaveOptions Figures::Options() const {
  InterleaveOptions options;
  if (quick_) {
    options.wanted = 1;
    options.most_repetitions = 2;
    options.tolerance = 10;
  }
  return options;
}

void Figures::Compare(const std::function<double()>& limit,
                      const std::vector<Candidate>& candidates, const std::string& unit,
                      const Reaches& reaches) {
  const Interleaved run = Interleave(limit, candidates, Options());
  for (std::size_t i = 0; i < run.candidates.size(); ++i) {
    Result result = ResultOf(run, run.candidates[i], unit);
    result.reach = reaches.at(i);
    if (result.reach) result.reached = result.ratio <= *result.reach;
    results_.push_back(std::move(result));
  }
}

void Figures::CompareRates(const std::function<double()>& limit, std::vector<Candidate> candidates,
                           const Reaches& reaches) {
  const auto rate = [](const std::function<double()>& time) {
    return [time] { return 1e3 / time(); };
  };
  for (Candidate& candidate : candidates) candidate.measure = rate(candidate.measure);
  const Interleaved run = Interleave(rate(limit), candidates, Options());
  for (std::size_t i = 0; i < run.candidates.size(); ++i) {
    Result result = ResultOf(run, run.candidates[i], "million/s");
    result.reach = reaches.at(i);
    if (result.reach) result.reached = result.ratio >= *result.reach;
    results_.push_back(std::move(result));
  }
}

void Figures::Add(Result result, std::optional<double> reach) {
  result.reach = reach;
  if (reach) result.reached = result.value <= *reach;
  results_.push_back(std::move(result));
}

}  // namespace isolates::bench

int main(int argc, char** argv) {
  using namespace isolates::bench;
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
    } else {
      std::fprintf(stderr, "usage: figures [--json] [--quick] [--only=ports]\n");
      return 2;
    }
  }
  const auto cpus = TwoCpus();
  if (!cpus) {
    std::fprintf(stderr, "two processors are needed\n");
    return 2;
  }
  constexpr std::pair<std::string_view, void (*)(Figures&)> kParts[] = {{"ports", PortFigures}};
  Figures figures(*cpus, quick);
  for (const auto& [name, part] : kParts) {
    if (only.empty() || only == name) part(figures);
  }
  std::printf("%s\n",
              json ? ToJson(figures.results()).c_str() : ToMarkdown(figures.results()).c_str());
}
