// Control: spawn options, listeners, pause, kill, ping, handles, names, errors.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
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

template <class T>
std::vector<T> TakeAll(ReceivePort<T>& port) {
  std::vector<T> taken;
  while (auto message = port.TryReceive()) taken.push_back(std::move(*message));
  return taken;
}

// Listens until "stop"; answers everything else.
void Echo(SendPort<std::pair<SendPort<std::string>, std::string>> out) {
  ReceivePort<std::string> port;
  out.Send(std::make_pair(port.send_port(), std::string("ready")));
  std::move(port).Listen([out](ReceivePort<std::string>& self, std::string text) {
    if (text == "throw") throw std::runtime_error("thrown");
    out.Send(std::make_pair(SendPort<std::string>(), text));
    if (text == "stop") self.Close();
  });
}

class ControlTest : public testing::Test {
 protected:
  Isolate SpawnEcho(SpawnOptions options = {}) {
    return Isolate::Spawn(Echo, replies_.send_port(), options.OnExit(exits_.send_port(), 1)).Get();
  }
  std::string NextReply() {
    auto reply = *replies_.Receive(kForever);
    if (reply.second == "ready") port_ = reply.first;
    return reply.second;
  }
  int NextExit() { return *exits_.Receive(kForever); }
  // Returns when the isolate has handled all control that was sent before.
  void Sync(const Isolate& isolate) {
    ReceivePort<int> pings;
    isolate.Ping(pings.send_port(), 1);
    EXPECT_EQ(pings.Receive(kForever), 1);
  }

  ReceivePort<std::pair<SendPort<std::string>, std::string>> replies_;
  ReceivePort<int> exits_;
  SendPort<std::string> port_;
};

TEST_F(ControlTest, AnIsolateLivesUntilItsPortCloses) {
  const auto isolate = SpawnEcho(SpawnOptions().DebugName("echo"));
  EXPECT_EQ(isolate.debug_name(), "echo");
  EXPECT_EQ(NextReply(), "ready");
  port_.Send("one");
  EXPECT_EQ(NextReply(), "one");
  EXPECT_EQ(exits_.TryReceive(), std::nullopt);
  port_.Send("stop");
  EXPECT_EQ(NextReply(), "stop");
  EXPECT_EQ(NextExit(), 1);
  EXPECT_TRUE(port_.closed());
}

TEST_F(ControlTest, APausedSpawnRunsItsFirstLineAfterResume) {
  const auto isolate = SpawnEcho(SpawnOptions().Paused());
  Sync(isolate);
  EXPECT_EQ(replies_.TryReceive(), std::nullopt);
  isolate.Resume(Capability::Create());
  Sync(isolate);
  EXPECT_EQ(replies_.TryReceive(), std::nullopt);
  isolate.Resume(isolate.pause_capability());
  EXPECT_EQ(NextReply(), "ready");
  isolate.Kill();
  EXPECT_EQ(NextExit(), 1);
}

TEST_F(ControlTest, PausesAreCountedByCapability) {
  const auto isolate = SpawnEcho();
  EXPECT_EQ(NextReply(), "ready");
  const Capability first = isolate.Pause();
  const Capability second = isolate.Pause();
  EXPECT_EQ(isolate.Pause(second), second);
  EXPECT_NE(first, second);
  Sync(isolate);
  port_.Send("one");
  Sync(isolate);
  EXPECT_EQ(replies_.TryReceive(), std::nullopt);
  isolate.Resume(first);
  Sync(isolate);
  EXPECT_EQ(replies_.TryReceive(), std::nullopt);
  isolate.Resume(first);  // has no effect any more
  isolate.Resume(second);
  EXPECT_EQ(NextReply(), "one");
  isolate.Kill();
  EXPECT_EQ(NextExit(), 1);
}

TEST_F(ControlTest, KillOfAnIdleIsolate) {
  for (const auto priority : {ControlPriority::kBeforeNextEvent, ControlPriority::kImmediate}) {
    const auto isolate = SpawnEcho();
    EXPECT_EQ(NextReply(), "ready");
    isolate.Kill(priority);
    EXPECT_EQ(NextExit(), 1);
    EXPECT_TRUE(port_.closed());
    isolate.Kill(priority);
    isolate.Pause();
  }
}

TEST_F(ControlTest, KillOfAPausedIsolate) {
  for (const auto priority : {ControlPriority::kBeforeNextEvent, ControlPriority::kImmediate}) {
    const auto isolate = SpawnEcho(SpawnOptions().Paused());
    isolate.Kill(priority);
    EXPECT_EQ(NextExit(), 1);
    EXPECT_EQ(replies_.TryReceive(), std::nullopt);
  }
}

TEST_F(ControlTest, KillOfALoopWithCheckStop) {
  static std::atomic<bool> unwound{false};
  ReceivePort<int> started;
  const auto isolate = Isolate::Spawn(
                           [](SendPort<int> out) {
                             struct Guard {
                               ~Guard() { unwound = true; }
                             } guard;
                             out.Send(1);
                             for (;;) Isolate::CheckStop();
                           },
                           started.send_port(), SpawnOptions().OnExit(exits_.send_port(), 3))
                           .Get();
  (void)started.Receive(kForever);
  isolate.Kill(ControlPriority::kImmediate);
  EXPECT_EQ(NextExit(), 3);
  EXPECT_TRUE(unwound);
}

TEST_F(ControlTest, KillOfAnIsolateThatBlocks) {
  ReceivePort<int> started;
  const auto blocked = Isolate::Spawn(
                           [](SendPort<int> out) {
                             ReceivePort<int> never;
                             out.Send(1);
                             (void)never.Receive(kForever);
                             out.Send(2);
                           },
                           started.send_port(), SpawnOptions().OnExit(exits_.send_port(), 4))
                           .Get();
  (void)started.Receive(kForever);
  blocked.Kill(ControlPriority::kImmediate);
  EXPECT_EQ(NextExit(), 4);
  EXPECT_EQ(started.TryReceive(), std::nullopt);
}

TEST_F(ControlTest, KillOfACoroutineThatWaits) {
  ReceivePort<int> started;
  const auto isolate = Isolate::Spawn(
                           [](SendPort<int> out) -> Task<> {
                             out.Send(1);
                             co_await Delay(std::chrono::hours(1));
                           },
                           started.send_port(), SpawnOptions().OnExit(exits_.send_port(), 5))
                           .Get();
  (void)started.Receive(kForever);
  isolate.Kill();
  EXPECT_EQ(NextExit(), 5);
}

TEST_F(ControlTest, KilledRunsFailTheirFutures) {
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
  Isolate(control, {}, terminate).Kill();
  EXPECT_THROW((void)future.Get(), RemoteError);
}

TEST_F(ControlTest, ARestrictedHandleCanPingAndListenAndNoMore) {
  const auto isolate = SpawnEcho();
  EXPECT_EQ(NextReply(), "ready");
  const Isolate restricted(isolate.control_port());
  EXPECT_EQ(restricted, isolate);
  EXPECT_EQ(restricted.debug_name(), isolate.debug_name());
  restricted.Kill();
  restricted.Kill(ControlPriority::kImmediate);
  restricted.Pause();
  restricted.SetErrorsFatal(false);
  Sync(restricted);
  port_.Send("alive");
  EXPECT_EQ(NextReply(), "alive");
  const Isolate wrong(isolate.control_port(), Capability::Create(), Capability::Create());
  wrong.Kill();
  wrong.Pause();
  Sync(wrong);
  port_.Send("throw");  // is still fatal
  EXPECT_EQ(NextExit(), 1);
}

TEST_F(ControlTest, AControlPortCanBeSentAndRebuilt) {
  const auto isolate = SpawnEcho();
  EXPECT_EQ(NextReply(), "ready");
  Isolate::Run(
      [](std::pair<ControlPort, Capability> rights) {
        Isolate(rights.first, {}, rights.second).Kill();
      },
      std::make_pair(isolate.control_port(), isolate.terminate_capability()))
      .Get();
  EXPECT_EQ(NextExit(), 1);
}

TEST_F(ControlTest, AnEmptyControlPortIsRefused) {
  EXPECT_THROW(Isolate handle{ControlPort()}, StateError);
}

TEST_F(ControlTest, AnExitListenerAddedTwiceGetsTheLaterResponse) {
  const auto isolate = SpawnEcho(SpawnOptions().Paused());
  ReceivePort<int> notices;
  isolate.AddOnExitListener(notices.send_port(), 1);
  isolate.AddOnExitListener(notices.send_port(), 2);
  isolate.Kill();
  EXPECT_EQ(NextExit(), 1);
  EXPECT_EQ(notices.Receive(kForever), 2);
  EXPECT_EQ(notices.TryReceive(), std::nullopt);
}

TEST_F(ControlTest, ARemovedExitListenerGetsNothing) {
  const auto isolate = SpawnEcho(SpawnOptions().Paused());
  ReceivePort<int> notices;
  isolate.AddOnExitListener(notices.send_port(), 1);
  isolate.RemoveOnExitListener(notices.send_port());
  isolate.Kill();
  EXPECT_EQ(NextExit(), 1);
  EXPECT_EQ(notices.TryReceive(), std::nullopt);
}

TEST_F(ControlTest, ListenersAndPingsOnADeadIsolateGetNothing) {
  const auto isolate = SpawnEcho(SpawnOptions().Paused());
  isolate.Kill();
  EXPECT_EQ(NextExit(), 1);
  ReceivePort<int> notices;
  ReceivePort<RemoteError> errors;
  for (int i = 0; i < 3; ++i) {
    isolate.AddOnExitListener(notices.send_port(), 1);
    isolate.Ping(notices.send_port(), 2);
    isolate.AddErrorListener(errors.send_port());
    isolate.Resume(isolate.pause_capability());
  }
  EXPECT_EQ(notices.TryReceive(), std::nullopt);
}

TEST_F(ControlTest, OneSetOfOptionsServesManyIsolates) {
  SpawnOptions options;
  options.OnExit(exits_.send_port(), 6);
  constexpr int kIsolates = 200;
  for (int i = 0; i < kIsolates; ++i) Isolate::Spawn([](int) {}, i, options).Get();
  for (int i = 0; i < kIsolates; ++i) EXPECT_EQ(NextExit(), 6);
  EXPECT_EQ(exits_.TryReceive(), std::nullopt);
}

TEST_F(ControlTest, AnErrorIsToldBeforeTheEnd) {
  ReceivePort<RemoteError> errors;
  SpawnEcho(SpawnOptions().DebugName("failing").OnError(errors.send_port()));
  EXPECT_EQ(NextReply(), "ready");
  port_.Send("throw");
  EXPECT_EQ(NextExit(), 1);
  const auto all = TakeAll(errors);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].type(), "std::runtime_error");
  EXPECT_EQ(all[0].message(), "thrown");
  EXPECT_EQ(all[0].isolate_name(), "failing");
}

TEST_F(ControlTest, AnErrorOfTheFirstLineIsTold) {
  ReceivePort<RemoteError> errors;
  Isolate::Spawn([](int) { throw std::logic_error("first line"); }, 0,
                 SpawnOptions().OnError(errors.send_port()).OnExit(exits_.send_port(), 1))
      .Get();
  EXPECT_EQ(NextExit(), 1);
  EXPECT_EQ(errors.Receive(kForever)->message(), "first line");
}

TEST_F(ControlTest, ErrorsThatAreNotFatalLetItGoOn) {
  ReceivePort<RemoteError> errors;
  const auto isolate = SpawnEcho(SpawnOptions().OnError(errors.send_port()).ErrorsAreFatal(false));
  EXPECT_EQ(NextReply(), "ready");
  for (int i = 0; i < 3; ++i) {
    port_.Send("throw");
    EXPECT_EQ(errors.Receive(kForever)->message(), "thrown");
  }
  port_.Send("alive");
  EXPECT_EQ(NextReply(), "alive");
  isolate.SetErrorsFatal(true);
  port_.Send("throw");
  EXPECT_EQ(NextExit(), 1);
}

TEST_F(ControlTest, ErrorListenersAreAddedOnceAndRemoved) {
  ReceivePort<RemoteError> errors;
  ReceivePort<RemoteError> removed;
  const auto isolate = SpawnEcho(SpawnOptions().ErrorsAreFatal(false));
  EXPECT_EQ(NextReply(), "ready");
  isolate.AddErrorListener(errors.send_port());
  isolate.AddErrorListener(errors.send_port());
  isolate.AddErrorListener(removed.send_port());
  isolate.RemoveErrorListener(removed.send_port());
  port_.Send("throw");
  port_.Send("stop");
  EXPECT_EQ(NextExit(), 1);
  EXPECT_EQ(TakeAll(errors).size(), 1U);
  EXPECT_TRUE(TakeAll(removed).empty());
}

// --- errors that nobody takes
// ----------------------------------------------------------------------

std::atomic<int> unhandled{0};

class UnhandledTest : public ControlTest {
 protected:
  UnhandledTest() {
    unhandled = 0;
    former_ = SetUnhandledErrorHandler([](const RemoteError&) { unhandled.fetch_add(1); });
  }
  ~UnhandledTest() override { SetUnhandledErrorHandler(former_); }
  UnhandledErrorHandler former_ = nullptr;
};

TEST_F(UnhandledTest, AnIsolateThatDiesOfAnErrorWithoutListenersIsReported) {
  SpawnEcho();
  EXPECT_EQ(NextReply(), "ready");
  port_.Send("throw");
  EXPECT_EQ(NextExit(), 1);
  EXPECT_EQ(unhandled, 1);
}

TEST_F(UnhandledTest, AnErrorWithAListenerIsNotReported) {
  ReceivePort<RemoteError> errors;
  SpawnEcho(SpawnOptions().OnError(errors.send_port()));
  EXPECT_EQ(NextReply(), "ready");
  port_.Send("throw");
  EXPECT_EQ(NextExit(), 1);
  EXPECT_EQ(unhandled, 0);
}

TEST_F(UnhandledTest, AFailedFutureThatIsDroppedIsReported) {
  {
    auto future = Isolate::Run([] { throw std::runtime_error("dropped"); });
    EXPECT_TRUE(future.WaitFor(kForever));
  }
  while (runtime_info().isolates_live > 1) std::this_thread::yield();
  EXPECT_EQ(unhandled, 1);
}

TEST_F(UnhandledTest, AnErrorThatIsTakenIsNotReported) {
  {
    auto future = Isolate::Run([] { throw std::runtime_error("taken"); });
    EXPECT_THROW(future.Get(), RemoteError);
  }
  while (runtime_info().isolates_live > 1) std::this_thread::yield();
  EXPECT_EQ(unhandled, 0);
}

TEST_F(UnhandledTest, TheHandlerIsReturnedWhenItIsReplaced) {
  const UnhandledErrorHandler other = [](const RemoteError&) {};
  const auto mine = SetUnhandledErrorHandler(other);
  EXPECT_EQ(SetUnhandledErrorHandler(mine), other);
}

// --- names and identities
// ---------------------------------------------------------------------------

TEST(CurrentTest, NamesAreGivenOrNumbered) {
  EXPECT_EQ(
      Isolate::Run(RunOptions().DebugName("mine"), [] { return Isolate::Current().debug_name(); })
          .Get(),
      "mine");
  EXPECT_THAT(Isolate::Run([] { return Isolate::Current().debug_name(); }).Get(),
              testing::StartsWith("isolate-"));
}

TEST(CurrentTest, AThreadIsOneIsolateForAllItsLife) {
  std::thread([] {
    const Isolate first = Isolate::Current();
    const Isolate second = Isolate::Current();
    EXPECT_EQ(first, second);
    EXPECT_FALSE(first.debug_name().empty());
    std::thread([&first] { EXPECT_FALSE(Isolate::Current() == first); }).join();
  }).join();
}

TEST(CurrentTest, TheEndOfAThreadIsTheEndOfItsIsolate) {
  ReceivePort<int> exits;
  for (int i = 0; i < 100; ++i) {
    std::thread([&, port = exits.send_port()] {
      Isolate::Current().AddOnExitListener(port, i);
      ReceivePort<int> handles_the_command;
      EXPECT_THROW((void)handles_the_command.Receive(Duration::zero()), TimeoutError);
    }).join();
    EXPECT_EQ(exits.Receive(kForever), i);
  }
}

TEST(CurrentTest, AKilledThreadIsolateDoesNotWaitForEver) {
  std::thread([] {
    const Isolate self = Isolate::Current();
    self.Kill();
    ReceivePort<int> port;
    EXPECT_THROW((void)port.Receive(kForever), StateError);
  }).join();
}

TEST(CapabilityTest, EachIsDifferentAndKeepsItsIdentity) {
  const auto a = Capability::Create();
  const auto b = Capability::Create();
  EXPECT_NE(a, b);
  EXPECT_TRUE(a);
  EXPECT_FALSE(Capability());
  EXPECT_EQ(Isolate::Run([](Capability c) { return c; }, a).Get(), a);
}

// --- RunMain
// ----------------------------------------------------------------------------------------

TEST(RunMainTest, ItReturnsTheStatusOfMain) {
  EXPECT_EQ(RunMain([] { return 3; }), 3);
  EXPECT_EQ(RunMain([] {}), 0);
  EXPECT_EQ(RunMain([]() -> Task<int> {
              co_await Delay(Duration::zero());
              co_return co_await Isolate::Run([] { return 4; });
            }),
            4);
  EXPECT_EQ(RunMain([]() -> Task<> { co_return; }), 0);
}

TEST(RunMainTest, ItThrowsWhatMainThrows) {
  EXPECT_THROW(RunMain([]() -> int { throw std::out_of_range("main"); }), std::out_of_range);
  EXPECT_THROW(RunMain([]() -> Task<int> {
                 co_await Delay(Duration::zero());
                 throw std::out_of_range("main");
               }),
               std::out_of_range);
}

TEST(RunMainTest, ItHandlesEventsUntilNothingKeepsItAlive) {
  std::vector<int> seen;
  EXPECT_EQ(RunMain([&seen] {
              ReceivePort<int> port;
              (void)Isolate::Spawn(
                  [](SendPort<int> out) {
                    for (int i = 0; i < 3; ++i) out.Send(i);
                  },
                  port.send_port());
              std::move(port).Listen([&seen](ReceivePort<int>& self, int number) {
                seen.push_back(number);
                if (number == 2) self.Close();
              });
              return 1;
            }),
            1);
  EXPECT_THAT(seen, ElementsAre(0, 1, 2));
}

TEST(RunMainTest, AnErrorOfAListenerIsThrown) {
  EXPECT_THROW(RunMain([] {
                 ReceivePort<int> port;
                 port.send_port().Send(1);
                 std::move(port).Listen([](int) { throw std::length_error("listener"); });
               }),
               std::length_error);
}

TEST(RunMainTest, MainMayKillItself) {
  EXPECT_EQ(RunMain([] {
              ReceivePort<int> port;
              std::move(port).Listen([](int) {});
              Isolate::Current().Kill();
              return 9;
            }),
            9);
}

}  // namespace
}  // namespace isolates
