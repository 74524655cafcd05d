// The feed handler: sends each order at its time, and no more than the window allows.

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "benchmarks/support/histogram.h"
#include "benchmarks/support/stopwatch.h"
#include "examples/exchange/stages.h"

namespace exchange {
namespace {

using isolates::bench::Histogram;
using isolates::bench::Nanoseconds;

// Between the end of the warm-up and the first order that is measured.
constexpr std::int64_t kPause = 1'000'000;
// How far off the next order must be to let others pass.
constexpr std::int64_t kWorthYielding = 3'000;
// Where the feed has no processor of its own: how far off the next order must be.
constexpr std::int64_t kWorthSleeping = 20'000;

// First what the journal has, then what follows that in the flow. The flow may begin with the
// orders that the journal has, which must be the same.
class RecoveredSource final : public OrderSource {
 public:
  RecoveredSource(const std::string& journal, std::uint64_t recovered,
                  std::unique_ptr<OrderSource> flow)
      : journal_(journal), left_(recovered), flow_(std::move(flow)) {}

  bool Next(Order& order) override {
    if (left_ == 0) return flow_->Next(order);
    --left_;
    Order sent;
    if (!journal_.Next(order) || !flow_->Next(sent) || sent != order) {
      throw std::runtime_error("the journal has other orders than the flow");
    }
    return true;
  }

 private:
  JournalSource journal_;
  std::uint64_t left_;
  std::unique_ptr<OrderSource> flow_;
};

class Feed {
 public:
  explicit Feed(FeedSetup setup) : setup_(std::move(setup)), source_(OpenFlow(setup_.flow)) {
    if (setup_.recovered != 0) {
      source_ =
          std::make_unique<RecoveredSource>(setup_.journal, setup_.recovered, std::move(source_));
    }
    setup_.publisher_answers_to.Send(credits_.send_port());
    setup_.journal_answers_to.Send(credits_.send_port());
  }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  isolates::Task<FeedReport> Run() {
    FeedReport report;
    MemoryEvents before;
    std::int64_t started = 0;
    OrderMessage message;
    for (;;) {
      const bool more = Next(message.order, report.error);
      const bool measures = sequence_ == setup_.warm_up;
      // Here and not in a coroutine of its own, whose frame would be allocated.
      while (!more || measures ? !AllArrived() : !HasRoom()) {
        if (TakeAllThere()) continue;
        if (setup_.spins) {
          sched_yield();  // to the disk
        } else {
          const auto credit = co_await credits_.Receive();
          Take(*credit);
        }
      }
      if (!more) break;
      if (measures) {
        if (setup_.spins) PrefaultMemory();
        before = CountMemoryEvents();
        started = Nanoseconds() + kPause;
        first_time_ = message.order.time;
      }
      message.sequence = ++sequence_;
      message.taken = Nanoseconds();
      message.intended = message.taken;
      if (setup_.paced && started != 0) {
        message.intended = started + static_cast<std::int64_t>(message.order.time - first_time_);
        while (message.taken < message.intended) {
          TakeAllThere();
          const std::int64_t early = message.intended - message.taken;
          if (setup_.spins && early > kWorthYielding) {
            sched_yield();  // to the disk
          } else if (!setup_.spins && early > kWorthSleeping) {
            co_await isolates::Delay(std::chrono::nanoseconds(early));
          }
          message.taken = Nanoseconds();
        }
      }
      if (started != 0) {
        lateness_.Record(static_cast<std::uint64_t>(message.taken - message.intended));
      }
      setup_.risk.in.Send(OrderMessage(message));
    }
    if (started != 0) {
      const MemoryEvents after = CountMemoryEvents();
      report.steady = {.allocations = after.allocations - before.allocations,
                       .minor_faults = after.minor_faults - before.minor_faults,
                       .major_faults = after.major_faults - before.major_faults};
      report.seconds = 1e-9 * static_cast<double>(Nanoseconds() - started);
    }
    report.orders = sequence_;
    report.lateness = Report("feed_lateness", lateness_);
    message.order.type = OrderType::kEnd;
    setup_.risk.in.Send(std::move(message));
    co_return report;
  }

 private:
  // What cannot be read ends the flow.
  bool Next(Order& order, std::string& error) {
    try {
      return source_->Next(order);
    } catch (const std::exception& thrown) {
      error = thrown.what();
      return false;
    }
  }

  bool HasRoom() const noexcept { return sequence_ < std::min(published_, journaled_) + kWindow; }
  bool AllArrived() const noexcept { return std::min(published_, durable_) == sequence_; }

  void Take(const Credit& credit) noexcept {
    if (credit.kind == Credit::Kind::kPublished) published_ = credit.sequence;
    if (credit.kind == Credit::Kind::kJournaled) journaled_ = credit.sequence;
    if (credit.kind == Credit::Kind::kDurable) durable_ = credit.sequence;
  }
  // False: there was nothing.
  bool TakeAllThere() {
    bool something = false;
    while (const auto credit = credits_.TryReceive()) {
      Take(*credit);
      something = true;
    }
    return something;
  }

  const FeedSetup setup_;
  std::unique_ptr<OrderSource> source_;
  isolates::ReceivePort<Credit> credits_{"credits"};
  std::uint64_t sequence_ = 0;  // of the last order that was sent
  std::uint64_t published_ = 0;
  std::uint64_t journaled_ = 0;
  std::uint64_t durable_ = 0;
  std::uint64_t first_time_ = 0;  // of the first order that is measured
  Histogram lateness_;
};

}  // namespace

std::unique_ptr<OrderSource> OpenFlow(const FlowOptions& options) {
  if (options.input.empty()) return std::make_unique<OrderGenerator>(options.generator);
  auto reader = std::make_unique<FlowReader>(options.input);
  const std::uint16_t symbols = reader->header().symbols;
  if (options.input == "-" && symbols > options.generator.symbols) {
    throw FlowError(12, std::to_string(symbols) + " symbols; the exchange was started for " +
                            std::to_string(options.generator.symbols));
  }
  return reader;
}

isolates::Task<FeedReport> RunFeed(FeedSetup setup) {
  const auto feed = std::make_unique<Feed>(std::move(setup));
  auto run = feed->Run();
  co_return co_await std::move(run);
}

}  // namespace exchange
