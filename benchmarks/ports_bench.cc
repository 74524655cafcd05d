// Ports: what a message costs, by order and bound of the port and by the number of senders.
// README.md in this folder says what each row drives.

#include <benchmark/benchmark.h>
#include <concurrentqueue/concurrentqueue.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::FullPolicy;
using isolates::kForever;
using isolates::MessageOrder;
using isolates::PortOptions;
using isolates::ReceivePort;
using isolates::SendPort;

enum Kind : std::int64_t { kPerSender, kTotal, kBounded, kDropOldest };

PortOptions OptionsOf(std::int64_t kind) {
  switch (kind) {
    case kTotal:
      return PortOptions().Order(MessageOrder::kTotal);
    case kBounded:
      return PortOptions().Capacity(1024);
    case kDropOldest:
      return PortOptions()
          .Capacity(1024)
          .Order(MessageOrder::kTotal)
          .OnFull(FullPolicy::kDropOldest);
    default:
      return {};
  }
}

// One isolate sends to itself and receives: the path without another thread.
void BM_SendAndReceive(benchmark::State& state) {
  ReceivePort<std::uint64_t> port(OptionsOf(state.range(0)));
  const auto sender = port.send_port();
  std::uint64_t sum = 0;
  for (auto _ : state) {
    sender.Send(std::uint64_t{1});
    sum += *port.TryReceive();
  }
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(BM_SendAndReceive)->Arg(kPerSender)->Arg(kTotal)->Arg(kBounded);

// Baseline: moodycamel's queue with tokens, a number in and out.
void BM_QueueAlone(benchmark::State& state) {
  moodycamel::ConcurrentQueue<std::uint64_t> queue;
  moodycamel::ProducerToken in(queue);
  moodycamel::ConsumerToken out(queue);
  std::uint64_t sum = 0;
  for (auto _ : state) {
    queue.enqueue(in, std::uint64_t{1});
    std::uint64_t number = 0;
    queue.try_dequeue(out, number);
    sum += number;
  }
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(BM_QueueAlone);

// Isolates send as fast as they can; this thread receives.
void BM_ManyToOne(benchmark::State& state) {
  constexpr std::uint64_t kEach = 100'000;
  const auto count = static_cast<std::uint64_t>(state.range(1));
  std::uint64_t received = 0;
  for (auto _ : state) {
    ReceivePort<std::uint64_t> port(OptionsOf(state.range(0)));
    std::vector<isolates::Future<void>> senders;
    for (std::uint64_t i = 0; i < count; ++i) {
      senders.push_back(isolates::Isolate::Run(
          [](SendPort<std::uint64_t> out) {
            for (std::uint64_t number = 0; number < kEach; ++number) {
              out.Send(std::uint64_t{number}, kForever);
            }
          },
          port.send_port()));
    }
    const bool drops = state.range(0) == kDropOldest;
    std::vector<std::uint64_t> batch;
    const auto all = count * kEach;
    while (drops ? port.counters().accepted < all : port.counters().received < all) {
      batch.clear();
      received += port.TryReceiveBatch(batch, 64);
    }
    for (auto& sender : senders) sender.Get();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count * kEach));
  state.counters["received"] =
      static_cast<double>(received) /
      static_cast<double>(state.iterations() * static_cast<std::int64_t>(count * kEach));
}
BENCHMARK(BM_ManyToOne)
    ->ArgsProduct({{kPerSender, kTotal, kBounded, kDropOldest}, {1, 2, 4}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// Many senders that are alive at once, each with one message; the receiver takes all.
void BM_ManySenders(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    ReceivePort<std::uint64_t> port;
    std::vector<SendPort<std::uint64_t>> senders(count, port.send_port());
    std::thread([&senders] {
      for (std::size_t i = 0; i < senders.size(); ++i) senders[i].Send(std::uint64_t{i});
    }).join();
    std::vector<std::uint64_t> all;
    while (all.size() < count) port.TryReceiveBatch(all, 1024);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}
BENCHMARK(BM_ManySenders)->Range(16, 100'000)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
