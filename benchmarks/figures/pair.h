// Two isolates for one measurement, and the thread that waits for them.

#ifndef ISOLATES_BENCHMARKS_FIGURES_PAIR_H_
#define ISOLATES_BENCHMARKS_FIGURES_PAIR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "benchmarks/support/placement.h"
#include "isolates/detail/cpu.h"
#include "isolates/isolates.h"

namespace isolates::bench {

template <std::size_t kBytes>
struct Payload {
  std::array<std::uint64_t, kBytes / 8> words{};
};

// Asks again and again.
template <class Message>
Message Next(ReceivePort<Message>& port) {
  for (;;) {
    if (auto message = port.TryReceive()) return *std::move(message);
    internal::CpuPause();
  }
}

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

// One of the two: what runs, and how.
template <class Message>
struct PairMember {
  void (*run)(PairSetup<Message>);
  PairEntry<Message> entry;  // for `run`
  SpawnOptions options;
};

// Runs both; what near has measured, when both have ended.
template <class Message>
double RunPair(std::uint64_t count, PairMember<Message> near, PairMember<Message> far) {
  ReceivePort<int> ended;
  ReceivePort<double> results[2];
  ReceivePort<SendPort<Message>> owns[2];
  ReceivePort<SendPort<SendPort<Message>>> introductions[2];
  PairMember<Message>* const members[2] = {&near, &far};
  for (int i = 0; i < 2; ++i) {
    PairMember<Message>& member = *members[i];
    PairSetup<Message> setup{count, member.entry, owns[i].send_port(), introductions[i].send_port(),
                             results[i].send_port()};
    Isolate::Spawn(member.run, std::move(setup), member.options.OnExit(ended.send_port(), i)).Get();
  }
  for (int i = 0; i < 2; ++i) {
    introductions[i].Receive(kForever)->Send(*owns[1 - i].Receive(kForever));
  }
  for (int i = 0; i < 2; ++i) ended.Receive(kForever).value();
  results[1].Receive(kForever).value();
  return *results[0].Receive(kForever);
}

// In dedicated isolates on the two processors.
template <class Message>
double DedicatedPair(CpuPair cpus, std::uint64_t count, PairEntry<Message> near,
                     PairEntry<Message> far,
                     const std::shared_ptr<const IdleStrategy>& idle = BusySpin()) {
  const auto on = [&](int cpu) { return SpawnOptions().Dedicated(cpu).Idle(idle); };
  return RunPair<Message>(count, {RunOfPair<Message>, near, on(cpus.near)},
                          {RunOfPair<Message>, far, on(cpus.far)});
}

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_FIGURES_PAIR_H_
