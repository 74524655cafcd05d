// Programs that storm the library, for the test with the runtime's threads and the one in
// simulations. They check what comes back; the caller checks that all isolates have ended.

#ifndef ISOLATES_TESTS_STRESS_STORMS_H_
#define ISOLATES_TESTS_STRESS_STORMS_H_

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {

struct Numbered {
  int sender = 0;
  int number = 0;
};

struct NumbersToSend {
  int sender = 0;
  int count = 0;
  SendPort<Numbered> to;
};

inline Task<> SendNumbers(NumbersToSend job) {
  for (int i = 0; i < job.count; ++i) {
    job.to.Send(Numbered{job.sender, i});
    if (i % 64 == 0) co_await Delay(Duration::zero());
  }
}

// Fan-in: nothing is lost, each sender's order is kept.
inline void FanIn(int senders, int messages) {
  ReceivePort<Numbered> port;
  for (int s = 0; s < senders; ++s) {
    Isolate::Spawn(SendNumbers, NumbersToSend{s, messages, port.send_port()}).Get();
  }
  std::vector<int> next(static_cast<std::size_t>(senders), 0);
  for (int taken = 0; taken < senders * messages; ++taken) {
    const auto message = port.Receive(kForever);
    ASSERT_EQ(message->number, next[static_cast<std::size_t>(message->sender)]++);
  }
}

inline void ServeTexts(SendPort<SendPort<std::string>> out) {
  ReceivePort<std::string> port;
  out.Send(port.send_port());
  std::move(port).Listen([](ReceivePort<std::string>& self, std::string text) {
    if (text == "exit") Isolate::Exit();
    if (text == "close") self.Close();
  });
}

// Isolates that exit, close their ports and are killed while others send to them: each end is told.
inline void SpawnExitKill(int rounds, int sends_at_most) {
  ReceivePort<int> exits;
  ReceivePort<SendPort<std::string>> ports;
  ReceivePort<SendPort<std::string>> nobodys;
  int expected = 0;
  for (int round = 0; round < rounds; ++round) {
    const bool kill_at_once = round % 5 == 0;  // before it has run, perhaps
    const auto isolate = Isolate::Spawn(ServeTexts, (kill_at_once ? nobodys : ports).send_port(),
                                        SpawnOptions().OnExit(exits.send_port(), 1))
                             .Get();
    ++expected;
    if (kill_at_once) {
      isolate.Kill(round % 2 == 0 ? ControlPriority::kImmediate
                                  : ControlPriority::kBeforeNextEvent);
      continue;
    }
    const auto port = *ports.Receive(kForever);
    auto sends = Isolate::Run(
        [](SendPort<std::string> to, int most) {
          int accepted = 0;
          while (accepted < most && to.Send(std::string(60, 's')) == SendResult::kAccepted)
            ++accepted;
          return accepted;
        },
        port, sends_at_most);
    switch (round % 4) {
      case 0:
        port.Send("exit");
        break;
      case 1:
        port.Send("close");
        break;
      case 2:
        isolate.Kill(ControlPriority::kImmediate);
        break;
      case 3:
        isolate.Pause();
        isolate.Kill();
        break;
    }
    EXPECT_GE(sends.Get(), 0);
  }
  for (int i = 0; i < expected; ++i) EXPECT_EQ(exits.Receive(kForever), 1);
  EXPECT_EQ(exits.TryReceive(), std::nullopt);
}

inline Task<int> Tree(int depth) {
  if (depth == 0) co_return 1;
  auto [left, right] =
      co_await WhenAll(Isolate::Run(Tree, depth - 1), Isolate::Run(Tree, depth - 1));
  co_return left + right;
}

inline int BlockingTree(int depth) {
  if (depth == 0) return 1;
  auto left = Isolate::Run(BlockingTree, depth - 1);
  auto right = Isolate::Run(BlockingTree, depth - 1);
  return left.Get() + right.Get();
}

inline Task<std::map<int, std::string>> SlowTable(int rows) {
  std::map<int, std::string> table;
  for (int i = 0; i < rows; ++i) {
    table[i] = std::string(50, 't');
    if (i % 8 == 0) co_await Delay(Duration::zero());
  }
  co_return table;
}

// Parcels that coroutines build beside isolates that block.
inline void ParcelsAndTrees(int rounds, int parcels_at_once) {
  for (int round = 0; round < rounds; ++round) {
    std::vector<Future<Parcel<std::map<int, std::string>>>> parcels;
    std::vector<Future<int>> trees;
    for (int i = 0; i < parcels_at_once; ++i) {
      parcels.push_back(Isolate::RunParcel(SlowTable, 64));
      trees.push_back(Isolate::Run(BlockingTree, 2));
    }
    for (auto& parcel : parcels) EXPECT_EQ(parcel.Get()->size(), 64U);
    for (auto& tree : trees) EXPECT_EQ(tree.Get(), 4);
  }
}

}  // namespace isolates

#endif  // ISOLATES_TESTS_STRESS_STORMS_H_
