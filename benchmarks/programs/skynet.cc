// Skynet: an isolate starts ten, each of these ten, and so on; the leaves send their numbers up,
// and every isolate the sum of its ten. What it stresses: the birth and the memory of very many
// isolates. (github.com/atemerev/skynet)

#include <cstdint>
#include <string>
#include <utility>

#include "benchmarks/programs/program.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

constexpr std::uint64_t kChildren = 10;

struct Setup {
  std::uint64_t number;
  std::uint64_t leaves;  // below it
  SendPort<std::uint64_t> parent;
};

Task<> Node(Setup setup) {
  if (setup.leaves == 1) {
    setup.parent.Send(std::uint64_t{setup.number});
    co_return;
  }
  ReceivePort<std::uint64_t> sums;
  const std::uint64_t leaves = setup.leaves / kChildren;
  for (std::uint64_t i = 0; i < kChildren; ++i) {
    // Not in the co_await expression: g++ 12 destroys aggregates there twice.
    Setup child{setup.number + i * leaves, leaves, sums.send_port()};
    auto started = Isolate::Spawn(Node, std::move(child), SpawnOptions().Light());
    co_await started;
  }
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < kChildren; ++i) sum += *co_await sums.Receive();
  setup.parent.Send(std::uint64_t{sum});
}

// Milliseconds.
double Skynet(std::uint64_t leaves) {
  ReceivePort<std::uint64_t> sums;
  const Stopwatch watch;
  Isolate::Spawn(Node, Setup{0, leaves, sums.send_port()}, SpawnOptions().Light()).Get();
  const std::uint64_t sum = *sums.Receive(kForever);
  const double ms = 1e3 * watch.seconds();
  Require(sum == leaves * (leaves - 1) / 2, "the sum of all leaves");
  return ms;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  const auto leaves = program.Scale<std::uint64_t>(100'000, 1'000);
  program.Measure(std::to_string(leaves) + " leaves", "ms",
                  [=] { return isolates::bench::Skynet(leaves); });
  return program.Finish();
}
