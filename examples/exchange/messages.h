// What the stages send to each other: by value, 64 bytes at most.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_MESSAGES_H_
#define ISOLATES_EXAMPLES_EXCHANGE_MESSAGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "examples/exchange/latency.h"
#include "examples/exchange/market_data.h"
#include "examples/exchange/order_flow.h"
#include "examples/exchange/risk_check.h"
#include "isolates/isolates.h"

namespace exchange {

// Times are those of the machine's monotonic clock, in nanoseconds.

// Feed to risk check, and on to matching.
struct OrderMessage {
  std::uint64_t sequence = 0;  // from 1
  std::int64_t taken = 0;      // when the stage that sends it took it (the feed: sent it)
  std::int64_t intended = 0;   // when the feed was to send it
  Order order;
};

// Matching to publisher. The flow ends with a message of sequence 0.
struct OutputMessage {
  std::uint64_t sequence = 0;
  std::int64_t taken = 0;
  std::int64_t intended = 0;
  Output output;
};

// Matching to journal.
struct JournalMessage {
  std::uint64_t sequence = 0;
  std::int64_t taken = 0;
  std::int64_t intended = 0;
  std::uint64_t chain = 0;
  Order order;
};

static_assert(sizeof(OrderMessage) <= 64);
static_assert(sizeof(OutputMessage) <= 64);
static_assert(sizeof(JournalMessage) <= 64);

// Journal to disk, which gives the bytes back when they are durable. No message without bytes,
// except the last.
struct DiskBatch {
  std::vector<std::byte> records;
  std::uint64_t sequence = 0;  // of the last of them
};
struct DurableBatch {
  std::vector<std::byte> records;
  std::uint64_t sequence = 0;
  std::int64_t durable = 0;  // when
};

// Publisher and journal to feed: all orders up to that one have got so far.
struct Credit {
  enum class Kind : std::uint8_t { kPublished, kJournaled, kDurable };
  std::uint64_t sequence = 0;
  Kind kind = Kind::kPublished;
};

// What a stage says at its end.
struct StageReport {
  std::string stage;
  std::vector<HopReport> hops;
  std::vector<Timeline::Span> timeline;  // of the publisher and the journal
  DigestValue digest;                    // of the publisher
  std::uint64_t outputs = 0;             // the same
  std::uint64_t batches = 0;             // of the journal
};

// The ports of a stage: where its messages come in, and where it waits to be told whom it answers.
// The stage before it in the chain tells it.
template <class In, class Answer>
struct StagePorts {
  isolates::SendPort<In> in;
  isolates::SendPort<isolates::SendPort<Answer>> answer_to;
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_MESSAGES_H_
