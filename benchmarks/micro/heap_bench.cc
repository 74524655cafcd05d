// Heaps: a block of an isolate's heap, the change from heap to heap, the question who owns a block,
// and parcels. benchmarks/README.md says what each row drives.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/micro/counted.h"
#include "benchmarks/support/limits.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "isolates/isolates.h"

namespace {

using isolates::bench::Counted;
using isolates::internal::Heap;
using isolates::internal::HeapScope;
using isolates::internal::WorkerHeaps;

// A heap of this thread's, for as long as it lives.
class OwnHeap {
 public:
  OwnHeap() : heaps_(*WorkerHeaps::OfThisThread()), heap_(heaps_.AcquirePooled()) {}
  OwnHeap(const OwnHeap&) = delete;
  OwnHeap& operator=(const OwnHeap&) = delete;
  ~OwnHeap() { heaps_.ReleasePooled(heap_); }
  Heap* get() const { return heap_; }

 private:
  WorkerHeaps& heaps_;
  Heap* const heap_;
};

void NewAndDelete(benchmark::State& state) {
  Counted counted(state);
  for (auto _ : state) {
    void* block = ::operator new(static_cast<std::size_t>(state.range(0)));
    benchmark::DoNotOptimize(block);
    ::operator delete(block);
  }
  counted.Finish();
}

void BM_NewInIsolatesHeap(benchmark::State& state) {
  const OwnHeap heap;
  const HeapScope scope(heap.get());
  NewAndDelete(state);
}
BENCHMARK(BM_NewInIsolatesHeap)->Arg(16)->Arg(1024);

// Baseline.
void BM_NewInMainHeap(benchmark::State& state) { NewAndDelete(state); }
BENCHMARK(BM_NewInMainHeap)->Arg(16)->Arg(1024);

// Into an isolate's heap and back: each turn of an isolate does it once.
void BM_HeapScope(benchmark::State& state) {
  const OwnHeap heap;
  Counted counted(state);
  for (auto _ : state) {
    const HeapScope scope(heap.get());
    benchmark::ClobberMemory();
  }
  counted.Finish();
}
BENCHMARK(BM_HeapScope);

// A worker takes a heap for an isolate and gets it back.
void BM_AcquireHeap(benchmark::State& state) {
  WorkerHeaps& heaps = *WorkerHeaps::OfThisThread();
  Counted counted(state);
  for (auto _ : state) heaps.ReleasePooled(heaps.AcquirePooled());
  counted.Finish();
}
BENCHMARK(BM_AcquireHeap);

constexpr std::size_t kBlocks = 1 << 14;

std::vector<std::unique_ptr<std::string>> Blocks() {
  std::vector<std::unique_ptr<std::string>> blocks(kBlocks);
  for (auto& block : blocks) block = std::make_unique<std::string>();
  return blocks;
}

// Which heap a block belongs to, for many blocks in the order in which they were made.
void BM_OwnerOf(benchmark::State& state) {
  const OwnHeap heap;
  const HeapScope scope(heap.get());
  const auto blocks = Blocks();
  Counted counted(state);
  for (auto _ : state) {
    for (const auto& block : blocks) {
      benchmark::DoNotOptimize(isolates::internal::OwnerOf(block.get()));
    }
  }
  counted.Finish(kBlocks);
}
BENCHMARK(BM_OwnerOf)->Unit(benchmark::kMicrosecond);

// Limit: mimalloc's own answer; the time is of one block.
void BM_MiHeapOf(benchmark::State& state) {
  if (!isolates::bench::MiHeapOf()) {
    state.SkipWithError("plain malloc has no heaps");
    return;
  }
  for (auto _ : state) state.SetIterationTime(*isolates::bench::MiHeapOf() / 1e9);
}
BENCHMARK(BM_MiHeapOf)->Iterations(50)->UseManualTime();

std::vector<std::string> Lines(std::size_t count) {
  std::vector<std::string> lines;
  lines.reserve(count);
  for (std::size_t i = 0; i < count; ++i) lines.emplace_back(48, 'x');
  return lines;
}

// A parcel of so many strings: built, sealed and dropped as a whole.
void BM_MakeAndDropParcel(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  bool droppable = true;
  Counted counted(state);
  for (auto _ : state) {
    const auto parcel = isolates::MakeParcel(Lines, count);
    droppable = droppable && parcel.receipt().droppable;
  }
  counted.Finish();
  state.counters["whole"] = droppable ? 1 : 0;
}
BENCHMARK(BM_MakeAndDropParcel)->Arg(1)->Arg(1 << 10)->Arg(1 << 16);

// Baseline: the same strings without a heap of their own, and their destructors.
void BM_MakeAndDestroy(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Counted counted(state);
  for (auto _ : state) benchmark::DoNotOptimize(Lines(count));
  counted.Finish();
}
BENCHMARK(BM_MakeAndDestroy)->Arg(1)->Arg(1 << 10)->Arg(1 << 16);

}  // namespace
