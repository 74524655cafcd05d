// Four isolates send to one.

#include <cstdint>
#include <utility>

#include "benchmarks/figures/figures.h"
#include "benchmarks/figures/pair.h"
#include "benchmarks/programs/crew.h"
#include "benchmarks/support/baselines.h"
#include "benchmarks/support/require.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

using Item = Payload<64>;
constexpr std::uint64_t kSenders = 4;

struct CollectSetup {
  std::uint64_t count;
  SendPort<SendPort<Item>> own;
  SendPort<double> result;
};

void Collect(CollectSetup setup) {
  ReceivePort<Item> port;
  setup.own.Send(port.send_port());
  std::uint64_t sum = Next(port).words[7];
  const Stopwatch watch;
  for (std::uint64_t i = 1; i < setup.count; ++i) sum += Next(port).words[7];
  setup.result.Send(watch.ns_each(static_cast<std::int64_t>(setup.count - 1)));
  const std::uint64_t each = setup.count / kSenders;
  Require(sum == kSenders * (each * (each + 1) / 2), "each message is received once");
}

void Produce(std::pair<SendPort<Item>, std::uint64_t> job) {
  for (std::uint64_t i = 1; i <= job.second; ++i) {
    Item item;
    item.words.fill(i);
    job.first.Send(std::move(item));
  }
}

// The receiver has a processor for itself and polls; so the senders are on the other one, as the
// producers of the baseline are. Nanoseconds for each message.
double FourToOne(CpuPair cpus, std::uint64_t messages) {
  const std::uint64_t each = messages / kSenders;
  ReceivePort<SendPort<Item>> own;
  ReceivePort<double> result;
  Crew crew;
  crew.Start(Collect, CollectSetup{kSenders * each, own.send_port(), result.send_port()},
             SpawnOptions().Dedicated(cpus.near).Idle(BusySpin()));
  const SendPort<Item> to = *own.Receive(kForever);
  for (std::uint64_t i = 0; i < kSenders; ++i) crew.Start(Produce, std::pair(to, each));
  crew.Wait();
  return *result.Receive(kForever);
}

}  // namespace

void FanInFigures(Figures& figures) {
  const CpuPair cpus = figures.cpus();
  const auto messages = figures.Scale<std::uint64_t>(1'000'000, 20'000);
  figures.CompareRates([=] { return MoodycamelFourToOne(cpus, static_cast<int>(messages)); },
                       {{"four to one, 64 B (limit: moodycamel with tokens)",
                         [=] { return FourToOne(cpus, messages); }}},
                       "million/s", {1.5});
}

}  // namespace isolates::bench
