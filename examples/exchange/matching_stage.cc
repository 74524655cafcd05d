// The matching engine as a stage: the one place where all orders pass in one line.

#include <utility>

#include "benchmarks/support/histogram.h"
#include "benchmarks/support/stopwatch.h"
#include "examples/exchange/matching_engine.h"
#include "examples/exchange/stages.h"

namespace exchange {
namespace {

using isolates::bench::Histogram;
using isolates::bench::Nanoseconds;

class Matching {
 public:
  explicit Matching(MatchingSetup setup) : setup_(std::move(setup)), engine_(setup_.symbols) {}
  Matching(const Matching&) = delete;
  Matching& operator=(const Matching&) = delete;

  isolates::Task<> Run() {
    setup_.connect.Send({orders_.send_port(), answer_to_.send_port()});
    settle_ = *co_await answer_to_.Receive();
    orders_.ListenBatch([this](const OrderMessage& message, bool) noexcept { Take(message); });
    auto ended = ended_.future();
    co_await ended;
    StageReport report;
    report.stage = "matching";
    report.hops.push_back(Report("risk_to_matching", from_risk_));
    setup_.report.Send(std::move(report));
  }

 private:
  void Take(const OrderMessage& message) {
    if (message.order.type == OrderType::kEnd) {
      setup_.publisher.Send(OutputMessage{});
      setup_.journal.Send(JournalMessage{});
      ended_.Complete();
      return;
    }
    rehearsal_.Pass(message.sequence);
    const std::int64_t now = Nanoseconds();
    if (message.sequence > setup_.warm_up) {
      from_risk_.Record(static_cast<std::uint64_t>(now - message.taken));
    }
    const Outcome& outcome = engine_.Apply(message.sequence, message.order);
    for (const Output& output : outcome.outputs) {
      setup_.publisher.Send({message.sequence, now, message.intended, output});
    }
    setup_.journal.Send({message.sequence, now, message.intended, engine_.chain(), message.order});
    for (const Settlement& settlement : outcome.settlements) settle_.Send(Settlement(settlement));
  }

  const MatchingSetup setup_;
  const Rehearsal rehearsal_{1, setup_.warm_up};
  MatchingEngine engine_;
  Histogram from_risk_;
  isolates::ReceivePort<OrderMessage> orders_{"orders to match"};
  isolates::ReceivePort<isolates::SendPort<Settlement>> answer_to_;
  isolates::SendPort<Settlement> settle_;
  isolates::Completer<void> ended_;
};

}  // namespace

isolates::Task<> RunMatching(MatchingSetup setup) {
  const auto matching = std::make_unique<Matching>(std::move(setup));
  auto run = matching->Run();
  co_await std::move(run);
}

}  // namespace exchange
