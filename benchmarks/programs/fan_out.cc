// Fan-out: one isolate sends to many in turn. What it stresses: waking receivers, and the sender's
// table of ports. (Savina "throughput"; the core of every dispatcher.)

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

struct Setup {
  SendPort<SendPort<std::uint64_t>> connect;
  SendPort<std::uint64_t> sums;
};

// Adds up what it gets; zero ends it.
void Consume(Setup setup) {
  ReceivePort<std::uint64_t> numbers;
  setup.connect.Send(numbers.send_port());
  std::move(numbers).Listen([sums = setup.sums, sum = std::uint64_t{0}](
                                ReceivePort<std::uint64_t>& port, std::uint64_t number) mutable {
    sum += number;
    if (number != 0) return;
    sums.Send(std::uint64_t{sum});
    port.Close();
  });
}

// Nanoseconds for each message until all were handled.
double FanOut(int receivers, std::uint64_t messages) {
  ReceivePort<SendPort<std::uint64_t>> connect;
  ReceivePort<std::uint64_t> sums;
  Crew crew;
  std::vector<SendPort<std::uint64_t>> ports;
  for (int i = 0; i < receivers; ++i) {
    crew.Start(Consume, Setup{connect.send_port(), sums.send_port()});
    ports.push_back(*connect.Receive(kForever));
  }
  const Stopwatch watch;
  for (std::uint64_t i = 1; i <= messages; ++i) ports[i % ports.size()].Send(std::uint64_t{i});
  for (const auto& port : ports) port.Send(std::uint64_t{0});
  std::uint64_t sum = 0;
  for (int i = 0; i < receivers; ++i) sum += *sums.Receive(kForever);
  const double ns = watch.ns_each(static_cast<std::int64_t>(messages));
  Require(sum == messages * (messages + 1) / 2, "each message is handled once");
  crew.Wait();
  return ns;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  const auto messages = program.Scale<std::uint64_t>(400'000, 2'000);
  for (const int receivers : {1, 4, 64}) {
    program.Measure("a message to one of " + std::to_string(receivers), "ns",
                    [=] { return isolates::bench::FanOut(receivers, messages); });
  }
  return program.Finish();
}
