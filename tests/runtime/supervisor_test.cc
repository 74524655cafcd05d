// Supervisors, by a clock that is moved by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

const std::shared_ptr<ManualClock> the_clock = [] {
  auto clock = std::make_shared<ManualClock>();
  RuntimeOptions options;
  options.clock = clock;
  ConfigureRuntime(options);
  return clock;
}();

// What a child is told: its name, and where to announce that it has started, with its port.
struct Started {
  std::string name;
  SendPort<std::string> port;
};
struct Order {
  std::string name;
  SendPort<Started> announce;
};

// The first letters of the children in the order in which they were unwound: an order that ports,
// which have several senders here, do not keep.
std::atomic<std::size_t> ends{0};
char end_letters[64];

// "throw", "exit", and whatever else is sent is ignored.
void Child(Order order) {
  struct Guard {
    explicit Guard(char first) : letter(first) {}
    ~Guard() { end_letters[ends.fetch_add(1)] = letter; }
    const char letter;
  };
  ReceivePort<std::string> port;
  order.announce.Send(Started{order.name, port.send_port()});
  auto guard = std::make_shared<Guard>(order.name[0]);
  std::move(port).Listen([guard](ReceivePort<std::string>& self, std::string text) {
    if (text == "throw") throw std::runtime_error("told to");
    if (text == "exit") self.Close();
  });
}

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() { ends = 0; }
  ChildSpec Spec(const std::string& name) {
    return ChildSpec(name, &Child, Order{name, started_.send_port()});
  }
  std::vector<ChildSpec> Abc() { return {Spec("a"), Spec("b"), Spec("c")}; }
  // The names of the next `count` that start, in this order of the names.
  std::vector<std::string> NextStarts(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      auto started = *started_.Receive(kForever);
      names.push_back(started.name);
      ports_[static_cast<std::size_t>(started.name[0] - 'a')] = started.port;
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  static std::string Ends() { return {end_letters, ends.load()}; }
  void Tell(char child, const char* text) {
    ports_[static_cast<std::size_t>(child - 'a')].Send(text);
  }
  void StopAndWait(Supervisor& supervisor) {
    supervisor.Stop();
    supervisor.ended().Get();
  }

  ReceivePort<Started> started_;
  SendPort<std::string> ports_[3];
};

TEST_F(SupervisorTest, StopsInReverseOrder) {
  Supervisor supervisor(Abc());
  EXPECT_THAT(NextStarts(3), ElementsAre("a", "b", "c"));
  StopAndWait(supervisor);
  EXPECT_EQ(Ends(), "cba");
  EXPECT_TRUE(supervisor.left_behind().empty());
  for (const auto& child : supervisor.children()) EXPECT_FALSE(child.running);
}

TEST_F(SupervisorTest, OneForOneStartsTheFailedOne) {
  Supervisor supervisor(Abc());
  (void)NextStarts(3);
  Tell('b', "throw");
  EXPECT_THAT(NextStarts(1), ElementsAre("b"));
  EXPECT_EQ(Ends(), "b");
  EXPECT_EQ(supervisor.children()[1].starts, 2);
  EXPECT_EQ(supervisor.children()[0].starts, 1);
  StopAndWait(supervisor);
}

TEST_F(SupervisorTest, OneForAllStopsAndStartsAll) {
  Supervisor supervisor(Abc(), SupervisorOptions().Strategy(RestartStrategy::kOneForAll));
  (void)NextStarts(3);
  Tell('b', "throw");
  EXPECT_THAT(NextStarts(3), ElementsAre("a", "b", "c"));
  EXPECT_EQ(Ends(), "bca");
  StopAndWait(supervisor);
}

TEST_F(SupervisorTest, RestForOneStopsAndStartsThoseAfterIt) {
  Supervisor supervisor(Abc(), SupervisorOptions().Strategy(RestartStrategy::kRestForOne));
  (void)NextStarts(3);
  Tell('b', "throw");
  EXPECT_THAT(NextStarts(2), ElementsAre("b", "c"));
  EXPECT_EQ(Ends(), "bc");
  EXPECT_EQ(supervisor.children()[0].starts, 1);
  StopAndWait(supervisor);
}

// While others are stopped, a child that is none of them fails: it is its turn afterwards.
TEST_F(SupervisorTest, AFailureWhileOthersAreStoppedIsNotForgotten) {
  static std::atomic<bool> release{false};
  ReceivePort<int> busy;
  std::vector<ChildSpec> specs = {Spec("a"), Spec("b")};
  specs.emplace_back(
      "slow",
      [](SendPort<int> out) {
        out.Send(1);
        Blocking([] {
          while (!release) std::this_thread::yield();
        });
      },
      busy.send_port());
  specs.back().Restart(RestartKind::kTemporary);
  Supervisor supervisor(std::move(specs),
                        SupervisorOptions().Strategy(RestartStrategy::kRestForOne));
  (void)NextStarts(2);
  (void)busy.Receive(kForever);
  const auto handle_events = [&] { (void)supervisor.ended().WaitFor(Duration::zero()); };
  const auto live = runtime_info().isolates_live;
  Tell('b', "throw");
  while (supervisor.children()[1].running) handle_events();
  Tell('a', "throw");
  while (runtime_info().isolates_live > live - 2) std::this_thread::yield();
  handle_events();  // its end was told before it was not alive any more
  release = true;
  // (Started the first time, b may be stopped before it announces itself.)
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  while (supervisor.children()[1].starts < 3 && std::chrono::steady_clock::now() < deadline) {
    handle_events();
  }
  EXPECT_EQ(supervisor.children()[0].starts, 2);
  EXPECT_EQ(supervisor.children()[1].starts, 3);
  StopAndWait(supervisor);
}

TEST_F(SupervisorTest, TransientChildrenComeBackOnlyAfterFailures) {
  Supervisor supervisor({Spec("a"), Spec("b").Restart(RestartKind::kTransient),
                         Spec("c").Restart(RestartKind::kTemporary)});
  (void)NextStarts(3);
  Tell('b', "throw");
  EXPECT_THAT(NextStarts(1), ElementsAre("b"));
  Tell('b', "exit");
  Tell('c', "throw");
  while (supervisor.children()[1].running || supervisor.children()[2].running) {
    (void)supervisor.ended().WaitFor(Duration::zero());  // handles events
  }
  Tell('a', "exit");  // permanent
  EXPECT_THAT(NextStarts(1), ElementsAre("a"));
  StopAndWait(supervisor);
  EXPECT_EQ(supervisor.children()[0].starts, 2);
  EXPECT_EQ(supervisor.children()[1].starts, 2);
  EXPECT_EQ(supervisor.children()[2].starts, 1);
}

TEST_F(SupervisorTest, TooManyRestartsWithinThePeriodEndIt) {
  Supervisor supervisor(Abc(), SupervisorOptions().Intensity(2, seconds(10)));
  (void)NextStarts(3);
  for (int i = 0; i < 2; ++i) {
    Tell('a', "throw");
    (void)NextStarts(1);
  }
  the_clock->Advance(seconds(11));  // those are forgotten
  for (int i = 0; i < 2; ++i) {
    Tell('a', "throw");
    (void)NextStarts(1);
  }
  EXPECT_FALSE(supervisor.ended().ready());
  Tell('a', "throw");
  try {
    supervisor.ended().Get();
    ADD_FAILURE();
  } catch (const SupervisorError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'a' (uncaught error: told to)"));
  }
  for (const auto& child : supervisor.children()) EXPECT_FALSE(child.running);
}

TEST_F(SupervisorTest, AChildThatDiesDuringItsStartUsesUpTheIntensity) {
  Supervisor supervisor(
      {Spec("a"), ChildSpec(
                      "broken", [](int) { throw std::logic_error("at once"); }, 0)},
      SupervisorOptions().Intensity(4, seconds(1)));
  EXPECT_THROW(supervisor.ended().Get(), SupervisorError);
  EXPECT_EQ(supervisor.children()[1].starts, 5);
  EXPECT_FALSE(supervisor.children()[0].running);
}

TEST_F(SupervisorTest, ItsChildrenEndWithIt) {
  {
    const Supervisor dropped(Abc());
  }
  while (runtime_info().isolates_live > 1) (void)started_.TryReceive();
}

TEST_F(SupervisorTest, ItsFailureEndsItsIsolate) {
  const auto isolate =
      Isolate::Spawn(
          [](int) -> Task<> {
            std::vector<ChildSpec> children;
            children.emplace_back("broken", [](int) { throw std::logic_error("at once"); }, 0);
            Supervisor supervisor(std::move(children));
            co_await supervisor.ended();
          },
          0)
          .Get();
  const ExitInfo info = isolate.Ended().Get();
  EXPECT_EQ(info.reason, ExitReason::kUncaughtError);
  EXPECT_EQ(info.error->type(), "isolates::SupervisorError");
}

TEST_F(SupervisorTest, AChildThatDoesNotEndIsLeftBehind) {
  static std::atomic<bool> release{false};
  ReceivePort<int> busy;
  std::vector<ChildSpec> children;
  children.emplace_back(
      "stuck",
      [](SendPort<int> out) {
        out.Send(1);
        while (!release) {
        }
      },
      busy.send_port());
  children.back().StopWithin(seconds(1));
  Supervisor supervisor(std::move(children));
  (void)busy.Receive(kForever);
  supervisor.Stop();
  while (!supervisor.ended().WaitFor(Duration::zero())) the_clock->Advance(seconds(1));
  EXPECT_THAT(supervisor.left_behind(), ElementsAre("stuck"));
  release = true;
}

}  // namespace
}  // namespace isolates
