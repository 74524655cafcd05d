// Kill, its time to effect, and stop tokens; pings with a priority.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using Text = std::string;
constexpr ControlPriority kPriorities[] = {ControlPriority::kImmediate,
                                           ControlPriority::kBeforeNextEvent};

// Spawns `entry(out)`, waits for its first text, kills it, and returns what it sent afterwards.
class StopTest : public testing::Test {
 protected:
  template <class Entry>
  Isolate SpawnStarted(Entry entry) {
    auto isolate = Isolate::Spawn(entry, texts_.send_port()).Get();
    EXPECT_EQ(texts_.Receive(kForever), "started");
    return isolate;
  }
  std::vector<Text> TextsAfterTheEnd(const Isolate& isolate) {
    EXPECT_EQ(isolate.Ended().Get().reason, ExitReason::kKilled);
    std::vector<Text> texts;
    while (auto text = texts_.TryReceive()) texts.push_back(*text);
    return texts;
  }
  void Sync(const Isolate& isolate) {
    ReceivePort<int> pings;
    isolate.Ping(pings.send_port(), 1);
    EXPECT_EQ(pings.Receive(kForever), 1);
  }

  ReceivePort<Text> texts_;
};

// Says when the frame that has it is destroyed.
struct Guard {
  SendPort<Text> out;
  Text text;
  ~Guard() { out.Send(text); }
};

TEST_F(StopTest, KillWhileComputing) {
  const auto isolate = SpawnStarted([](SendPort<Text> out) {
    const Guard guard{out, "unwound"};
    out.Send("started");
    for (;;) Isolate::CheckStop();
  });
  isolate.Kill(ControlPriority::kImmediate);
  EXPECT_THAT(TextsAfterTheEnd(isolate), testing::ElementsAre("unwound"));
}

TEST_F(StopTest, CheckStopDoesNotThrowBeforeTheEventIsOver) {
  const auto isolate = SpawnStarted([](SendPort<Text> out) {
    const auto token = CurrentStopToken();
    out.Send("started");
    while (!token.stop_requested()) {
    }
    for (int i = 0; i < 100; ++i) Isolate::CheckStop();
    out.Send("went on: " + token.reason());
    ReceivePort<int> port;
    std::move(port).Listen([](int) {});
  });
  isolate.Kill(ControlPriority::kBeforeNextEvent, "polite");
  EXPECT_THAT(TextsAfterTheEnd(isolate), testing::ElementsAre("went on: polite"));
}

TEST_F(StopTest, KillWhileBlockedInReceive) {
  const auto isolate = SpawnStarted([](SendPort<Text> out) {
    const Guard guard{out, "unwound"};
    ReceivePort<int> never;
    out.Send("started");
    (void)never.Receive(kForever);
    out.Send("received");
  });
  isolate.Kill(ControlPriority::kImmediate);
  EXPECT_THAT(TextsAfterTheEnd(isolate), testing::ElementsAre("unwound"));
}

TEST_F(StopTest, KillWhileBlockedInGet) {
  const auto isolate = SpawnStarted([](SendPort<Text> out) {
    const Guard guard{out, "unwound"};
    auto never = Isolate::Run(RunOptions().EndWithParent(), [] {
      ReceivePort<int> port;
      (void)port.Receive(kForever);
    });
    out.Send("started");
    never.Get();
    out.Send("got");
  });
  isolate.Kill(ControlPriority::kImmediate);
  EXPECT_THAT(TextsAfterTheEnd(isolate), testing::ElementsAre("unwound"));
}

TEST_F(StopTest, AKillBeforeTheNextEventLeavesABlockedCallAlone) {
  ReceivePort<SendPort<int>> ports;
  const auto isolate = Isolate::Spawn(
                           [](std::pair<SendPort<SendPort<int>>, SendPort<Text>> out) {
                             ReceivePort<int> port;
                             out.first.Send(port.send_port());
                             const auto number = *port.Receive(kForever);
                             out.second.Send("received " + std::to_string(number));
                             ReceivePort<int> more;
                             std::move(more).Listen([](int) {});
                           },
                           std::make_pair(ports.send_port(), texts_.send_port()))
                           .Get();
  const auto port = *ports.Receive(kForever);
  isolate.Kill();
  Sync(isolate);
  port.Send(7);
  EXPECT_THAT(TextsAfterTheEnd(isolate), testing::ElementsAre("received 7"));
}

TEST_F(StopTest, KillWhileCoroutinesWait) {
  for (const auto priority : kPriorities) {
    const auto isolate = SpawnStarted([](SendPort<Text> out) -> Task<> {
      const Guard guard{out, "unwound"};
      out.Send("started");
      ReceivePort<int> never;
      (void)co_await never.Receive();
      out.Send("resumed");
    });
    isolate.Kill(priority);
    EXPECT_THAT(TextsAfterTheEnd(isolate), testing::ElementsAre("unwound"));
  }
}

TEST_F(StopTest, KillBeforeTheFirstLineAndWhilePaused) {
  for (const auto priority : kPriorities) {
    const auto isolate = Isolate::Spawn([](SendPort<Text> out) { out.Send("ran"); },
                                        texts_.send_port(), SpawnOptions().Paused())
                             .Get();
    isolate.Kill(priority);
    isolate.Resume(isolate.pause_capability());
    EXPECT_TRUE(TextsAfterTheEnd(isolate).empty());
  }
}

TEST_F(StopTest, KillDuringTheUnwindingChangesNothing) {
  const auto isolate = SpawnStarted([](SendPort<Text> out) {
    struct KillsAgain {
      SendPort<Text> out;
      ~KillsAgain() {
        Isolate::Current().Kill(ControlPriority::kImmediate, "second");
        Isolate::CheckStop();  // throws nothing here
        const ReceivePort<int> works;
        out.Send("destroyed");
      }
    } const guard{out};
    out.Send("started");
    for (;;) Isolate::CheckStop();
  });
  isolate.Kill(ControlPriority::kImmediate, "first");
  EXPECT_EQ(isolate.Ended().Get().message, "first");
  EXPECT_THAT(TextsAfterTheEnd(isolate), testing::ElementsAre("destroyed"));
}

TEST_F(StopTest, AFrameThatSwallowsTheKillOnlyDelaysIt) {
  const auto isolate = SpawnStarted([](SendPort<Text> out) {
    out.Send("started");
    for (int i = 0; i < 3; ++i) {
      try {
        for (;;) Isolate::CheckStop();
      } catch (...) {
        out.Send("swallowed");
      }
    }
    ReceivePort<int> port;
    std::move(port).Listen([](int) {});
  });
  isolate.Kill(ControlPriority::kImmediate);
  EXPECT_EQ(TextsAfterTheEnd(isolate).size(), 3U);
}

TEST_F(StopTest, KillOfItselfInBothPriorities) {
  for (const auto priority : kPriorities) {
    const auto isolate =
        Isolate::Spawn(
            [](std::pair<SendPort<Text>, bool> parameters) -> Task<> {
              const auto [out, immediate] = parameters;
              Isolate::Current().Kill(immediate ? ControlPriority::kImmediate
                                                : ControlPriority::kBeforeNextEvent);
              out.Send("after");
              co_await Delay(Duration::zero());
              out.Send("next event");
            },
            std::make_pair(texts_.send_port(), priority == ControlPriority::kImmediate))
            .Get();
    EXPECT_THAT(TextsAfterTheEnd(isolate), testing::ElementsAre("after"));
  }
}

// --- tokens

TEST_F(StopTest, ATokenIsAskedFromOutside) {
  ReceivePort<int> port;
  const auto isolate = Isolate::Spawn([](int) {}, 0, SpawnOptions().Paused()).Get();
  const auto token = isolate.stop_token();
  EXPECT_FALSE(token.stop_requested());
  EXPECT_EQ(token.cause(), std::nullopt);
  EXPECT_EQ(token.reason(), "");
  isolate.Kill(ControlPriority::kImmediate, "outside");
  EXPECT_TRUE(token.stop_requested());
  EXPECT_EQ(token.cause(), ExitReason::kKilled);
  EXPECT_EQ(token.reason(), "outside");
  (void)isolate.Ended().Get();
  EXPECT_EQ(Isolate::Run([](StopToken sent) { return sent.reason(); }, token).Get(), "outside");
}

TEST_F(StopTest, WithoutTheRightNothingIsRequested) {
  const auto isolate = Isolate::Spawn([](int) {}, 0, SpawnOptions().Paused()).Get();
  Isolate(isolate.control_port()).Kill(ControlPriority::kImmediate);
  EXPECT_FALSE(isolate.stop_token().stop_requested());
  isolate.Kill();
}

TEST_F(StopTest, AForeignWaitKnowsTheStandardToken) {
  const auto isolate = SpawnStarted([](SendPort<Text> out) {
    std::mutex mutex;
    std::condition_variable_any changed;
    out.Send("started");
    std::unique_lock lock(mutex);
    const bool done = changed.wait(lock, CurrentStopToken().std_token(), [] { return false; });
    out.Send(done ? "done" : "stopped");
  });
  isolate.Kill(ControlPriority::kImmediate);
  EXPECT_THAT(TextsAfterTheEnd(isolate), testing::ElementsAre("stopped"));
}

TEST_F(StopTest, AStandardTokenThatIsTakenLateKnowsTheRequest) {
  const auto isolate = Isolate::Spawn([](int) {}, 0, SpawnOptions().Paused()).Get();
  const auto early = isolate.stop_token().std_token();
  EXPECT_FALSE(early.stop_requested());
  isolate.Kill();
  EXPECT_TRUE(early.stop_requested());
  EXPECT_TRUE(isolate.stop_token().std_token().stop_requested());
  const auto other = Isolate::Spawn([](int) {}, 0, SpawnOptions().Paused()).Get();
  other.Kill();
  EXPECT_TRUE(other.stop_token().std_token().stop_requested());
}

// --- pings

TEST_F(StopTest, APingIsAnsweredByAnIsolateThatBlocksOrComputes) {
  const auto blocked = SpawnStarted([](SendPort<Text> out) {
    ReceivePort<int> never;
    out.Send("started");
    (void)never.Receive(kForever);
  });
  for (int i = 0; i < 10; ++i) Sync(blocked);
  blocked.Kill(ControlPriority::kImmediate);
  const auto computing = SpawnStarted([](SendPort<Text> out) {
    out.Send("started");
    for (;;) Isolate::CheckStop();
  });
  for (int i = 0; i < 10; ++i) Sync(computing);
  computing.Kill(ControlPriority::kImmediate);
  EXPECT_EQ(blocked.Ended().Get().reason, ExitReason::kKilled);
  EXPECT_EQ(computing.Ended().Get().reason, ExitReason::kKilled);
}

TEST_F(StopTest, APingBeforeTheNextEventWaitsForTheEndOfTheEvent) {
  ReceivePort<int> pings;
  ReceivePort<SendPort<int>> ports;
  const auto isolate = Isolate::Spawn(
                           [](SendPort<SendPort<int>> out) {
                             ReceivePort<int> port;
                             out.Send(port.send_port());
                             (void)port.Receive(kForever);
                             ReceivePort<int> more;
                             std::move(more).Listen([](int) {});
                           },
                           ports.send_port())
                           .Get();
  const auto port = *ports.Receive(kForever);
  isolate.Ping(pings.send_port(), 1, ControlPriority::kBeforeNextEvent);
  isolate.Ping(pings.send_port(), 2);
  EXPECT_EQ(pings.Receive(kForever), 2);
  EXPECT_FALSE(pings.TryReceive().has_value());
  port.Send(0);
  EXPECT_EQ(pings.Receive(kForever), 1);
  isolate.Kill();
}

TEST_F(StopTest, WhilePausedOnlyImmediatePingsAreAnswered) {
  ReceivePort<int> pings;
  const auto isolate = Isolate::Spawn(
                           [](SendPort<Text> out) {
                             out.Send("ran");
                             ReceivePort<int> port;
                             std::move(port).Listen([](int) {});
                           },
                           texts_.send_port(), SpawnOptions().Paused())
                           .Get();
  isolate.Ping(pings.send_port(), 1, ControlPriority::kBeforeNextEvent);
  isolate.Ping(pings.send_port(), 2, ControlPriority::kImmediate);
  EXPECT_EQ(pings.Receive(kForever), 2);
  Sync(isolate);
  EXPECT_FALSE(pings.TryReceive().has_value());
  isolate.Resume(isolate.pause_capability());
  EXPECT_EQ(pings.Receive(kForever), 1);
  EXPECT_EQ(texts_.Receive(kForever), "ran");
  isolate.Kill();
}

TEST_F(StopTest, APauseThatIsHandledInAnEventHoldsTheNextOne) {
  ReceivePort<SendPort<Text>> ports;
  const auto isolate =
      Isolate::Spawn(
          [](std::pair<SendPort<SendPort<Text>>, SendPort<Text>> out) {
            ReceivePort<Text> blocks;
            ReceivePort<Text> listens;
            auto listener = listens.send_port();
            std::move(listens).Listen([to = out.second](Text text) { to.Send(text); });
            out.first.Send(blocks.send_port());
            const Text text = *blocks.Receive(kForever);
            listener.Send("event");
            out.second.Send(text);
          },
          std::make_pair(ports.send_port(), texts_.send_port()))
          .Get();
  const auto port = *ports.Receive(kForever);
  const auto pause = isolate.Pause();
  Sync(isolate);
  port.Send("goes on");
  EXPECT_EQ(texts_.Receive(kForever), "goes on");
  Sync(isolate);
  EXPECT_FALSE(texts_.TryReceive().has_value());
  isolate.Resume(pause);
  EXPECT_EQ(texts_.Receive(kForever), "event");
  isolate.Kill();
}

}  // namespace
}  // namespace isolates
