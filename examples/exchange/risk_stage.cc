// The risk check as a stage: orders come from the feed, settlements from the matching engine.

#include <array>
#include <utility>

#include "benchmarks/support/histogram.h"
#include "benchmarks/support/stopwatch.h"
#include "examples/exchange/stages.h"

namespace exchange {
namespace {

using isolates::bench::Histogram;
using isolates::bench::Nanoseconds;

class Risk {
 public:
  explicit Risk(RiskSetup setup) : setup_(std::move(setup)), check_(setup_.limits) {
    setup_.matching.answer_to.Send(settlements_.send_port());
    // What goes wrong in a stage ends the program: the others would wait for it.
    settlements_.ListenBatch([this](const Settlement& settlement, bool last) noexcept {
      check_.Settle(settlement);
      if (last) CheckWaiting();
    });
    orders_.ListenBatch([this](const OrderMessage& message, bool) noexcept { Take(message); });
  }
  Risk(const Risk&) = delete;
  Risk& operator=(const Risk&) = delete;

  StagePorts<OrderMessage, Credit> ports() const { return {orders_.send_port(), {}}; }
  isolates::Future<void> Ended() { return ended_.future(); }
  StageReport AtTheEnd() const {
    StageReport report;
    report.stage = "risk check";
    report.hops.push_back(Report("feed_to_risk", from_feed_));
    return report;
  }

 private:
  void Take(OrderMessage message) {
    if (message.order.type == OrderType::kEnd) {
      setup_.matching.in.Send(std::move(message));
      ended_.Complete();
      return;
    }
    rehearsal_.Pass(message.sequence);
    const std::int64_t now = Nanoseconds();
    if (message.sequence > setup_.warm_up) {
      from_feed_.Record(static_cast<std::uint64_t>(now - message.taken));
    }
    message.taken = now;
    // There are no more than the window, and they stay in line.
    waiting_[(first_ + count_++) % kWindow] = message;
    CheckWaiting();
  }
  void CheckWaiting() {
    for (; count_ != 0 && check_.Ready(waiting_[first_].sequence); --count_) {
      OrderMessage& message = waiting_[first_];
      first_ = (first_ + 1) % kWindow;
      message.order.verdict = check_.Check(message.sequence, message.order);
      setup_.matching.in.Send(OrderMessage(message));
    }
  }

  const RiskSetup setup_;
  const Rehearsal rehearsal_{0, setup_.warm_up};
  RiskCheck check_;
  std::array<OrderMessage, kWindow> waiting_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  Histogram from_feed_;
  isolates::ReceivePort<OrderMessage> orders_{"orders to check"};
  isolates::ReceivePort<Settlement> settlements_{"settlements"};
  isolates::Completer<void> ended_;
};

}  // namespace

isolates::Task<> RunRisk(RiskSetup setup) {
  const auto connect = setup.connect;
  const auto report = setup.report;
  const auto risk = std::make_unique<Risk>(std::move(setup));
  connect.Send(risk->ports());
  auto ended = risk->Ended();
  co_await ended;
  report.Send(risk->AtTheEnd());
}

}  // namespace exchange
