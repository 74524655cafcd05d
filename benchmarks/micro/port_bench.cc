// Ports, one thread in and out: what a message costs by the kind of the port and the size of the
// message. benchmarks/README.md says what each row drives.

#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "benchmarks/micro/counted.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace {

using isolates::FullPolicy;
using isolates::MessageOrder;
using isolates::PortOptions;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::bench::Counted;

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

// An isolate sends to itself and receives: the path without another thread.
void BM_SendAndReceive(benchmark::State& state) {
  ReceivePort<std::uint64_t> port(OptionsOf(state.range(0)));
  const auto sender = port.send_port();
  std::uint64_t sum = 0;
  Counted counted(state);
  for (auto _ : state) {
    sender.Send(std::uint64_t{1});
    sum += *port.TryReceive();
  }
  counted.Finish();
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(BM_SendAndReceive)->DenseRange(kPerSender, kDropOldest);

template <std::size_t kBytes>
using Bytes = std::array<std::uint64_t, kBytes / 8>;

template <class Message>
void SendAndReceive(benchmark::State& state, Message message) {
  ReceivePort<Message> port;
  const auto sender = port.send_port();
  Counted counted(state);
  for (auto _ : state) {
    sender.Send(std::move(message));
    message = *port.TryReceive();
  }
  counted.Finish();
}
template <std::size_t kBytes>
void BM_SendAndReceiveBytes(benchmark::State& state) {
  SendAndReceive(state, Bytes<kBytes>{});
}
BENCHMARK_TEMPLATE(BM_SendAndReceiveBytes, 8);
BENCHMARK_TEMPLATE(BM_SendAndReceiveBytes, 48);
BENCHMARK_TEMPLATE(BM_SendAndReceiveBytes, 64);
BENCHMARK_TEMPLATE(BM_SendAndReceiveBytes, 512);

void BM_SendAndReceiveString(benchmark::State& state) {
  SendAndReceive(state, std::string(1'000, 'x'));
}
BENCHMARK(BM_SendAndReceiveString);

// The send alone: the time of bursts that are received outside of it.
void BM_Send(benchmark::State& state) {
  constexpr int kBurst = 512;
  ReceivePort<Bytes<64>> port(OptionsOf(state.range(0)));
  const auto sender = port.send_port();
  std::vector<Bytes<64>> received;
  received.reserve(kBurst);
  Counted counted(state);
  for (auto _ : state) {
    state.SetIterationTime(isolates::bench::TimeOf([&] {
                             for (int i = 0; i < kBurst; ++i) sender.Send(Bytes<64>{});
                           }) /
                           1e9);
    received.clear();
    port.TryReceiveBatch(received, kBurst);
  }
  counted.Finish(kBurst);
}
BENCHMARK(BM_Send)->DenseRange(kPerSender, kDropOldest)->UseManualTime();

void BM_SendToClosed(benchmark::State& state) {
  ReceivePort<std::uint64_t> port;
  const auto sender = port.send_port();
  port.Close();
  Counted counted(state);
  for (auto _ : state) benchmark::DoNotOptimize(sender.Send(std::uint64_t{1}));
  counted.Finish();
}
BENCHMARK(BM_SendToClosed);

void BM_TryReceiveEmpty(benchmark::State& state) {
  ReceivePort<std::uint64_t> port;
  Counted counted(state);
  for (auto _ : state) benchmark::DoNotOptimize(port.TryReceive());
  counted.Finish();
}
BENCHMARK(BM_TryReceiveEmpty);

// A port and its first message.
void BM_MakePort(benchmark::State& state) {
  Counted counted(state);
  for (auto _ : state) {
    ReceivePort<std::uint64_t> port;
    port.send_port().Send(std::uint64_t{1});
    benchmark::DoNotOptimize(port.TryReceive());
  }
  counted.Finish();
}
BENCHMARK(BM_MakePort);

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
