// The stages of the exchange: each is the entry of an isolate. They start from the last to the
// first, since each needs the ports of those behind it; a stage gives its ports to `connect`.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_STAGES_H_
#define ISOLATES_EXAMPLES_EXCHANGE_STAGES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "benchmarks/support/stopwatch.h"
#include "examples/exchange/journal.h"
#include "examples/exchange/memory.h"
#include "examples/exchange/messages.h"
#include "examples/exchange/order_generator.h"
#include "isolates/isolates.h"

namespace exchange {

// Orders that may be on their way between the feed and the ends of the chain; what comes faster
// waits in the feed. It bounds the queue of each port. So few that what they lead to fits into one
// segment of a lane (some 230 messages): then the segments that a lane has at the end of the
// warm-up are enough, and it allocates nothing more.
inline constexpr std::uint64_t kWindow = 96;
static_assert(kWindow < RiskCheck::kLag, "the risk check would wait for orders behind its own");

// In the warm-up each stage once stands still for a while, at an order of its own, so that the
// queue before it gets as long as the window lets it, and the memory for that is there afterwards.
class Rehearsal {
 public:
  // `stage`: a number of its own, from 0.
  Rehearsal(int stage, std::uint64_t warm_up) noexcept
      : at_(warm_up < kLeast ? 0 : kLeast / 8 * (static_cast<std::uint64_t>(stage) + 2)) {}
  void Pass(std::uint64_t sequence) const noexcept {
    if (sequence != at_) return;
    for (const std::int64_t end = isolates::bench::Nanoseconds() + kLength;
         isolates::bench::Nanoseconds() < end;) {
    }
  }

 private:
  static constexpr std::uint64_t kLeast = 40'000;
  static constexpr std::int64_t kLength = 3'000'000;  // nanoseconds

  std::uint64_t at_;
};

// --- feed handler

struct FlowOptions {
  std::string input;  // a file, or "-"; empty: the generator
  GeneratorOptions generator;
};
// Throws FlowError, std::system_error.
std::unique_ptr<OrderSource> OpenFlow(const FlowOptions& options);

struct FeedReport {
  std::string error;  // why the flow ended early
  std::uint64_t orders = 0;
  double seconds = 0;   // of the paced part
  MemoryEvents steady;  // in the paced part
  HopReport lateness;   // from the intended to the actual sending
};

struct FeedSetup {
  FlowOptions flow;
  std::string journal;          // replayed first, if there are recovered orders
  std::uint64_t recovered = 0;  // orders of the flow that the journal has
  std::uint64_t warm_up = 0;    // orders that come as fast as they can; then all is measured
  bool paced = true;            // each order at its time; else as fast as they can
  bool spins = true;            // has a processor of its own while it waits
  StagePorts<OrderMessage, Credit> risk;  // answers nothing
  isolates::SendPort<isolates::SendPort<Credit>> publisher_answers_to;
  isolates::SendPort<isolates::SendPort<Credit>> journal_answers_to;
};
isolates::Task<FeedReport> RunFeed(FeedSetup setup);

// --- risk check

struct RiskSetup {
  RiskLimits limits;
  std::uint64_t warm_up = 0;
  StagePorts<OrderMessage, Settlement> matching;
  isolates::SendPort<StagePorts<OrderMessage, Credit>> connect;
  isolates::SendPort<StageReport> report;
};
isolates::Task<> RunRisk(RiskSetup setup);

// --- matching

struct MatchingSetup {
  std::uint16_t symbols = 0;
  std::uint64_t warm_up = 0;
  isolates::SendPort<OutputMessage> publisher;
  isolates::SendPort<JournalMessage> journal;
  isolates::SendPort<StagePorts<OrderMessage, Settlement>> connect;
  isolates::SendPort<StageReport> report;
};
isolates::Task<> RunMatching(MatchingSetup setup);

// --- market-data publisher

struct PublisherSetup {
  std::string output;  // a file; empty: none
  std::uint64_t warm_up = 0;
  std::uint64_t expected = 0;  // nanoseconds
  isolates::SendPort<StagePorts<OutputMessage, Credit>> connect;
  isolates::SendPort<StageReport> report;
};
isolates::Task<> RunPublisher(PublisherSetup setup);

// --- journal

struct JournalSetup {
  std::string path;             // empty: none
  std::uint64_t recovered = 0;  // orders that the journal has: they are compared, not written
  std::uint64_t warm_up = 0;
  std::uint64_t expected = 0;  // nanoseconds
  StagePorts<DiskBatch, DurableBatch> disk;
  isolates::SendPort<StagePorts<JournalMessage, Credit>> connect;
  isolates::SendPort<StageReport> report;
};
isolates::Task<> RunJournal(JournalSetup setup);

// --- disk

// Writes what the journal gives it, and acknowledges what is durable: eight bytes for each batch,
// the sequence of its last order, to a descriptor. A journal that cannot be written ends the
// program, since nothing more could be acknowledged.
struct DiskSetup {
  std::string path;  // of the journal; empty: none
  JournalRules rules;
  JournalState state;
  int acks = -1;                // a descriptor, or -1
  bool acks_too_early = false;  // for tests of the crash test: acknowledges what is not written
  isolates::SendPort<StagePorts<DiskBatch, DurableBatch>> connect;
};
isolates::Task<> RunDisk(DiskSetup setup);

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_STAGES_H_
