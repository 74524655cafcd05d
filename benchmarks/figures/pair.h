// Two isolates for one measurement, and the thread that waits for them.

#ifndef ISOLATES_BENCHMARKS_FIGURES_PAIR_H_
#define ISOLATES_BENCHMARKS_FIGURES_PAIR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "benchmarks/support/placement.h"
#include "isolates/isolates.h"

namespace isolates::bench {

template <std::size_t kBytes>
struct Payload {
  std::array<std::uint64_t, kBytes / 8> words{};
};

// One of the two: nanoseconds for each of `count` operations.
template <class Message>
using PairEntry = double (*)(std::uint64_t count, ReceivePort<Message>& own,
                             const SendPort<Message>& other);

template <class Message>
struct PairSetup {
  std::uint64_t count = 0;
  PairEntry<Message> entry = nullptr;
  SendPort<SendPort<Message>> own;                     // is told of its port
  SendPort<SendPort<SendPort<Message>>> introduction;  // is told where to name the other's
  SendPort<double> result;
};

template <class Message>
void RunOfPair(PairSetup<Message> setup) {
  ReceivePort<Message> port;
  ReceivePort<SendPort<Message>> introduction;
  setup.own.Send(port.send_port());
  setup.introduction.Send(introduction.send_port());
  const SendPort<Message> other = *introduction.Receive(kForever);
  setup.result.Send(setup.entry(setup.count, port, other));
}

// Runs `near` and `far` in dedicated isolates on the two processors; what near has measured, when
// both have ended.
template <class Message>
double DedicatedPair(CpuPair cpus, std::uint64_t count, PairEntry<Message> near,
                     PairEntry<Message> far) {
  ReceivePort<int> ended;
  ReceivePort<double> results[2];
  ReceivePort<SendPort<Message>> owns[2];
  ReceivePort<SendPort<SendPort<Message>>> introductions[2];
  const PairEntry<Message> entries[2] = {near, far};
  const int processors[2] = {cpus.near, cpus.far};
  for (int i = 0; i < 2; ++i) {
    PairSetup<Message> setup{count, entries[i], owns[i].send_port(), introductions[i].send_port(),
                             results[i].send_port()};
    Isolate::Spawn(
        RunOfPair<Message>, std::move(setup),
        SpawnOptions().Dedicated(processors[i]).Idle(BusySpin()).OnExit(ended.send_port(), i))
        .Get();
  }
  for (int i = 0; i < 2; ++i) {
    introductions[i].Receive(kForever)->Send(*owns[1 - i].Receive(kForever));
  }
  for (int i = 0; i < 2; ++i) ended.Receive(kForever).value();
  results[1].Receive(kForever).value();
  return *results[0].Receive(kForever);
}

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_FIGURES_PAIR_H_
