// The exchange as a program. See kHelp in options.cc, and README.md.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/support/allocations.h"
#include "benchmarks/support/placement.h"
#include "examples/exchange/memory.h"
#include "examples/exchange/options.h"
#include "examples/exchange/pipeline.h"
#include "examples/exchange/reference.h"
#include "examples/exchange/report.h"
#include "isolates/isolates.h"

namespace exchange {
namespace {

constexpr std::uint64_t kUsualWarmUp = 200'000;

// A journal that is removed at the end.
class TemporaryJournal {
 public:
  TemporaryJournal() {
    std::string name = (std::filesystem::temp_directory_path() / "exchange-XXXXXX").string();
    const int fd = mkstemp(name.data());
    if (fd < 0) throw std::runtime_error("no temporary file " + name);
    close(fd);
    path_ = name;
  }
  TemporaryJournal(const TemporaryJournal&) = delete;
  TemporaryJournal& operator=(const TemporaryJournal&) = delete;
  ~TemporaryJournal() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::uint16_t SymbolsOf(const Options& options) {
  const std::string& input = options.flow.input;
  // A pipe is read once, by the feed.
  if (input.empty() || input == "-") return options.flow.generator.symbols;
  return FlowReader(input).header().symbols;
}

PipelineConfig ConfigOf(const Options& options) {
  PipelineConfig config;
  config.flow = options.flow;
  config.symbols = SymbolsOf(options);
  config.journal = options.journal;
  config.output = options.output;
  config.acks = options.acks;
  config.acks_too_early = options.acks_too_early;
  config.paced = options.paced;
  config.placement = options.placement.value_or(BestPlacement());
  config.spins = isolates::bench::AllowedCpus().size() > 1;
  if (options.recover && std::filesystem::exists(options.journal)) {
    config.recovered = ScanJournal(options.journal, {config.symbols, config.limits});
  }
  GeneratorOptions& generator = config.flow.generator;
  const bool generated = options.flow.input.empty();
  config.warm_up = options.warm_up.value_or(generated ? kUsualWarmUp : 0);
  if (generated) {
    generator.orders += config.warm_up;
    config.expected = (generator.orders - config.warm_up) * 1'000'000'000 / generator.rate;
  }
  // What was recovered is there before the first order that is measured.
  config.warm_up = std::max(config.warm_up, config.recovered.records);
  return config;
}

// From the flow itself or, if it came through a pipe, from the journal, which has all of it.
ReferenceResult Check(const PipelineConfig& config) {
  std::unique_ptr<OrderSource> source;
  if (config.flow.input == "-") {
    source = std::make_unique<JournalSource>(config.journal);
  } else {
    source = OpenFlow(config.flow);
  }
  return RunReference(*source, config.symbols, config.limits);
}

int Run(Options options) {
  SetAllocationCounter(&isolates::bench::Allocations);
  std::unique_ptr<TemporaryJournal> temporary;
  if (options.journal.empty()) {
    temporary = std::make_unique<TemporaryJournal>();
    options.journal = temporary->path();
  }
  const PipelineConfig config = ConfigOf(options);
  RunReport report;
  report.placement = config.placement;
  report.recovered = config.recovered;
  report.warm_up = config.warm_up;
  report.title = options.flow.input.empty()
                     ? std::to_string(options.flow.generator.orders) + " orders at " +
                           std::to_string(options.flow.generator.rate) + " a second"
                     : "orders of " + options.flow.input;
  report.memory = options.lock ? LockMemory() : "not locked: --no-lock";
  if (options.idle) isolates::SetIdleStrategy(options.idle);
  report.pipeline = RunPipelineHere(config);
  if (!report.pipeline.feed.error.empty()) {
    throw std::runtime_error(report.pipeline.feed.error);
  }
  if (options.check) report.reference = Check(config);
  if (!options.page.empty()) std::ofstream(options.page) << ToPage(report);
  std::fputs((options.json ? ToJson(report) + "\n" : ToTable(report)).c_str(), stdout);
  return options.check && !report.identical() ? 1 : 0;
}

}  // namespace
}  // namespace exchange

int main(int argc, char** argv) {
  try {
    exchange::Options options =
        exchange::ParseOptions(std::vector<std::string>(argv + 1, argv + argc));
    if (options.help) {
      std::fputs(exchange::kHelp, stdout);
      return 0;
    }
    return exchange::Run(std::move(options));
  } catch (const exchange::UsageError& error) {
    std::fprintf(stderr, "exchange: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exchange: %s\n", error.what());
    return 1;
  }
}
