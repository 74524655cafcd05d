// Round trips, as cost.py compares them: nanoseconds each, one JSON object.
//
//   round_trips COUNT [trace]

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "benchmarks/figures/pair.h"
#include "benchmarks/figures/round_trip.h"
#include "benchmarks/support/placement.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

using Ball = Payload<64>;

std::pair<ReceivePort<Ball>, SendPort<Ball>> Meet(const PairSetup<Ball>& setup) {
  ReceivePort<Ball> port;
  ReceivePort<SendPort<Ball>> introduction;
  setup.own.Send(port.send_port());
  setup.introduction.Send(introduction.send_port());
  SendPort<Ball> other = *introduction.Receive(kForever);
  return {std::move(port), std::move(other)};
}

// On workers: both listen.
void Bounce(PairSetup<Ball> setup, bool serves) {
  auto [port, other] = Meet(setup);
  if (serves) other.Send(Ball{});
  const std::uint64_t warm = setup.count / 10 + 200;
  std::move(port).Listen([other = other, result = setup.result, warm, count = setup.count,
                          returned = std::uint64_t{0},
                          start = std::int64_t{0}](ReceivePort<Ball>& own, Ball ball) mutable {
    ++returned;
    if (returned == warm) start = Nanoseconds();
    // The one that serves has sent one more.
    other.Send(std::move(ball));
    if (returned < warm + count) return;
    result.Send(static_cast<double>(Nanoseconds() - start) / static_cast<double>(count));
    own.Close();
  });
}
void Serve(PairSetup<Ball> setup) { Bounce(std::move(setup), true); }
void Return(PairSetup<Ball> setup) { Bounce(std::move(setup), false); }

template <class Message>
double Dedicated(CpuPair cpus, std::uint64_t count) {
  return DedicatedPair<Message>(cpus, count, Ping<Message>, Pong<Message>);
}

int Run(std::uint64_t count) {
  const auto cpus = TwoCpus();
  if (!cpus) return 1;
  const double small = Dedicated<Payload<8>>(*cpus, count);
  const double large = Dedicated<Payload<64>>(*cpus, count);
  const double on_workers =
      RunPair<Ball>(count, {Serve, nullptr, SpawnOptions()}, {Return, nullptr, SpawnOptions()});
  std::printf("{\"dedicated_8\": %.2f, \"dedicated_64\": %.2f, \"workers_64\": %.2f}\n", small,
              large, on_workers);
  return 0;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  if (argc > 2 && std::strcmp(argv[2], "trace") == 0) isolates::Trace::Start();
  return isolates::bench::Run(std::strtoull(argv[1], nullptr, 10));
}
