// False sharing, made and removed: counters of two isolates in one cache line and apart, and the
// library's own lane with and without the lines of its two sides apart.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "benchmarks/figures/pair.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/two_threads.h"
#include "isolates/detail/port_lane.h"
#include "isolates/isolates.h"
#include "profiling/packed_lane.h"

namespace isolates::bench {
namespace {

// --- counters of two isolates

// Two counters, the second so many bytes behind the first.
struct alignas(4096) Counters {
  std::array<std::byte, 4096> bytes{};
  std::atomic<std::uint64_t>& At(std::size_t offset) {
    return *reinterpret_cast<std::atomic<std::uint64_t>*>(bytes.data() + offset);
  }
};
Counters counters;
std::size_t distance = 0;
bool locked = false;  // an atomic addition, or a load and a store

void Count(std::atomic<std::uint64_t>& counter, std::uint64_t count) {
  // relaxed, all - a number that only this side changes.
  if (locked) {
    for (std::uint64_t i = 0; i < count; ++i) counter.fetch_add(1, std::memory_order_relaxed);
  } else {
    for (std::uint64_t i = 0; i < count; ++i) {
      counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
  }
}

struct Mark {
  std::uint64_t number = 0;
};

// Both begin when they have heard of each other; the far one counts a little longer, so that the
// near one is never alone.
double NearCounts(std::uint64_t count, ReceivePort<Mark>& own, const SendPort<Mark>& other) {
  other.Send(Mark{});
  Next(own);
  const Stopwatch watch;
  Count(counters.At(0), count);
  const double each = watch.ns_each(static_cast<std::int64_t>(count));
  other.Send(Mark{});
  return each;
}
double FarCounts(std::uint64_t, ReceivePort<Mark>& own, const SendPort<Mark>& other) {
  other.Send(Mark{});
  Next(own);
  while (!own.TryReceive()) Count(counters.At(distance), 1'000);
  return 0;
}
double FarWaits(std::uint64_t, ReceivePort<Mark>& own, const SendPort<Mark>& other) {
  other.Send(Mark{});
  Next(own);
  Next(own);
  return 0;
}

double BothCount(CpuPair cpus, std::size_t bytes_apart, bool with_lock, std::uint64_t count) {
  distance = bytes_apart;
  locked = with_lock;
  return DedicatedPair<Mark>(cpus, count, NearCounts, FarCounts);
}
double OneCounts(CpuPair cpus, bool with_lock, std::uint64_t count) {
  locked = with_lock;
  return DedicatedPair<Mark>(cpus, count, NearCounts, FarWaits);
}

// --- the library's lane

using Apart = internal::Lane<internal::StdAtomics>;
using Packed = internal::PackedLane<internal::StdAtomics>;
static_assert(sizeof(Packed) < sizeof(Apart), "the copy has lost its alignment");

template <class LaneType>
void Put(LaneType& lane, std::uint64_t value) {
  const auto place = lane.Claim();
  ::new (place.message) std::uint64_t(value);
  Require(lane.Publish(place), "the receiver looks by itself");
}
template <class LaneType>
std::uint64_t Get(LaneType& lane) {
  void* message;
  while ((message = lane.Take()) == nullptr) internal::CpuPause();
  const std::uint64_t value = *static_cast<std::uint64_t*>(message);
  lane.Taken();
  return value;
}

constexpr std::size_t kMessage = 8;

// One to the other: each message. The sender is never more than kAhead before the receiver.
template <class LaneType, class Shape>
double Stream(CpuPair cpus, std::uint64_t messages) {
  constexpr std::uint64_t kAhead = 4096;
  const auto lane = std::make_unique<LaneType>(Shape::Of(kMessage, kMessage));
  lane->Attend();
  struct alignas(128) Progress {
    std::atomic<std::uint64_t> taken{0};
  };
  const auto progress = std::make_unique<Progress>();
  const double ns = TimeOfBoth(
      cpus,
      [&] {
        std::uint64_t sum = 0;
        for (std::uint64_t i = 1; i <= messages; ++i) {
          sum += Get(*lane);
          // relaxed - how far it is, and nothing else.
          if (i % (kAhead / 4) == 0) progress->taken.store(i, std::memory_order_relaxed);
        }
        Require(sum == messages * (messages + 1) / 2, "each message came once");
      },
      [&] {
        std::uint64_t until = kAhead;
        for (std::uint64_t i = 1; i <= messages; ++i) {
          // relaxed - as above.
          while (i > until) until = progress->taken.load(std::memory_order_relaxed) + kAhead;
          Put(*lane, i);
        }
      });
  return ns / static_cast<double>(messages);
}

template <class LaneType, class Shape>
double RoundTrip(CpuPair cpus, std::uint64_t count) {
  const auto there = std::make_unique<LaneType>(Shape::Of(kMessage, kMessage));
  const auto back = std::make_unique<LaneType>(Shape::Of(kMessage, kMessage));
  there->Attend();
  back->Attend();
  const double ns = TimeOfBoth(
      cpus,
      [&] {
        for (std::uint64_t i = 0; i < count; ++i) {
          Put(*there, i);
          Require(Get(*back) == i + 1, "each round trip adds one");
        }
      },
      [&] {
        for (std::uint64_t i = 0; i < count; ++i) Put(*back, Get(*there) + 1);
      });
  return ns / static_cast<double>(count);
}

void Run(Program& program) {
  const auto cpus = TwoCpus();
  Require(cpus.has_value(), "two processors are needed");
  const auto raw = [=, count = program.Scale(20'000, 200)] { return RawBounce(*cpus, count); };
  const auto count = program.Scale<std::uint64_t>(2'000'000, 2'000);
  std::vector<Candidate> candidates;
  for (const auto& [name, with_lock] :
       {std::pair("load and store", false), std::pair("atomic addition", true)}) {
    const std::string how = name;
    candidates.push_back(
        {how + ": alone", [=, lock = with_lock] { return OneCounts(*cpus, lock, count); }});
    for (const std::size_t bytes : {8, 56, 64, 128, 256}) {
      candidates.push_back(
          {how + ": " + std::to_string(bytes) + " bytes apart",
           [=, lock = with_lock] { return BothCount(*cpus, bytes, lock, count); }});
    }
  }
  program.Compare(raw, candidates, "ns");
  const auto messages = program.Scale<std::uint64_t>(1'000'000, 10'000);
  const auto round_trips = program.Scale<std::uint64_t>(20'000, 200);
  program.Compare(
      raw,
      {{"lane, stream: as it is",
        [=] { return Stream<Apart, internal::LaneShape>(*cpus, messages); }},
       {"lane, stream: packed",
        [=] { return Stream<Packed, internal::PackedLaneShape>(*cpus, messages); }},
       {"lane, round trip: as it is",
        [=] { return RoundTrip<Apart, internal::LaneShape>(*cpus, round_trips); }},
       {"lane, round trip: packed",
        [=] { return RoundTrip<Packed, internal::PackedLaneShape>(*cpus, round_trips); }}},
      "ns");
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
