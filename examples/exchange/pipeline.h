// The exchange: its stages as isolates, from the feed to the ends of the chain.
//
//   feed -> risk check -> matching -> publisher
//              ^------------'  `----> journal <-> disk
//
// With processors enough each stage but the disk has one for itself. Otherwise the feed is the main
// isolate, whose processor is its own because it never waits in the library (but the disk's thread
// sleeps there), and the others share the rest.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_PIPELINE_H_
#define ISOLATES_EXAMPLES_EXCHANGE_PIPELINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "examples/exchange/stages.h"
#include "isolates/isolates.h"

namespace exchange {

enum class Placement {
  kShared,     // the feed on the main thread, the others on workers
  kDedicated,  // a processor for each stage but the disk
};

struct PipelineConfig {
  FlowOptions flow;
  std::uint16_t symbols = 8;
  RiskLimits limits;
  std::uint64_t warm_up = 0;
  std::uint64_t expected = 0;  // nanoseconds that the paced part will last; 0: not known
  bool paced = true;
  bool spins = true;  // the feed and the dedicated stages, while they wait
  Placement placement = Placement::kShared;
  std::string output;
  std::string journal;
  JournalState recovered;  // what is there of the journal
  int acks = -1;
  bool acks_too_early = false;
};

struct PipelineResult {
  FeedReport feed;
  std::vector<HopReport> hops;
  std::vector<Timeline::Span> published;  // latency over the run
  std::vector<Timeline::Span> durable;
  DigestValue digest;
  std::uint64_t outputs = 0;
  std::uint64_t batches = 0;
};

// In an isolate. With Placement::kShared the feed runs in it.
isolates::Task<PipelineResult> RunPipeline(PipelineConfig config);
// The same on a plain thread: the main one.
PipelineResult RunPipelineHere(PipelineConfig config);

// What this machine allows, for the process as it is.
Placement BestPlacement();

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_PIPELINE_H_
