// The word of a mailbox (src/port/mailbox.h) over a queue that does nothing: the protocol alone.
// benchmarks/README.md says what each row drives.

#include <benchmark/benchmark.h>

#include "benchmarks/micro/counted.h"
#include "isolates/detail/atomics.h"
#include "src/port/mailbox.h"

namespace {

using isolates::bench::Counted;

// Holds no more than one.
class OnePlace {
 public:
  using Item = int;
  struct Producer {};
  void Enqueue(Producer&, Item item) { item_ = item; }
  bool TryDequeue(Item& item) {
    item = item_;
    return true;
  }

 private:
  Item item_ = 0;
};

using Mailbox = isolates::internal::Mailbox<isolates::internal::StdAtomics, OnePlace>;

// A message to a port that is listed already, and taken out.
void BM_Accepted(benchmark::State& state) {
  OnePlace place;
  OnePlace::Producer producer;
  Mailbox mailbox(place);
  int item = 0;
  benchmark::DoNotOptimize(mailbox.TryList());
  Counted counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(mailbox.Reserve());
    benchmark::DoNotOptimize(mailbox.Commit(producer, item));
    benchmark::DoNotOptimize(mailbox.TryReceive(item));
  }
  counted.Finish();
}
BENCHMARK(BM_Accepted);

// The same to a port that its owner has taken from its list: the sender lists it each time.
void BM_AcceptedAndListed(benchmark::State& state) {
  OnePlace place;
  OnePlace::Producer producer;
  Mailbox mailbox(place);
  int item = 0;
  Counted counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(mailbox.Reserve());
    benchmark::DoNotOptimize(mailbox.Commit(producer, item));
    mailbox.Unlist();
    benchmark::DoNotOptimize(mailbox.TryReceive(item));
  }
  counted.Finish();
}
BENCHMARK(BM_AcceptedAndListed);

// A look at an empty one.
void BM_Empty(benchmark::State& state) {
  OnePlace place;
  Mailbox mailbox(place);
  int item = 0;
  Counted counted(state);
  for (auto _ : state) benchmark::DoNotOptimize(mailbox.TryReceive(item));
  counted.Finish();
}
BENCHMARK(BM_Empty);

// A send to a closed one.
void BM_Refused(benchmark::State& state) {
  OnePlace place;
  Mailbox mailbox(place);
  mailbox.Refuse();
  Counted counted(state);
  for (auto _ : state) benchmark::DoNotOptimize(mailbox.Reserve());
  counted.Finish();
}
BENCHMARK(BM_Refused);

}  // namespace
