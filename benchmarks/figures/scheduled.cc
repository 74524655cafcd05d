// Round trips between isolates that are scheduled on workers.

#include <cstdint>
#include <utility>

#include "benchmarks/figures/figures.h"
#include "benchmarks/figures/pair.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/require.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

using Ball = Payload<64>;

std::uint64_t Warm(std::uint64_t count) { return count / 10 + 200; }

// Both: the port of this isolate and that of the other one.
std::pair<ReceivePort<Ball>, SendPort<Ball>> Meet(const PairSetup<Ball>& setup) {
  ReceivePort<Ball> port;
  ReceivePort<SendPort<Ball>> introduction;
  setup.own.Send(port.send_port());
  setup.introduction.Send(introduction.send_port());
  SendPort<Ball> other = *introduction.Receive(kForever);
  return {std::move(port), std::move(other)};
}

void Serve(PairSetup<Ball> setup) {
  auto [port, other] = Meet(setup);
  other.Send(Ball{});
  std::move(port).Listen([other = other, result = setup.result, count = setup.count,
                          returned = std::uint64_t{0},
                          start = std::int64_t{0}](ReceivePort<Ball>& own, Ball ball) mutable {
    ++returned;
    if (returned == Warm(count)) start = Nanoseconds();
    if (returned < Warm(count) + count) {
      other.Send(std::move(ball));
      return;
    }
    const auto ns = static_cast<double>(Nanoseconds() - start);
    Require(ball.words[0] == returned, "each round trip adds one");
    result.Send(ns / static_cast<double>(count));
    own.Close();
  });
}

void Return(PairSetup<Ball> setup) {
  auto [port, other] = Meet(setup);
  std::move(port).Listen(
      [other = other, result = setup.result, left = Warm(setup.count) + setup.count](
          ReceivePort<Ball>& own, Ball ball) mutable {
        ++ball.words[0];
        other.Send(std::move(ball));
        if (--left > 0) return;
        result.Send(0.0);
        own.Close();
      });
}

}  // namespace

void ScheduledFigures(Figures& figures) {
  const auto count = figures.Scale<std::uint64_t>(50'000, 500);
  const CpuPair cpus = figures.cpus();
  figures.Compare([=] { return RawBounce(cpus, static_cast<int>(count)); },
                  {{"round trip, on workers, 64 B",
                    [=] {
                      return RunPair<Ball>(count, {Serve, nullptr, SpawnOptions()},
                                           {Return, nullptr, SpawnOptions()});
                    }}},
                  "ns", {4});
}

}  // namespace isolates::bench
