// A turn that is asked to end before its first event leaves that event to the next turn.
//
// An event that came before the turn began is not announced again, and only a turn that handles
// events looks for it. So the turn's end has to. The request comes at the only moment that matters,
// after the beginning of the turn and before its first event: there the isolate answers pings, and
// the copy of an answer asks.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>

#include "isolates/isolates.h"
#include "src/isolate/thread_context.h"

namespace isolates {
namespace {

constexpr Duration kLong = std::chrono::seconds(20);

// Whoever copies it is asked to end its turn, as by a runtime whose urgent isolates wait.
struct AsksToEnd {
  int number = 0;
  AsksToEnd() = default;
  explicit AsksToEnd(int value) : number(value) {}
  AsksToEnd(const AsksToEnd& other) : number(other.number) {
    internal::ThisThread().end_turn.store(true);
  }
  AsksToEnd(AsksToEnd&&) noexcept = default;
  AsksToEnd& operator=(const AsksToEnd&) = default;
  AsksToEnd& operator=(AsksToEnd&&) noexcept = default;
  using IsolatesMembers = Members<&AsksToEnd::number>;
};

using Ports = std::pair<SendPort<SendPort<int>>, SendPort<int>>;

void Echo(Ports ports) {
  ReceivePort<int> port;
  ports.first.Send(port.send_port());
  std::move(port).Listen([out = ports.second](int number) { out.Send(int{number}); });
}

// From here on the isolate has a message and has to answer a ping before it; both were there
// before its next turn, which Resume begins.
void Prepare(const Isolate& isolate, const SendPort<int>& to, const SendPort<AsksToEnd>& answers) {
  to.Send(7);
  isolate.Ping(answers, AsksToEnd(1), ControlPriority::kBeforeNextEvent);
}

TEST(EarlyEndTest, AnEventThatWasThereIsHandledInTheNextTurn) {
  ReceivePort<SendPort<int>> connected;
  ReceivePort<int> echoes;
  ReceivePort<int> pings;
  ReceivePort<AsksToEnd> answers;
  const Isolate isolate =
      Isolate::Spawn(Echo, Ports(connected.send_port(), echoes.send_port())).Get();
  const SendPort<int> to = connected.Receive(kLong).value();
  const Capability pause = isolate.Pause();
  isolate.Ping(pings.send_port(), 1);
  ASSERT_EQ(pings.Receive(kLong), 1);
  Prepare(isolate, to, answers.send_port());
  // The turns that these have begun are over: what was announced has been seen.
  isolate.Ping(pings.send_port(), 2);
  ASSERT_EQ(pings.Receive(kLong), 2);
  isolate.Resume(pause);
  EXPECT_EQ(answers.Receive(kLong)->number, 1);
  EXPECT_EQ(echoes.Receive(kLong), 7);
  isolate.Kill();
}

TEST(EarlyEndTest, TheSameInALoopOfTheProgram) {
  ReceivePort<SendPort<int>> connected;
  ReceivePort<int> echoes;
  ReceivePort<AsksToEnd> answers;
  EventLoop loop = EventLoop::Create(Echo, Ports(connected.send_port(), echoes.send_port()));
  ASSERT_TRUE(loop.HandleEvent());
  const SendPort<int> to = connected.TryReceive().value();
  const Capability pause = loop.isolate().Pause();
  EXPECT_FALSE(loop.HandleEvent());
  Prepare(loop.isolate(), to, answers.send_port());
  EXPECT_FALSE(loop.HandleEvent());
  loop.isolate().Resume(pause);
  EXPECT_TRUE(loop.HandleEvent());
  EXPECT_EQ(echoes.TryReceive(), 7);
  EXPECT_FALSE(loop.HandleEvent());
}

TEST(EarlyEndTest, TheSameInTheLoopOfAThread) {
  EventLoop loop = EventLoop::OfThisThread();
  while (loop.HandleEvent()) {  // what other tests have left
  }
  ReceivePort<int> port;
  ReceivePort<AsksToEnd> answers;
  const SendPort<int> to = port.send_port();
  int heard = 0;
  port.Listen([&heard](int number) { heard = number; });
  const Capability pause = loop.isolate().Pause();
  EXPECT_FALSE(loop.HandleEvent());
  Prepare(loop.isolate(), to, answers.send_port());
  EXPECT_FALSE(loop.HandleEvent());
  loop.isolate().Resume(pause);
  EXPECT_TRUE(loop.HandleEvent());
  EXPECT_EQ(heard, 7);
}

}  // namespace
}  // namespace isolates
