// The queues below a port, one thread in and out: what an operation costs without another
// processor. benchmarks/README.md says what each row drives.

#include <benchmark/benchmark.h>
#include <concurrentqueue/concurrentqueue.h>

#include <array>
#include <cstdint>

#include "benchmarks/micro/counted.h"
#include "isolates/detail/event_node.h"
#include "isolates/detail/port_token_queue.h"

namespace {

using isolates::bench::Counted;

template <std::size_t kBytes>
struct Message {
  std::array<std::uint64_t, kBytes / 8> words;
};

// Baseline: moodycamel's queue with tokens, a message in and out by value.
template <std::size_t kBytes>
void BM_Moodycamel(benchmark::State& state) {
  moodycamel::ConcurrentQueue<Message<kBytes>> queue;
  const moodycamel::ProducerToken in(queue);
  moodycamel::ConsumerToken out(queue);
  Message<kBytes> message{};
  Counted counted(state);
  for (auto _ : state) {
    queue.enqueue(in, message);
    queue.try_dequeue(out, message);
    benchmark::DoNotOptimize(message);
  }
  counted.Finish();
}
BENCHMARK_TEMPLATE(BM_Moodycamel, 8);
BENCHMARK_TEMPLATE(BM_Moodycamel, 64);

// The library's queue of pointers.
void BM_TokenQueue(benchmark::State& state) {
  using Queue = isolates::internal::TokenQueue<int>;
  Queue queue;
  Queue::Producer in(queue);
  Queue::Consumer out(queue);
  int number = 0;
  int* item = &number;
  Counted counted(state);
  for (auto _ : state) {
    queue.Enqueue(in, item);
    queue.TryDequeue(out, item);
    benchmark::DoNotOptimize(item);
  }
  counted.Finish();
}
BENCHMARK(BM_TokenQueue);

struct Node {
  Node* next_event = nullptr;
};

// The list of events before an isolate: so many nodes pushed, and all taken at once.
void BM_EventStack(benchmark::State& state) {
  const std::int64_t count = state.range(0);
  std::array<Node, 64> nodes;
  isolates::internal::EventStack<Node> stack;
  Counted counted(state);
  for (auto _ : state) {
    for (std::int64_t i = 0; i < count; ++i) stack.Push(&nodes[static_cast<std::size_t>(i)]);
    benchmark::DoNotOptimize(stack.TakeAll());
  }
  counted.Finish(count);
}
BENCHMARK(BM_EventStack)->Arg(1)->Arg(64);

}  // namespace
