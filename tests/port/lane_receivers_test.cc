// Ways to receive what comes by lanes: no message stays behind, whichever way its receiver waits.

#include <gtest/gtest.h>

#include <chrono>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "tests/port/lanes.h"

namespace isolates {
namespace {

// Bursts from an isolate to another, which answers the last message of each; so it sleeps, or is
// about to, when the next comes. A message that stays behind, or comes out of order, is seen.
struct Burst {
  int number = 0;
  bool last = false;
};
using Given = std::pair<SendPort<SendPort<Burst>>, SendPort<int>>;

class Receiver {
 public:
  explicit Receiver(SendPort<int> answers) : answers_(std::move(answers)) {}
  void operator()(Burst burst) {
    if (burst.number != expected_++) answers_.Send(-1);
    if (burst.last) answers_.Send(int(burst.number));
  }

 private:
  SendPort<int> answers_;
  int expected_ = 0;
};

template <class Receive>
void TakeBursts(Receive receive, const SpawnOptions& options, int rounds) {
  ReceivePort<SendPort<Burst>> connected;
  ReceivePort<int> answers;
  Isolate receiver =
      Isolate::Spawn(receive, Given(connected.send_port(), answers.send_port()), options).Get();
  const SendPort<Burst> to = *connected.Receive(kForever);
  int number = 0;
  for (int round = 0; round < rounds; ++round) {
    const int count = 1 + round * 7 % 100;
    for (int i = 1; i <= count; ++i) to.Send(Burst{number++, i == count});
    ASSERT_EQ(answers.Receive(kForever), number - 1);
  }
  receiver.Kill(ControlPriority::kImmediate);
  receiver.Ended().Get();
}

void ByListen(Given given) {
  ReceivePort<Burst> port;
  given.first.Send(port.send_port());
  std::move(port).Listen(Receiver(std::move(given.second)));
}
void ByListenBatch(Given given) {
  ReceivePort<Burst> port;
  given.first.Send(port.send_port());
  std::move(port).ListenBatch([receiver = Receiver(std::move(given.second))](
                                  Burst burst, bool) mutable { receiver(burst); });
}
void ByWaiting(Given given) {
  ReceivePort<Burst> port;
  given.first.Send(port.send_port());
  Receiver receiver(std::move(given.second));
  for (;;) receiver(*port.Receive(std::chrono::hours(1)));
}
void ByBatches(Given given) {
  ReceivePort<Burst> port;
  given.first.Send(port.send_port());
  Receiver receiver(std::move(given.second));
  for (std::vector<Burst> batch;; batch.clear()) {
    batch.push_back(*port.Receive(kForever));
    port.TryReceiveBatch(batch, 10);
    for (const Burst& burst : batch) receiver(burst);
  }
}
Task<> ByCoroutine(Given given) {
  ReceivePort<Burst> port;
  given.first.Send(port.send_port());
  Receiver receiver(std::move(given.second));
  for (;;) receiver(*co_await port.Receive());
}
Task<> BySelect(Given given) {
  ReceivePort<Burst> port;
  ReceivePort<int> other;
  given.first.Send(port.send_port());
  Receiver receiver(std::move(given.second));
  Select select(On(port, [&](Burst burst) { receiver(burst); }), On(other, [](int) {}));
  for (;;) co_await select.Next();
}
void ByWaitingSelect(Given given) {
  ReceivePort<Burst> port;
  ReceivePort<int> other;
  given.first.Send(port.send_port());
  Receiver receiver(std::move(given.second));
  Select select(On(port, [&](Burst burst) { receiver(burst); }), On(other, [](int) {}));
  for (;;) select.Next(kForever);
}

// With the strategy that sleeps at once, each burst may meet a receiver that is falling asleep.
template <class Receive>
void TakeBursts(Receive receive) {
  constexpr int kRounds = 300;
  for (const auto& strategy : {Park(), SpinThenPark()}) {
    SetIdleStrategy(strategy);
    TakeBursts(receive, SpawnOptions(), kRounds);
    TakeBursts(receive, SpawnOptions().Light(), kRounds);
  }
}

TEST(LaneReceiversTest, Listen) { TakeBursts(ByListen); }
TEST(LaneReceiversTest, ListenBatch) { TakeBursts(ByListenBatch); }
TEST(LaneReceiversTest, Waiting) { TakeBursts(ByWaiting); }
TEST(LaneReceiversTest, Batches) { TakeBursts(ByBatches); }
TEST(LaneReceiversTest, Coroutine) { TakeBursts(ByCoroutine); }
TEST(LaneReceiversTest, CoroutineOfASelect) { TakeBursts(BySelect); }
TEST(LaneReceiversTest, WaitingSelect) { TakeBursts(ByWaitingSelect); }

// A port of an isolate that is a plain thread, whose events are handled while it waits.
TEST(LaneReceiversTest, MainIsolate) {
  constexpr int kRounds = 300;
  for (const auto& strategy : {Park(), SpinThenPark()}) {
    SetIdleStrategy(strategy);
    ReceivePort<SendPort<int>> connected;
    ReceivePort<Burst> port;
    Isolate sender = Isolate::Spawn(
                         [](std::pair<SendPort<SendPort<int>>, SendPort<Burst>> given) -> Task<> {
                           ReceivePort<int> demands;
                           given.first.Send(demands.send_port());
                           for (int number = 0;;) {
                             const int count = *co_await demands.Receive();
                             for (int i = 1; i <= count; ++i)
                               given.second.Send(Burst{number++, i == count});
                           }
                         },
                         std::pair(connected.send_port(), port.send_port()))
                         .Get();
    const SendPort<int> demand = *connected.Receive(kForever);
    int expected = 0;
    bool last = false;
    port.Listen([&](Burst burst) {
      EXPECT_EQ(burst.number, expected++);
      last = burst.last;
    });
    ReceivePort<int> never;
    for (int round = 0; round < kRounds; ++round) {
      last = false;
      demand.Send(1 + round * 7 % 100);
      // Events are handled in the waits of this thread.
      while (!last) (void)Isolate::Run([] { return 1; }).Get();
    }
    sender.Kill();
    sender.Ended().Get();
  }
}

// An isolate whose turns the program runs is told of each message.
TEST(LaneReceiversTest, EventLoop) {
  ReceivePort<SendPort<int>> connected;
  static int expected;
  expected = 0;
  EventLoop loop = EventLoop::Create(
      [](SendPort<SendPort<int>> out) {
        ReceivePort<int> port;
        out.Send(port.send_port());
        std::move(port).Listen([](int number) { EXPECT_EQ(number, expected++); });
      },
      connected.send_port());
  EXPECT_TRUE(loop.HandleEvent());
  const SendPort<int> to = *connected.TryReceive();
  for (int round = 1; round <= 50; ++round) {
    const int first = expected;
    for (int i = 0; i < 20; ++i) to.Send(first + i);
    while (loop.HandleEvent()) {
    }
    ASSERT_EQ(expected, first + 20);
  }
}

// What an isolate has in its lanes when it is paused waits for it to be resumed.
TEST(LaneReceiversTest, APausedIsolate) {
  ReceivePort<SendPort<Burst>> connected;
  ReceivePort<int> answers;
  Isolate receiver =
      Isolate::Spawn(ByListen, Given(connected.send_port(), answers.send_port())).Get();
  const SendPort<Burst> to = *connected.Receive(kForever);
  int number = 0;
  for (int round = 0; round < 50; ++round) {
    const Capability right = receiver.Pause();
    for (int i = 1; i <= kMakesHot; ++i) to.Send(Burst{number++, i == kMakesHot});
    receiver.Resume(right);
    ASSERT_EQ(answers.Receive(kForever), number - 1);
  }
  receiver.Kill(ControlPriority::kImmediate);
  receiver.Ended().Get();
}

// More ports than an isolate looks at by itself, each with a hot sender, and ports that have ended.
TEST(LaneReceiversTest, ManyPortsOfAnIsolate) {
  constexpr int kPorts = 12;
  ReceivePort<SendPort<Burst>> connected;
  ReceivePort<int> answers;
  Isolate receiver =
      Isolate::Spawn(
          [](Given given) {
            for (int i = 0; i < 2 * kPorts; ++i) {
              ReceivePort<Burst> port;
              given.first.Send(port.send_port());
              std::move(port).Listen([answers = given.second, expected = 0](
                                         ReceivePort<Burst>& self, Burst burst) mutable {
                if (burst.number != expected++) answers.Send(-1);
                if (burst.last) answers.Send(0);
                if (burst.number == 2 * kMakesHot - 1) self.Close();
              });
            }
          },
          Given(connected.send_port(), answers.send_port()))
          .Get();
  for (int half = 0; half < 2; ++half) {
    std::vector<SendPort<Burst>> ports;
    for (int i = 0; i < kPorts; ++i) ports.push_back(*connected.Receive(kForever));
    for (int number = 0; number < 2 * kMakesHot; ++number) {
      const bool last = number % 50 == 49;
      for (const auto& to : ports) to.Send(Burst{number, last});
      for (int i = 0; last && i < kPorts; ++i) ASSERT_EQ(answers.Receive(kForever), 0);
    }
  }
  receiver.Ended().Get();
}

}  // namespace
}  // namespace isolates
