// Spawn storm: several isolates start others as fast as they can; each of these says one word and
// ends. What it stresses: births and deaths at the same time on all workers.

#include <cstdint>
#include <string>
#include <utility>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

constexpr int kSpawners = 4;

struct Setup {
  int count;
  bool light;
  SendPort<std::int64_t> sums;
};

void Child(std::pair<int, SendPort<int>> job) { job.second.Send(int{job.first}); }

Task<> Spawner(Setup setup) {
  ReceivePort<int> words;
  for (int i = 1; i <= setup.count; ++i) {
    // Not in the co_await expression: g++ 12 destroys aggregates there twice.
    auto job = std::pair(i, words.send_port());
    auto started = Isolate::Spawn(Child, std::move(job), SpawnOptions().Light(setup.light));
    co_await started;
  }
  std::int64_t sum = 0;
  for (int i = 0; i < setup.count; ++i) sum += *co_await words.Receive();
  setup.sums.Send(std::int64_t{sum});
}

// Nanoseconds for each isolate, from the first start to the end of the last.
double Storm(int count, bool light) {
  ReceivePort<std::int64_t> sums;
  const std::int64_t each = count / kSpawners;
  const Stopwatch watch;
  Crew crew;
  for (int i = 0; i < kSpawners; ++i) {
    crew.Start(Spawner, Setup{static_cast<int>(each), light, sums.send_port()});
  }
  std::int64_t sum = 0;
  for (int i = 0; i < kSpawners; ++i) sum += *sums.Receive(kForever);
  crew.Wait();
  const double ns = watch.ns_each(kSpawners * each);
  Require(sum == kSpawners * (each * (each + 1) / 2), "each isolate has said its word");
  return ns;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  const int count = program.Scale(100'000, 400);
  program.Measure("a light isolate, its whole life", "ns",
                  [=] { return isolates::bench::Storm(count, true); });
  program.Measure("an isolate with a heap, its whole life", "ns",
                  [=] { return isolates::bench::Storm(count, false); });
  return program.Finish();
}
