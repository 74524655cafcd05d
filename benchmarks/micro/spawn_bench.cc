// Starting isolates and getting their results, one after the other. benchmarks/README.md says what
// each row drives.

#include <benchmark/benchmark.h>

#include <vector>

#include "benchmarks/micro/counted.h"
#include "benchmarks/support/baselines.h"
#include "isolates/isolates.h"

namespace {

using isolates::Future;
using isolates::Isolate;
using isolates::kForever;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::SpawnOptions;
using isolates::bench::Counted;

int Increment(int value) { return value + 1; }

void BM_Run(benchmark::State& state) {
  int value = 0;
  Counted counted(state);
  for (auto _ : state) value = Isolate::Run(Increment, value).Get();
  counted.Finish();
  if (value != state.iterations()) state.SkipWithError("a wrong result");
}
BENCHMARK(BM_Run)->UseRealTime();

void BM_RunBatch(benchmark::State& state) {
  constexpr int kBatch = 64;
  std::vector<Future<int>> futures;
  Counted counted(state);
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i) futures.push_back(Isolate::Run(Increment, i));
    for (auto& future : futures) benchmark::DoNotOptimize(future.Get());
    futures.clear();
  }
  counted.Finish(kBatch);
}
BENCHMARK(BM_RunBatch)->UseRealTime();

// Its whole life: started, one message, and its end told to a port.
void BM_Spawn(benchmark::State& state) {
  const bool light = state.range(0) != 0;
  ReceivePort<int> ended;
  const auto tell = ended.send_port();
  Counted counted(state);
  for (auto _ : state) {
    Isolate::Spawn([](int) {}, 0, SpawnOptions().Light(light).OnExit(tell, 1)).Get();
    benchmark::DoNotOptimize(ended.Receive(kForever));
  }
  counted.Finish();
}
BENCHMARK(BM_Spawn)->ArgName("light")->Arg(0)->Arg(1)->UseRealTime();

// Baselines: the time of one call, taken over several.
constexpr int kCalls = 20;
void BM_StdAsync(benchmark::State& state) {
  for (auto _ : state) state.SetIterationTime(isolates::bench::StdAsync(kCalls) / 1e9);
}
BENCHMARK(BM_StdAsync)->Iterations(20)->UseManualTime();
void BM_ThreadWithPromise(benchmark::State& state) {
  for (auto _ : state) state.SetIterationTime(isolates::bench::ThreadWithPromise(kCalls) / 1e9);
}
BENCHMARK(BM_ThreadWithPromise)->Iterations(20)->UseManualTime();

}  // namespace
