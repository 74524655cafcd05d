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
  } else {
    // Without heaps of their own: a move to another worker leaves nothing behind to be noted.
    options.Light();
  }
  return options;
}

constexpr int kReports = 4;  // of all stages but the feed and the disk

// Starts a stage, and gives its ports.
template <class Setup, class Ports>
Task<Ports> StartStage(Task<> (*stage)(Setup), Setup setup, SendPort<Ports> Setup::* connect,
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

  // In steps, each of which may be waited for in its own way.
  Task<FeedSetup> StartStages() {
    DiskSetup disk_setup{.path = config_.journal,
                         .rules = {config_.symbols, config_.limits},
                         .state = config_.recovered,
                         .acks = config_.acks,
                         .acks_too_early = config_.acks_too_early,
                         .connect = {}};
    auto disk_start =
        StartStage(RunDisk, std::move(disk_setup), &DiskSetup::connect, OptionsOfDisk());
    auto disk = co_await std::move(disk_start);

    JournalSetup journal_setup{.path = config_.journal,
                               .recovered = config_.recovered.records,
                               .warm_up = config_.warm_up,
                               .expected = config_.expected,
                               .disk = std::move(disk),
                               .connect = {},
                               .report = reports_.send_port()};
    auto journal_start =
        StartStage(RunJournal, std::move(journal_setup), &JournalSetup::connect, Named("journal"));
    auto journal = co_await std::move(journal_start);

    PublisherSetup publisher_setup{.output = config_.output,
                                   .warm_up = config_.warm_up,
                                   .expected = config_.expected,
                                   .connect = {},
                                   .report = reports_.send_port()};
    auto publisher_start = StartStage(RunPublisher, std::move(publisher_setup),
                                      &PublisherSetup::connect, Named("publisher"));
    auto publisher = co_await std::move(publisher_start);

    MatchingSetup matching_setup{.symbols = config_.symbols,
                                 .warm_up = config_.warm_up,
                                 .publisher = publisher.in,
                                 .journal = journal.in,
                                 .connect = {},
                                 .report = reports_.send_port()};
    auto matching_start = StartStage(RunMatching, std::move(matching_setup),
                                     &MatchingSetup::connect, Named("matching"));
    auto matching = co_await std::move(matching_start);

    RiskSetup risk_setup{.limits = config_.limits,
                         .warm_up = config_.warm_up,
                         .matching = std::move(matching),
                         .connect = {},
                         .report = reports_.send_port()};
    auto risk_start =
        StartStage(RunRisk, std::move(risk_setup), &RiskSetup::connect, Named("risk check"));
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

  Task<FeedReport> RunFeedOnItsProcessor(FeedSetup setup) {
    ReceivePort<FeedReport> report;
    DedicatedFeed dedicated{std::move(setup), report.send_port()};
    auto spawned = Isolate::Spawn(RunDedicatedFeed, std::move(dedicated), Named("feed"));
    co_await spawned;
    auto received = co_await report.Receive();
    co_return std::move(*received);
  }

  Task<PipelineResult> Collect(FeedReport feed) {
    PipelineResult result;
    result.feed = std::move(feed);
    for (int i = 0; i < kReports; ++i) {
      auto report = co_await reports_.Receive();
      Add(std::move(*report), result);
    }
    SortHops(result);
    co_return result;
  }

 private:
  SpawnOptions Named(const char* stage) const { return OptionsOf(config_, stage); }

  // The disk has a thread that waits for the storage nearly all the time: it shares the processor
  // of the feed, which lets it pass while it is ahead of its time.
  SpawnOptions OptionsOfDisk() const {
    SpawnOptions options;
    options.DebugName("disk");
    if (config_.placement == Placement::kShared && config_.spins) {
      options.Dedicated(isolates::bench::AllowedCpus().front()).Idle(isolates::Park());
    }
    return options;
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
    const std::vector<std::string> way = {
        "feed_lateness",       "feed_to_risk",         "risk_to_matching",  "matching_to_published",
        "matching_to_durable", "end_to_end_published", "end_to_end_durable"};
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
  const bool dedicated = config.placement == Placement::kDedicated;
  const auto pipeline = std::make_unique<Pipeline>(std::move(config));
  auto start = pipeline->StartStages();
  FeedSetup setup = co_await std::move(start);
  auto run =
      dedicated ? pipeline->RunFeedOnItsProcessor(std::move(setup)) : RunFeed(std::move(setup));
  FeedReport feed = co_await std::move(run);
  auto collect = pipeline->Collect(std::move(feed));
  co_return co_await std::move(collect);
}

PipelineResult RunPipelineHere(PipelineConfig config) {
  if (config.placement == Placement::kDedicated || !config.spins) {
    return isolates::Start(RunPipeline(std::move(config))).Get();
  }
  Pipeline pipeline(std::move(config));
  FeedSetup setup = isolates::Start(pipeline.StartStages()).Get();
  // Not before: threads that are started inherit it.
  const isolates::bench::PinnedHere pinned(isolates::bench::AllowedCpus().front());
  // A feed that spins comes to its end in the call of Start: this thread does not wait in the
  // library meanwhile, and so keeps its processor from the workers.
  FeedReport feed = isolates::Start(RunFeed(std::move(setup))).Get();
  return isolates::Start(pipeline.Collect(std::move(feed))).Get();
}

Placement BestPlacement() {
  return isolates::bench::AllowedCpus().size() > kDedicatedStages ? Placement::kDedicated
                                                                  : Placement::kShared;
}

}  // namespace exchange
