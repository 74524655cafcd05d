// Send alone, to an isolate that is awake on the other processor and keeps up.

#include <cstdint>
#include <vector>

#include "benchmarks/figures/figures.h"
#include "benchmarks/figures/pair.h"
#include "benchmarks/support/allocations.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/require.h"
#include "benchmarks/support/spread.h"
#include "benchmarks/support/stopwatch.h"
#include "benchmarks/support/system_calls.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

constexpr std::uint64_t kBurst = 512;
constexpr std::uint64_t kWarmBursts = 50;

template <class Message>
void SendBurst(const SendPort<Message>& other) {
  for (std::uint64_t i = 0; i < kBurst; ++i) other.Send(Message{});
}

// The other one: answers each burst when it has all of it.
template <class Message>
double Absorb(std::uint64_t bursts, ReceivePort<Message>& own, const SendPort<Message>& other) {
  for (std::uint64_t i = 0; i < kWarmBursts + bursts; ++i) {
    for (std::uint64_t j = 0; j < kBurst; ++j) Next(own);
    other.Send(Message{});
  }
  return 0;
}

template <class Message>
void WarmUp(ReceivePort<Message>& own, const SendPort<Message>& other) {
  for (std::uint64_t i = 0; i < kWarmBursts; ++i) {
    SendBurst(other);
    Next(own);
  }
}

// Nanoseconds of a Send, the median of all bursts.
template <class Message>
double TimeOfSends(std::uint64_t bursts, ReceivePort<Message>& own,
                   const SendPort<Message>& other) {
  std::vector<double> times;
  times.reserve(bursts);
  WarmUp(own, other);
  for (std::uint64_t i = 0; i < bursts; ++i) {
    const Stopwatch watch;
    SendBurst(other);
    times.push_back(watch.ns_each(kBurst));
    Next(own);
  }
  return SpreadOf(std::move(times)).median;
}

// Of the sending thread, for each Send.
double AllocationsOfSends(std::uint64_t bursts, ReceivePort<Payload<8>>& own,
                          const SendPort<Payload<8>>& other) {
  WarmUp(own, other);
  std::uint64_t allocations = 0;
  for (std::uint64_t i = 0; i < bursts; ++i) {
    const std::uint64_t before = OwnAllocations();
    SendBurst(other);
    allocations += OwnAllocations() - before;
    Next(own);
  }
  return static_cast<double>(allocations) / static_cast<double>(bursts * kBurst);
}

// Bursts in which the sending thread made a system call.
double BurstsWithSystemCalls(std::uint64_t bursts, ReceivePort<Payload<8>>& own,
                             const SendPort<Payload<8>>& other) {
  WarmUp(own, other);
  double found = 0;
  for (std::uint64_t i = 0; i < bursts; ++i) {
    const auto called = MakesSystemCalls([&] { SendBurst(other); });
    found += !called ? kUnknown : *called ? 1 : 0;
    Next(own);
  }
  return found;
}

}  // namespace

void SendFigures(Figures& figures) {
  const CpuPair cpus = figures.cpus();
  const auto bursts = figures.Scale<std::uint64_t>(500, 5);
  figures.Measure([=] { return RawBounce(cpus, static_cast<int>(10 * bursts)); },
                  {{"Send to one that is awake, 8 B (limit: a line to and fro)",
                    [=] {
                      return DedicatedPair<Payload<8>>(cpus, bursts, TimeOfSends<Payload<8>>,
                                                       Absorb<Payload<8>>);
                    }},
                   {"Send to one that is awake, 64 B (limit: a line to and fro)",
                    [=] {
                      return DedicatedPair<Payload<64>>(cpus, bursts, TimeOfSends<Payload<64>>,
                                                        Absorb<Payload<64>>);
                    }}},
                  "ns", {25, std::nullopt});
  const auto count = [&](const char* name, const char* unit, PairEntry<Payload<8>> entry) {
    Result result;
    result.name = name;
    result.value = DedicatedPair<Payload<8>>(cpus, bursts, entry, Absorb<Payload<8>>);
    result.unit = unit;
    figures.Add(std::move(result), 0);
  };
  count("Send to one that is awake, allocations", "each", AllocationsOfSends);
  count("Send to one that is awake, bursts of 512 with system calls", "bursts",
        BurstsWithSystemCalls);
}

}  // namespace isolates::bench
