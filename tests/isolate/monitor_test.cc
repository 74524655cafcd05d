// Reasons of ends, and who is told of them: monitors, linked isolates, streams of errors.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void ListenForEver(int) {
  ReceivePort<int> port;
  std::move(port).Listen([](int) {});
}

template <class Entry>
ExitInfo EndOf(Entry entry, SpawnOptions options = {}) {
  ReceivePort<ExitInfo> ends;
  const auto isolate = Isolate::Spawn(entry, 0, options.Monitor(ends.send_port())).Get();
  auto info = *ends.Receive(kForever);
  EXPECT_EQ(info.isolate_id, isolate.id());
  EXPECT_EQ(info.isolate_name, isolate.debug_name());
  return info;
}

// Swallows the reports of errors that a test causes on purpose.
std::atomic<int> unhandled{0};
class MonitorTest : public testing::Test {
 protected:
  MonitorTest() {
    unhandled = 0;
    former_ = SetUnhandledErrorHandler([](const RemoteError&) { unhandled.fetch_add(1); });
  }
  ~MonitorTest() override { SetUnhandledErrorHandler(former_); }

 private:
  UnhandledErrorHandler former_;
};

TEST_F(MonitorTest, AnIsolateWithNothingLeftToHandleHasFinished) {
  const auto info = EndOf([](int) {}, SpawnOptions().DebugName("short"));
  EXPECT_EQ(info.reason, ExitReason::kFinished);
  EXPECT_EQ(info.message, "");
  EXPECT_FALSE(info.error.has_value());
  EXPECT_EQ(info.isolate_name, "short");
}

TEST_F(MonitorTest, ExitIsAReasonOfItsOwn) {
  EXPECT_EQ(EndOf([](int) { Isolate::Exit(); }).reason, ExitReason::kExited);
}

TEST_F(MonitorTest, AnUncaughtErrorComesAlongAndCountsAsTaken) {
  const auto info = EndOf([](int) { throw std::runtime_error("thrown"); });
  EXPECT_EQ(info.reason, ExitReason::kUncaughtError);
  ASSERT_TRUE(info.error.has_value());
  EXPECT_EQ(info.error->message(), "thrown");
  EXPECT_EQ(unhandled, 0);
}

TEST_F(MonitorTest, AnErrorThatIsNotFatalIsNoReason) {
  const auto info =
      EndOf([](int) { throw std::runtime_error("thrown"); }, SpawnOptions().ErrorsAreFatal(false));
  EXPECT_EQ(info.reason, ExitReason::kFinished);
  EXPECT_FALSE(info.error.has_value());
  EXPECT_EQ(unhandled, 1);
}

TEST_F(MonitorTest, AKillSaysWhy) {
  for (const auto priority : {ControlPriority::kImmediate, ControlPriority::kBeforeNextEvent}) {
    const auto isolate = Isolate::Spawn(ListenForEver, 0).Get();
    auto end = isolate.Ended();
    isolate.Kill(priority, "no longer needed");
    isolate.Kill(priority, "the second does not count");
    const ExitInfo info = end.Get();
    EXPECT_EQ(info.reason, ExitReason::kKilled);
    EXPECT_EQ(info.message, "no longer needed");
  }
}

TEST_F(MonitorTest, AnIsolateMayKillItself) {
  const auto info = EndOf([](int) {
    Isolate::Current().Kill(ControlPriority::kImmediate, "by itself");
    Isolate::CheckStop();
  });
  EXPECT_EQ(info.reason, ExitReason::kKilled);
  EXPECT_EQ(info.message, "by itself");
}

TEST_F(MonitorTest, WhatTookEffectFirstCounts) {
  // Told to end after its event, it fails in that event.
  const auto info = EndOf([](int) {
    Isolate::Current().Kill(ControlPriority::kBeforeNextEvent, "later");
    throw std::runtime_error("sooner");
  });
  EXPECT_EQ(info.reason, ExitReason::kUncaughtError);
  EXPECT_EQ(info.message, "");
  EXPECT_EQ(info.error->message(), "sooner");
}

TEST_F(MonitorTest, ALastMessageWhosePortClosesMeanwhileIsADeadLetter) {
  const auto before = runtime_info().dead_letters;
  const auto info = EndOf([](int) {
    ReceivePort<std::string> closes_in_the_unwinding;
    Isolate::Exit(closes_in_the_unwinding.send_port(), std::string("last"));
  });
  EXPECT_EQ(info.reason, ExitReason::kExited);
  EXPECT_EQ(runtime_info().dead_letters, before + 1);
}

TEST_F(MonitorTest, TheDeadAreKnownToLateMonitorsWithTheirRealReason) {
  const auto isolate = Isolate::Spawn(ListenForEver, 0).Get();
  isolate.Kill(ControlPriority::kImmediate, "early");
  EXPECT_EQ(isolate.Ended().Get().message, "early");
  ReceivePort<ExitInfo> ends;
  isolate.Monitor(ends.send_port());
  const auto info = ends.Receive(kForever);
  EXPECT_EQ(info->reason, ExitReason::kKilled);
  EXPECT_EQ(info->message, "early");
  EXPECT_EQ(isolate.Ended().Get().isolate_id, isolate.id());
}

TEST_F(MonitorTest, APortIsToldOnceHoweverOftenItWasAdded) {
  const auto isolate = Isolate::Spawn(ListenForEver, 0).Get();
  ReceivePort<ExitInfo> ends;
  isolate.Monitor(ends.send_port());
  isolate.Monitor(ends.send_port());
  isolate.Kill();
  (void)isolate.Ended().Get();
  EXPECT_TRUE(ends.TryReceive().has_value());
  EXPECT_FALSE(ends.TryReceive().has_value());
}

TEST_F(MonitorTest, UnmonitorTakesItBack) {
  const auto isolate = Isolate::Spawn(ListenForEver, 0).Get();
  ReceivePort<ExitInfo> ends;
  isolate.Monitor(ends.send_port());
  isolate.Unmonitor(ends.send_port());
  isolate.Kill();
  (void)isolate.Ended().Get();
  EXPECT_FALSE(ends.TryReceive().has_value());
}

TEST_F(MonitorTest, AMonitorNeedsAPort) {
  EXPECT_THROW(Isolate::Current().Monitor(SendPort<ExitInfo>()), StateError);
}

TEST_F(MonitorTest, NothingIsLostBetweenTheEndAndTheCall) {
  // The isolate ends at about the time when it is monitored: told once, before or after.
  ReceivePort<ExitInfo> ends;
  constexpr int kRounds = 2000;
  for (int i = 0; i < kRounds; ++i) {
    const auto isolate = Isolate::Spawn([](int) { Isolate::Exit(); }, 0).Get();
    for (int spin = 0; spin < i % 50; ++spin) (void)isolate.stop_token().stop_requested();
    isolate.Monitor(ends.send_port());
    const auto info = ends.Receive(kForever);
    EXPECT_EQ(info->reason, ExitReason::kExited);
    EXPECT_EQ(info->isolate_id, isolate.id());
  }
  EXPECT_FALSE(ends.TryReceive().has_value());
}

TEST_F(MonitorTest, SeveralThreadsMonitorOneIsolate) {
  for (int round = 0; round < 50; ++round) {
    const auto isolate = Isolate::Spawn(ListenForEver, 0).Get();
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back(
          [&isolate] { EXPECT_EQ(isolate.Ended().Get().reason, ExitReason::kKilled); });
    }
    isolate.Kill();
    for (auto& thread : threads) thread.join();
  }
}

TEST_F(MonitorTest, WaitingForOnesOwnEndIsRefused) {
  EXPECT_TRUE(Isolate::Run([] {
                try {
                  (void)Isolate::Current().Ended().Get();
                } catch (const StateError&) {
                  return true;
                }
                return false;
              }).Get());
}

TEST_F(MonitorTest, AwaitedInAnIsolate) {
  EXPECT_EQ(Isolate::Run([]() -> Task<std::string> {
              const auto child = Isolate::Spawn(ListenForEver, 0).Get();
              child.Kill(ControlPriority::kBeforeNextEvent, "awaited");
              const ExitInfo info = co_await child.Ended();
              co_return info.message;
            }).Get(),
            "awaited");
}

TEST_F(MonitorTest, TheEndOfAThread) {
  ReceivePort<ExitInfo> ends;
  std::thread([port = ends.send_port()] { Isolate::Current().Monitor(port); }).join();
  EXPECT_EQ(ends.Receive(kForever)->reason, ExitReason::kFinished);
}

TEST_F(MonitorTest, AKilledRunSaysWhyItHasNoResult) {
  ReceivePort<std::pair<ControlPort, Capability>> handles;
  auto future = Isolate::Run(
      [](SendPort<std::pair<ControlPort, Capability>> out) -> Task<int> {
        const Isolate self = Isolate::Current();
        out.Send(std::make_pair(self.control_port(), self.terminate_capability()));
        ReceivePort<int> never;
        co_return *(co_await never.Receive());
      },
      handles.send_port());
  const auto [control, terminate] = *handles.Receive(kForever);
  Isolate(control, {}, terminate).Kill(ControlPriority::kImmediate, "superseded");
  try {
    (void)future.Get();
    ADD_FAILURE();
  } catch (const RemoteError& error) {
    EXPECT_THAT(error.message(), HasSubstr("killed: superseded"));
  }
}

TEST_F(MonitorTest, EveryReasonHasAName) {
  for (const auto reason : {ExitReason::kFinished, ExitReason::kExited, ExitReason::kUncaughtError,
                            ExitReason::kKilled, ExitReason::kParentEnded, ExitReason::kShutdown}) {
    EXPECT_NE(ExitReasonName(reason), "unknown");
  }
}

// --- linked isolates

TEST_F(MonitorTest, LinkedIsolatesEndWithTheirParentRecursively) {
  ReceivePort<ExitInfo> ends;
  ReceivePort<int> started;
  using Ports = std::pair<SendPort<ExitInfo>, SendPort<int>>;
  const auto parent =
      Isolate::Spawn(
          [](Ports ports) {
            const auto child = [](Ports inner) {
              const auto grandchild = [](SendPort<int> out) {
                out.Send(1);
                for (;;) Isolate::CheckStop();
              };
              (void)Isolate::Spawn(
                  grandchild, inner.second,
                  SpawnOptions().DebugName("grandchild").EndWithParent().Monitor(inner.first));
              ListenForEver(0);
            };
            (void)Isolate::Spawn(
                child, ports,
                SpawnOptions().DebugName("child").EndWithParent().Monitor(ports.first));
            (void)Isolate::Spawn(ListenForEver, 0,
                                 SpawnOptions().DebugName("independent").Monitor(ports.first))
                .Get();
            ListenForEver(0);
          },
          std::make_pair(ends.send_port(), started.send_port()),
          SpawnOptions().DebugName("parent").Monitor(ends.send_port()))
          .Get();
  (void)started.Receive(kForever);
  parent.Kill();
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) {
    const auto info = *ends.Receive(kForever);
    names.push_back(info.isolate_name);
    EXPECT_EQ(info.reason,
              info.isolate_name == "parent" ? ExitReason::kKilled : ExitReason::kParentEnded);
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("parent", "child", "grandchild"));
  EXPECT_FALSE(ends.TryReceive().has_value());
}

TEST_F(MonitorTest, LinkedIsolatesEndWithAThread) {
  ReceivePort<ExitInfo> ends;
  std::thread([port = ends.send_port()] {
    (void)Isolate::Spawn(ListenForEver, 0, SpawnOptions().EndWithParent().Monitor(port)).Get();
  }).join();
  EXPECT_EQ(ends.Receive(kForever)->reason, ExitReason::kParentEnded);
}

TEST_F(MonitorTest, ALinkedRunEndsWithItsParent) {
  ReceivePort<int> told;
  ReceivePort<int> started;
  using Ports = std::pair<SendPort<int>, SendPort<int>>;
  const auto parent = Isolate::Spawn(
                          [](Ports ports) -> Task<> {
                            auto future = Isolate::Run(
                                RunOptions().EndWithParent(),
                                [](Ports inner) {
                                  struct Guard {
                                    SendPort<int> out;
                                    ~Guard() { out.Send(2); }
                                  } guard{inner.second};
                                  inner.first.Send(1);
                                  ReceivePort<int> never;
                                  (void)never.Receive(kForever);
                                },
                                ports);
                            co_await future;
                          },
                          std::make_pair(started.send_port(), told.send_port()))
                          .Get();
  (void)started.Receive(kForever);
  parent.Kill();
  EXPECT_EQ(told.Receive(kForever), 2);
}

TEST_F(MonitorTest, ManyShortLinkedIsolatesAreForgotten) {
  EXPECT_EQ(EndOf([](int) {
              for (int i = 0; i < 300; ++i) {
                auto child = Isolate::Spawn([](int) {}, 0, SpawnOptions().EndWithParent()).Get();
                (void)child.Ended().Get();
              }
            }).reason,
            ExitReason::kFinished);
}

// --- streams of errors

Task<std::vector<std::string>> AllErrors(Isolate isolate) {
  std::vector<std::string> messages;
  auto errors = isolate.Errors();
  while (auto error = co_await errors.Next()) messages.push_back(error->message());
  co_return messages;
}

TEST_F(MonitorTest, AStreamOfErrorsEndsWithTheIsolate) {
  ReceivePort<SendPort<std::string>> ports;
  const auto isolate =
      Isolate::Spawn(
          [](SendPort<SendPort<std::string>> out) {
            ReceivePort<std::string> port;
            auto sender = port.send_port();
            for (const char* text : {"one", "two", "end"}) sender.Send(text);
            std::move(port).Listen([](ReceivePort<std::string>& self, std::string text) {
              if (text == "end") self.Close();
              throw std::runtime_error(text);
            });
            out.Send(sender);
          },
          ports.send_port(), SpawnOptions().Paused().ErrorsAreFatal(false))
          .Get();
  auto first = Start(AllErrors(isolate));
  auto second = Start(AllErrors(isolate));
  isolate.Resume(isolate.pause_capability());  // both have subscribed
  EXPECT_THAT(first.Get(), ElementsAre("one", "two", "end"));
  EXPECT_THAT(second.Get(), ElementsAre("one", "two", "end"));
  EXPECT_EQ(unhandled, 0);
  // Of an isolate that has ended, it ends at once.
  EXPECT_TRUE(Start(AllErrors(isolate)).Get().empty());
}

TEST_F(MonitorTest, AListenerWhosePortIsClosedTakesNoErrors) {
  SpawnOptions options;
  {
    const ReceivePort<RemoteError> closes;
    options.OnError(closes.send_port());
  }
  const auto isolate =
      Isolate::Spawn([](int) { throw std::runtime_error("thrown"); }, 0, options.Paused()).Get();
  ReceivePort<int> exits;
  isolate.AddOnExitListener(exits.send_port(), 1);
  isolate.Resume(isolate.pause_capability());
  (void)exits.Receive(kForever);
  while (unhandled == 0) std::this_thread::yield();
  EXPECT_EQ(unhandled, 1);
}

// --- responses that cannot be copied

struct ThrowsWhenCopied {
  int armed = 0;
  ThrowsWhenCopied() = default;
  explicit ThrowsWhenCopied(int copies) : armed(copies) {}
  ThrowsWhenCopied(const ThrowsWhenCopied& other) : armed(other.armed) {
    if (armed != 0) throw std::runtime_error("copied");
  }
  ThrowsWhenCopied(ThrowsWhenCopied&&) noexcept = default;
  ThrowsWhenCopied& operator=(const ThrowsWhenCopied&) = default;
  ThrowsWhenCopied& operator=(ThrowsWhenCopied&&) noexcept = default;
  using IsolatesMembers = Members<&ThrowsWhenCopied::armed>;
};

TEST_F(MonitorTest, AResponseWhoseCopyThrowsIsReported) {
  ReceivePort<ThrowsWhenCopied> responses;
  const auto isolate = Isolate::Spawn(ListenForEver, 0).Get();
  isolate.Ping(responses.send_port(), ThrowsWhenCopied(1));
  isolate.AddOnExitListener(responses.send_port(), ThrowsWhenCopied(1));
  isolate.Kill();
  EXPECT_EQ(isolate.Ended().Get().reason, ExitReason::kKilled);
  while (unhandled < 2) std::this_thread::yield();  // the exit listener's comes after it
  EXPECT_FALSE(responses.TryReceive().has_value());
}

}  // namespace
}  // namespace isolates
