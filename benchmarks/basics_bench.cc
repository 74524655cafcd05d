// The basic operations, each beside its baseline. README.md in this folder says what each row
// drives.

#include <benchmark/benchmark.h>

#include <future>
#include <string>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::Future;
using isolates::Isolate;
using isolates::kForever;
using isolates::ReceivePort;
using isolates::SendPort;

int Increment(int value) { return value + 1; }

void BM_Run(benchmark::State& state) {
  int value = 0;
  for (auto _ : state) value = Isolate::Run(Increment, value).Get();
  benchmark::DoNotOptimize(value);
}
BENCHMARK(BM_Run)->UseRealTime();

void BM_RunBatch(benchmark::State& state) {
  constexpr int kBatch = 64;
  std::vector<Future<int>> futures;
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i) futures.push_back(Isolate::Run(Increment, i));
    for (auto& future : futures) benchmark::DoNotOptimize(future.Get());
    futures.clear();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(BM_RunBatch)->UseRealTime();

void BM_StdAsync(benchmark::State& state) {
  int value = 0;
  for (auto _ : state) value = std::async(std::launch::async, Increment, value).get();
  benchmark::DoNotOptimize(value);
}
BENCHMARK(BM_StdAsync)->UseRealTime();

struct EchoSetup {
  SendPort<SendPort<int>> connect;
  SendPort<int> replies;
};

// Answers each number on the port it was spawned with; a negative one ends it.
void Echo(EchoSetup setup) {
  ReceivePort<int> numbers;
  setup.connect.Send(numbers.send_port());
  std::move(numbers).Listen([replies = setup.replies](ReceivePort<int>& port, int number) {
    if (number < 0) {
      port.Close();
    } else {
      replies.Send(number + 1);
    }
  });
}

void BM_PortRoundTrip(benchmark::State& state) {
  ReceivePort<SendPort<int>> connect;
  ReceivePort<int> replies;
  Isolate::Spawn(Echo, EchoSetup{connect.send_port(), replies.send_port()}).Get();
  const SendPort<int> numbers = *connect.Receive(kForever);
  int value = 0;
  for (auto _ : state) {
    numbers.Send(value);
    value = *replies.Receive(kForever) & 0xffff;
  }
  numbers.Send(-1);
}
BENCHMARK(BM_PortRoundTrip)->UseRealTime();

std::vector<std::string> BuildStrings(std::size_t count) {
  std::vector<std::string> strings;
  strings.reserve(count);
  for (std::size_t i = 0; i < count; ++i) strings.emplace_back(48, static_cast<char>('a' + i % 26));
  return strings;
}

void BM_HandOverStrings(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Isolate::Run(BuildStrings, count).Get());
}
BENCHMARK(BM_HandOverStrings)->Range(64, 64 << 10)->UseRealTime();

void BM_HandOverParcel(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state)
    benchmark::DoNotOptimize(Isolate::RunParcel(BuildStrings, count).Get()->size());
}
BENCHMARK(BM_HandOverParcel)->Range(64, 64 << 10)->UseRealTime();

void BM_CopyStrings(benchmark::State& state) {
  const auto strings = BuildStrings(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(std::vector<std::string>(strings));
}
BENCHMARK(BM_CopyStrings)->Range(64, 64 << 10);

void BM_BuildStrings(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(BuildStrings(count));
}
BENCHMARK(BM_BuildStrings)->Range(64, 64 << 10);

}  // namespace
