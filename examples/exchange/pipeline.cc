#include "examples/exchange/pipeline.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/support/placement.h"

namespace exchange {
namespace {

using isolates::Isolate;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::SpawnOptions;
using isolates::Task;

// Feed, risk check, matching, publisher, journal; and a processor for the disk and the main thread.
constexpr std::size_t kDedicatedStages = 5;

SpawnOptions OptionsOf(const PipelineConfig& config, const char* stage) {
  SpawnOptions options;
  options.DebugName(stage);
  if (config.placement == Placement::kDedicated) {
    options.Dedicated();
    if (config.spins) options.Idle(isolates::BusySpin());
  }
  return options;
}

// Starts a stage, and gives its ports.
template <class Setup, class Ports>
Task<Ports> Start(Task<> (*stage)(Setup), Setup setup, SendPort<Ports> Setup::* connect,
                  SpawnOptions options) {
  ReceivePort<Ports> connected;
  setup.*connect = connected.send_port();
  auto started = Isolate::Spawn(stage, std::move(setup), options);
  co_await started;
  auto ports = co_await connected.Receive();
  co_return std::move(*ports);
}

struct DedicatedFeed {
  FeedSetup setup;
  SendPort<FeedReport> report;
};
Task<> RunDedicatedFeed(DedicatedFeed feed) {
  auto run = RunFeed(std::move(feed.setup));
  FeedReport report = co_await std::move(run);
  feed.report.Send(std::move(report));
}

class Pipeline {
 public:
  explicit Pipeline(PipelineConfig config) : config_(std::move(config)) {}
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  Task<PipelineResult> Run() {
    auto started = StartStages();
    FeedSetup feed = co_await std::move(started);
    PipelineResult result;
    if (config_.placement == Placement::kDedicated) {
      ReceivePort<FeedReport> report;
      DedicatedFeed dedicated{std::move(feed), report.send_port()};
      auto spawned = Isolate::Spawn(RunDedicatedFeed, std::move(dedicated), Named("feed"));
      co_await spawned;
      auto received = co_await report.Receive();
      result.feed = std::move(*received);
    } else {
      auto run = RunFeed(std::move(feed));
      result.feed = co_await std::move(run);
    }
    for (int i = 0; i < 4; ++i) {
      auto report = co_await reports_.Receive();
      Add(std::move(*report), result);
    }
    SortHops(result);
    co_return result;
  }

 private:
  SpawnOptions Named(const char* stage) const { return OptionsOf(config_, stage); }

  Task<FeedSetup> StartStages() {
    DiskSetup disk_setup{.path = config_.journal,
                         .rules = {config_.symbols, config_.limits},
                         .state = config_.recovered,
                         .acks = config_.acks,
                         .acks_too_early = config_.acks_too_early,
                         .connect = {}};
    auto disk_start = Start(RunDisk, std::move(disk_setup), &DiskSetup::connect,
                            SpawnOptions().DebugName("disk"));
    auto disk = co_await std::move(disk_start);

    JournalSetup journal_setup{.path = config_.journal,
                               .recovered = config_.recovered.records,
                               .warm_up = config_.warm_up,
                               .expected = config_.expected,
                               .disk = std::move(disk),
                               .connect = {},
                               .report = reports_.send_port()};
    auto journal_start = Start(RunJournal, std::move(journal_setup), &JournalSetup::connect,
                               Named("journal"));
    auto journal = co_await std::move(journal_start);

    PublisherSetup publisher_setup{.output = config_.output,
                                   .warm_up = config_.warm_up,
                                   .expected = config_.expected,
                                   .connect = {},
                                   .report = reports_.send_port()};
    auto publisher_start = Start(RunPublisher, std::move(publisher_setup),
                                 &PublisherSetup::connect, Named("publisher"));
    auto publisher = co_await std::move(publisher_start);

    MatchingSetup matching_setup{.symbols = config_.symbols,
                                 .warm_up = config_.warm_up,
                                 .publisher = publisher.in,
                                 .journal = journal.in,
                                 .connect = {},
                                 .report = reports_.send_port()};
    auto matching_start = Start(RunMatching, std::move(matching_setup), &MatchingSetup::connect,
                                Named("matching"));
    auto matching = co_await std::move(matching_start);

    RiskSetup risk_setup{.limits = config_.limits,
                         .warm_up = config_.warm_up,
                         .matching = std::move(matching),
                         .connect = {},
                         .report = reports_.send_port()};
    auto risk_start =
        Start(RunRisk, std::move(risk_setup), &RiskSetup::connect, Named("risk check"));
    auto risk = co_await std::move(risk_start);

    FeedSetup feed{.flow = config_.flow,
                   .journal = config_.journal,
                   .recovered = config_.recovered.records,
                   .warm_up = config_.warm_up,
                   .paced = config_.paced,
                   .spins = config_.spins,
                   .risk = std::move(risk),
                   .publisher_answers_to = publisher.answer_to,
                   .journal_answers_to = journal.answer_to};
    co_return feed;
  }

  static void Add(StageReport report, PipelineResult& result) {
    for (HopReport& hop : report.hops) result.hops.push_back(std::move(hop));
    if (report.stage == "publisher") {
      result.published = std::move(report.timeline);
      result.digest = report.digest;
      result.outputs = report.outputs;
    }
    if (report.stage == "journal") {
      result.durable = std::move(report.timeline);
      result.batches = report.batches;
    }
  }

  // In the order of the way, whoever was first to report.
  static void SortHops(PipelineResult& result) {
    const std::vector<std::string> way = {"feed_lateness",         "feed_to_risk",
                                          "risk_to_matching",      "matching_to_published",
                                          "matching_to_durable",   "end_to_end_published",
                                          "end_to_end_durable"};
    result.hops.push_back(result.feed.lateness);
    std::sort(result.hops.begin(), result.hops.end(), [&](const HopReport& a, const HopReport& b) {
      return std::find(way.begin(), way.end(), a.name) < std::find(way.begin(), way.end(), b.name);
    });
  }

  const PipelineConfig config_;
  ReceivePort<StageReport> reports_;
};

}  // namespace

Task<PipelineResult> RunPipeline(PipelineConfig config) {
  const auto pipeline = std::make_unique<Pipeline>(std::move(config));
  auto run = pipeline->Run();
  co_return co_await std::move(run);
}

Placement BestPlacement() {
  return isolates::bench::AllowedCpus().size() > kDedicatedStages ? Placement::kDedicated
                                                                  : Placement::kShared;
}

}  // namespace exchange
