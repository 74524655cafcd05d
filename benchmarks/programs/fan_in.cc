// Fan-in: isolates send as fast as they can, one receives, awake. What it stresses: the sending end
// of one port, by several at once. (Savina "counting" with many senders; the core of every logger.)
//
// Against a raw stream of 64-byte messages from one processor to another. Rates: more is better.

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/baselines.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

template <std::size_t kBytes>
struct Message {
  std::array<std::uint64_t, kBytes / 8> words{};
};

template <class Item>
void Produce(std::pair<SendPort<Item>, std::uint64_t> job) {
  for (std::uint64_t i = 1; i <= job.second; ++i) {
    Item item;
    item.words.fill(i);
    job.first.Send(std::move(item), kForever);
  }
}

// Messages in a second.
template <class Item>
double Rate(const PortOptions& options, std::uint64_t senders, std::uint64_t messages) {
  const std::uint64_t each = messages / senders;
  ReceivePort<Item> port(options);
  const Stopwatch watch;
  Crew crew;
  for (std::uint64_t i = 0; i < senders; ++i)
    crew.Start(Produce<Item>, std::pair(port.send_port(), each));
  // A full port with room only for the latest: what has been dropped is not received.
  const bool drops = options.on_full() == FullPolicy::kDropOldest;
  const std::uint64_t all = senders * each;
  std::vector<Item> batch;
  std::uint64_t received = 0;
  std::uint64_t sum = 0;
  while (drops ? port.counters().dropped_oldest + received < all : received < all) {
    batch.clear();
    received += port.TryReceiveBatch(batch, 64);
    for (const Item& item : batch) sum += item.words.back();
  }
  const double rate = static_cast<double>(all) / watch.seconds();
  if (drops) {
    Require(sum > 0, "the latest are received");
  } else {
    Require(sum == senders * (each * (each + 1) / 2), "each message is received once");
  }
  crew.Wait();
  return rate;
}

// In millions, as all rates of the table.
template <class Item>
Candidate Row(std::string name, const PortOptions& options, std::uint64_t senders,
              std::uint64_t messages) {
  return {std::move(name), [=] { return 1e-6 * Rate<Item>(options, senders, messages); }};
}

void Run(Program& program) {
  const auto messages = program.Scale<std::uint64_t>(1'000'000, 4'000);
  const PortOptions unbounded;
  const auto bounded = PortOptions().Capacity(1024);
  const auto total = PortOptions().Order(MessageOrder::kTotal);
  const auto latest =
      PortOptions().Capacity(1024).Order(MessageOrder::kTotal).OnFull(FullPolicy::kDropOldest);
  std::vector<Candidate> rows = {
      Row<Message<56>>("1 sender, 56 B", unbounded, 1, messages),
      Row<Message<64>>("1 sender, 64 B", unbounded, 1, messages),
      Row<Message<64>>("2 senders, 64 B", unbounded, 2, messages),
      Row<Message<64>>("4 senders, 64 B", unbounded, 4, messages),
      Row<Message<64>>("1 sender, 64 B, bounded", bounded, 1, messages),
      Row<Message<64>>("4 senders, 64 B, bounded", bounded, 4, messages),
      Row<Message<64>>("4 senders, 64 B, total order", total, 4, messages),
      Row<Message<64>>("4 senders, 64 B, drops the oldest", latest, 4, messages),
  };
  const auto cpus = program.cpus();
  if (!cpus) {
    for (const Candidate& row : rows) program.Measure(row.name, "M/s", row.measure);
    return;
  }
  const int count = static_cast<int>(messages);
  rows.push_back({"moodycamel with tokens, 1 producer, 64 B",
                  [=] { return 1e-6 * Inverse(MoodycamelStream(*cpus, count)); }});
  rows.push_back({"moodycamel with tokens, 4 producers, 64 B",
                  [=] { return 1e-6 * Inverse(MoodycamelFourToOne(*cpus, count)); }});
  program.Compare([=] { return 1e-6 * Inverse(RawStream(*cpus, count)); }, rows, "M/s");
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
