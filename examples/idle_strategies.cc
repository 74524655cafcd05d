// How threads wait: a strategy for all of them, another for one that must be awake, and one of the
// program's own.

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include "isolates/isolates.h"

namespace {

using isolates::Duration;
using isolates::IdleStrategy;
using isolates::Isolate;
using isolates::ReceivePort;
using isolates::Requester;
using isolates::RequestPort;
using isolates::SendPort;
using isolates::SpawnOptions;
using isolates::Task;

// Looks for 5 microseconds, yields between looks up to 50, then sleeps.
class LookYieldSleep final : public IdleStrategy {
 public:
  Step Next(const Memory&, Duration waited, bool crowded) const noexcept override {
    using std::chrono::microseconds;
    if (!crowded && waited < microseconds(5)) return {Step::Kind::kLook};
    if (waited < microseconds(50)) return {Step::Kind::kYield};
    return {Step::Kind::kSleep};
  }
};

using Doubler = Requester<int, int>;

void Double(const SendPort<Doubler>& started) {
  RequestPort<int, int> port;
  started.Send(port.requester());
  std::move(port).Handle([](int n) { return 2 * n; });
}

Task<> Main() {
  // One processor for this isolate alone, whose thread looks for messages all the time.
  ReceivePort<Doubler> started;
  const Isolate doubler = co_await Isolate::Spawn(
      Double, started.send_port(),
      SpawnOptions().DebugName("doubler").Dedicated().Idle(isolates::BusySpin()));
  const auto requester = co_await started.Receive();
  std::cout << co_await requester->Call(21) << '\n';

  // From now on, all others wait in the program's own way.
  isolates::SetIdleStrategy(std::make_shared<LookYieldSleep>());
  std::cout << co_await requester->Call(4) << '\n';
  doubler.Kill();
}

void Configure() {
  isolates::RuntimeOptions options;
  options.idle = isolates::SpinThenPark(std::chrono::microseconds(50));
  isolates::ConfigureRuntime(std::move(options));  // before the first use of the library
}

}  // namespace

int main() {
  Configure();
  return isolates::RunMain(Main);
}
