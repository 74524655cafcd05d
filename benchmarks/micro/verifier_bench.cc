// What the verification walk costs for each edge of a graph, beside what it cannot do without.
// benchmarks/README.md says what each column is.
//
// All four are taken in turns on the same graph, inside an isolate: a disturbance hits them alike,
// and the graph lies in the isolate's own heap, as in real use.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/micro/shapes.h"
#include "isolates/isolates.h"

// mimalloc's own question. Weak: with plain malloc it is not there.
extern "C" {
struct mi_heap_s;
mi_heap_s* mi_heap_of(const void* block) __attribute__((weak));
}

namespace {

using Clock = std::chrono::steady_clock;
using isolates::Isolate;
using isolates::VerifyLevel;

// Nanoseconds of one pass, medians over the rounds.
struct Figures {
  double read;     // the plain traversal
  double walk;     // the verification before a send
  double seal;     // the walk of a parcel's seal
  double heap_of;  // mi_heap_of for each pointer, from a list
  std::size_t edges;
};

template <class Pass>
double TimeOf(Pass&& pass) {
  const auto start = Clock::now();
  pass();
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

double Median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Everything that the graph points to, in the order of the walk.
template <class Shape>
std::vector<const void*> Pointers(const typename Shape::Graph& graph) {
  std::vector<const void*> pointers;
  for (const auto& block : isolates::internal::OwnedBlocks(graph)) pointers.push_back(block.start);
  if constexpr (requires { Shape::Views(graph, &pointers); }) Shape::Views(graph, &pointers);
  return pointers;
}

// As in SealValue: a census stands for the question about the owner of each block.
template <class Graph>
void SealWalk(const Graph& graph) {
  isolates::internal::WalkOptions options;
  options.own_heap = isolates::internal::CurrentHeap();
  options.check_owners = !isolates::kRegionDroppable<Graph>;
  options.count_blocks = true;
  options.record_blocks = isolates::internal::kSummary<Graph>.views;
  isolates::internal::Walker walker(options);
  walker.Run(graph);
  benchmark::DoNotOptimize(walker.census());
}

template <class Shape>
Figures Measure(std::size_t count, std::size_t rounds) {
  using Graph = typename Shape::Graph;
  // What a sender gets without asking, where that is a look; else what it asks for.
  constexpr VerifyLevel kLevel =
      isolates::kTransferClass<Graph> == isolates::TransferClass::kChecked ? VerifyLevel::kDefault
                                                                           : VerifyLevel::kAlways;
  const Graph graph = Shape::Make(count);
  const std::vector<const void*> pointers = Pointers<Shape>(graph);
  std::array<std::vector<double>, 4> times;
  for (auto& list : times) list.reserve(rounds);
  for (std::size_t round = 0; round < rounds; ++round) {
    times[0].push_back(TimeOf([&] { benchmark::DoNotOptimize(Shape::Read(graph)); }));
    times[1].push_back(TimeOf([&] { isolates::internal::VerifyForSend(graph, "graph", kLevel); }));
    times[2].push_back(TimeOf([&] { SealWalk(graph); }));
    times[3].push_back(TimeOf([&] {
      if (&mi_heap_of == nullptr) return;
      for (const void* pointer : pointers) benchmark::DoNotOptimize(mi_heap_of(pointer));
    }));
  }
  isolates::internal::Walker counter(isolates::internal::WalkOptions{});
  counter.Run(graph);
  return {Median(times[0]), Median(times[1]), Median(times[2]), Median(times[3]), counter.edges()};
}

template <class Shape>
void BM_Verify(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto rounds = static_cast<std::size_t>(state.max_iterations);
  const Figures figures = Isolate::Run(Measure<Shape>, count, rounds).Get();
  for (auto _ : state) state.SetIterationTime(figures.walk / 1e9);
  const auto edges = static_cast<double>(figures.edges);
  state.counters["edges"] = edges;
  state.counters["walk_ns"] = figures.walk / edges;
  state.counters["read_ns"] = figures.read / edges;
  state.counters["seal_ns"] = figures.seal / edges;
  state.counters["heap_of_ns"] = figures.heap_of / edges;
  state.counters["walk/read"] = figures.walk / figures.read;
  state.counters["seal/read"] = figures.seal / figures.read;
}

#define ISOLATES_SHAPE(shape) \
  BENCHMARK_TEMPLATE(BM_Verify, shapes::shape)->Arg(1 << 12)->Arg(1 << 18)->UseManualTime()

ISOLATES_SHAPE(Strings);
ISOLATES_SHAPE(Vectors);
ISOLATES_SHAPE(Orders);
ISOLATES_SHAPE(Map);
ISOLATES_SHAPE(List);
ISOLATES_SHAPE(Tree);
ISOLATES_SHAPE(Chain);
ISOLATES_SHAPE(Json);
ISOLATES_SHAPE(Shared);
ISOLATES_SHAPE(Words);
ISOLATES_SHAPE(Index);
ISOLATES_SHAPE(NodeIndex);

}  // namespace
