// Hand-over against copy: a message of a graph that goes from one dedicated isolate to another, by
// its size and by the number of its blocks.
//
// "parcel": with its heap. "value": moved as it is, its blocks stay where they are. "copy": the
// sender keeps its own; the receiver frees what has come. Each is looked at, so that it is there.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/figures/pair.h"
#include "benchmarks/figures/round_trip.h"
#include "benchmarks/programs/lines.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

// What is sent; set before the isolates start.
struct {
  std::size_t blocks = 0;
  std::size_t bytes_each = 0;
} graph;

Lines BuildGraph() { return Build(graph.blocks, graph.bytes_each); }

using MovedParcel = Parcel<Lines>;

bool Empty(const MovedParcel& parcel) { return parcel.empty(); }
bool Empty(const Lines& lines) { return lines.empty(); }
std::size_t Look(const MovedParcel& parcel) {
  return static_cast<std::size_t>(parcel->front().front());
}
std::size_t Look(const Lines& lines) { return static_cast<std::size_t>(lines.front().front()); }

// To and fro, as it is: nanoseconds of one way.
template <class Message, Message (*kMake)()>
double PingMoved(std::uint64_t count, ReceivePort<Message>& own, const SendPort<Message>& other) {
  Message message = kMake();
  const auto rounds = [&](std::uint64_t number) {
    for (std::uint64_t i = 0; i < number; ++i) {
      other.Send(std::move(message));
      message = Next(own);
    }
  };
  rounds(count / 10 + 2);
  const Stopwatch watch;
  rounds(count);
  const double each = watch.ns_each(static_cast<std::int64_t>(2 * count));
  Require(Look(message) == 'a', "it came back");
  other.Send(Message{});
  return each;
}
template <class Message>
double PongMoved(std::uint64_t, ReceivePort<Message>& own, const SendPort<Message>& other) {
  std::size_t sum = 0;
  for (;;) {
    Message message = Next(own);
    if (Empty(message)) break;
    sum += Look(message);
    other.Send(std::move(message));
  }
  Require(sum % 'a' == 0, "each was looked at");
  return 0;
}

// A copy there, which the receiver frees before it answers.
double PingCopied(std::uint64_t count, ReceivePort<Lines>& own, const SendPort<Lines>& other) {
  const Lines original = BuildGraph();
  const auto rounds = [&](std::uint64_t number) {
    for (std::uint64_t i = 0; i < number; ++i) {
      other.Send(Lines(original));
      Next(own);
    }
  };
  rounds(count / 10 + 2);
  const Stopwatch watch;
  rounds(count);
  const double each = watch.ns_each(static_cast<std::int64_t>(count));
  other.Send(Lines{});
  return each;
}
double PongCopied(std::uint64_t, ReceivePort<Lines>& own, const SendPort<Lines>& other) {
  std::size_t sum = 0;
  for (;;) {
    {
      const Lines lines = Next(own);
      if (Empty(lines)) break;
      sum += Look(lines);
    }
    other.Send(Lines{});
  }
  Require(sum % 'a' == 0, "each was looked at");
  return 0;
}

MovedParcel MakeGraph() { return MakeParcel(BuildGraph); }

void Measure(Program& program, CpuPair cpus, const std::string& place, std::size_t blocks,
             std::size_t bytes_each) {
  const std::size_t bytes = blocks * bytes_each;
  Require(HasMemoryFor(6 * bytes), "there is too little free memory");
  graph = {blocks, bytes_each};
  const auto moved = program.Scale<std::uint64_t>(5'000, 20);
  // Two seconds at most, at a gigabyte a second and ten million blocks a second.
  const std::uint64_t copied = std::clamp<std::uint64_t>(100'000'000 / (bytes + 100 * blocks), 2,
                                                         program.Scale<std::uint64_t>(2'000, 2));
  const auto number = [=] {
    return DedicatedPair<Payload<8>>(cpus, moved, Ping<Payload<8>>, Pong<Payload<8>>) / 2;
  };
  std::vector<Candidate> candidates = {
      {"parcel: " + place,
       [=] {
         return DedicatedPair<MovedParcel>(cpus, moved, PingMoved<MovedParcel, MakeGraph>,
                                           PongMoved<MovedParcel>);
       }},
      {"value: " + place,
       [=] {
         return DedicatedPair<Lines>(cpus, moved, PingMoved<Lines, BuildGraph>, PongMoved<Lines>);
       }},
      {"copy: " + place,
       [=] { return DedicatedPair<Lines>(cpus, copied, PingCopied, PongCopied); }},
      {"memcpy: " + place, [=] { return MemcpyOf(bytes); }}};
  InterleaveOptions options;
  options.wanted = program.Scale(5, 1);
  options.most_repetitions = program.Scale(9, 1);
  options.most_seconds = 4;
  options.warm_up = false;
  if (program.quick()) options.tolerance = 1e9;
  for (const Compared& one : Interleave(number, candidates, options).candidates) {
    program.Add(ResultOf(one, "ns"));
  }
}

void Run(Program& program) {
  const auto cpus = TwoCpus();
  Require(cpus.has_value(), "two processors are needed");
  // One block, by size.
  const auto largest = program.Scale<std::size_t>(std::size_t{256} << 20, 4096);
  for (std::size_t bytes = 64; bytes <= largest; bytes *= bytes < 4096 ? 8 : 16) {
    Measure(program, *cpus, std::to_string(bytes) + " bytes", 1, bytes);
  }
  // 4 MiB, by number of blocks.
  const auto all = program.Scale<std::size_t>(std::size_t{4} << 20, 4096);
  for (std::size_t blocks = 1; all / blocks >= 64; blocks *= 16) {
    Measure(program, *cpus, std::to_string(blocks) + " blocks", blocks, all / blocks);
  }
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
