// RequestPort, Requester and Reply: every call ends.

#include "isolates/request.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "tests/patterns/scenarios.h"

namespace isolates {
namespace {

using std::chrono::milliseconds;
using Lengths = Requester<std::string, std::size_t>;
using LengthPort = RequestPort<std::string, std::size_t>;

void Serve(SendPort<Lengths> out) {
  LengthPort port;
  out.Send(port.requester());
  std::move(port).Handle([](std::string text) -> std::size_t {
    if (text.empty()) throw std::runtime_error("nothing to measure");
    return text.size();
  });
}

TEST(RequestTest, ResponsesAndErrorsComeBack) {
  ReceivePort<Lengths> in;
  const Isolate server = Isolate::Spawn(Serve, in.send_port()).Get();
  const Lengths lengths = *in.Receive(kForever);
  EXPECT_EQ(lengths.Call("four").Get(), 4U);
  EXPECT_EQ(lengths.Call("three", std::chrono::hours(1)).Get(), 5U);
  try {
    (void)lengths.Call("").Get();
    ADD_FAILURE() << "no error";
  } catch (const RemoteError& error) {
    EXPECT_EQ(error.message(), "nothing to measure");
  }
  server.Kill(ControlPriority::kImmediate);
}

void ServeNever(SendPort<Lengths> out) {
  LengthPort port;
  out.Send(port.requester());
  std::move(port).Handle([](std::string) -> Task<std::size_t> {
    ReceivePort<int> never;
    co_await never.Receive();
    co_return 0;
  });
}

TEST(RequestTest, AServerThatIsKilledFailsAllOpenCalls) {
  ReceivePort<Lengths> in;
  const Isolate server = Isolate::Spawn(ServeNever, in.send_port()).Get();
  const Lengths lengths = *in.Receive(kForever);
  std::vector<Future<std::size_t>> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(lengths.Call("text"));
  server.Kill(ControlPriority::kImmediate);
  for (auto& call : calls) {
    try {
      (void)call.Get();
      ADD_FAILURE() << "an answer";
    } catch (const RemoteError&) {  // dropped unanswered
    } catch (const StateError&) {   // refused
    }
  }
}

TEST(RequestTest, AServerDiesWhileManyAsk) {
  for (int round = 0; round < 10; ++round) AskAServerThatDies(4, 50);
}

TEST(RequestTest, AClosedPortRefusesAndTheRequestStays) {
  LengthPort port;
  const Lengths lengths = port.requester();
  auto waiting = lengths.Call("waits");
  port.Close();
  EXPECT_THROW((void)waiting.Get(), RemoteError);
  std::string request = "stays with the caller, all of it";
  EXPECT_THROW((void)lengths.Call(std::move(request)).Get(), StateError);
  EXPECT_EQ(request, "stays with the caller, all of it");  // NOLINT(bugprone-use-after-move)
}

TEST(RequestTest, ALateReplyIsDiscardedAndCounted) {
  LengthPort port;
  auto call = port.requester().Call("text", milliseconds(1));
  EXPECT_THROW((void)call.Get(), TimeoutError);
  auto incoming = port.TryReceive();
  ASSERT_TRUE(incoming.has_value());
  EXPECT_TRUE(incoming->reply.expired());
  EXPECT_EQ(port.late_replies(), 0U);
  EXPECT_FALSE(incoming->reply.Answer(4U));
  EXPECT_EQ(port.late_replies(), 1U);
  EXPECT_THROW(incoming->reply.Answer(4U), StateError);
}

TEST(RequestTest, AReplyMayBeKeptAndAnsweredInAnotherIsolate) {
  LengthPort port;
  std::optional<Reply<std::size_t>> kept;
  port.Handle([&](std::string, Reply<std::size_t> reply) { kept.emplace(std::move(reply)); });
  auto call = port.requester().Call("text");
  EXPECT_FALSE(call.WaitFor(milliseconds(1)));
  ASSERT_TRUE(kept.has_value());
  Isolate::Run([](Reply<std::size_t> reply) { reply.Answer(7U); }, std::move(*kept)).Get();
  EXPECT_EQ(call.Get(), 7U);
  auto dropped = port.requester().Call("text");
  EXPECT_FALSE(dropped.WaitFor(milliseconds(1)));
  kept.reset();
  EXPECT_THROW((void)dropped.Get(), RemoteError);
}

TEST(RequestTest, AnEmptyRequesterIsAStateError) {
  EXPECT_THROW((void)Lengths().Call("text"), StateError);
}

TEST(RequestTest, AnErrorReplyIsThrownByTheCall) {
  LengthPort port;
  auto call = port.requester().Call("text");
  auto incoming = port.TryReceive();
  incoming->reply.Fail(RemoteError("my::Error", "no length today", "clerk"));
  EXPECT_TRUE(incoming->reply.answered());
  EXPECT_THROW(incoming->reply.Answer(1U), StateError);
  EXPECT_THROW(incoming->reply.Fail(RemoteError("", "", "")), StateError);
  try {
    (void)call.Get();
    ADD_FAILURE() << "no error";
  } catch (const RemoteError& error) {
    EXPECT_EQ(error.type(), "my::Error");
    EXPECT_EQ(error.message(), "no length today");
    EXPECT_EQ(error.isolate_name(), "clerk");
  }
}

TEST(RequestTest, ALateErrorIsDiscardedToo) {
  LengthPort port;
  auto call = port.requester().Call("text", milliseconds(1));
  EXPECT_THROW((void)call.Get(), TimeoutError);
  auto incoming = port.TryReceive();
  incoming->reply.Fail(RemoteError("my::Error", "too late", "clerk"));
  EXPECT_EQ(port.late_replies(), 1U);
  EXPECT_EQ(port.requester().late_replies(), 1U);
}

TEST(RequestTest, AHeldReplyOutlivesItsPort) {
  std::optional<Future<std::size_t>> call;
  std::optional<IncomingRequest<std::string, std::size_t>> held;
  {
    LengthPort port;
    call = port.requester().Call("text");
    held.emplace(*port.TryReceive());
    port.Close();
  }
  EXPECT_FALSE(call->ready());
  EXPECT_TRUE(held->reply.Answer(held->request.size()));
  EXPECT_EQ(call->Get(), 4U);
}

// The asker has ended, the port is closed: the answer goes nowhere, and nobody is harmed.
TEST(RequestTest, BothSidesMayBeGoneWhenItIsAnswered) {
  std::optional<IncomingRequest<std::string, std::size_t>> held;
  {
    LengthPort port;
    const Isolate asker = Isolate::Spawn(
                              [](Lengths lengths) -> Task<> {
                                auto answer = lengths.Call("text");
                                co_await answer;
                              },
                              port.requester())
                              .Get();
    held.emplace(*port.Receive(kForever));
    asker.Kill(ControlPriority::kImmediate);
    EXPECT_EQ(asker.Ended().Get().reason, ExitReason::kKilled);
  }
  EXPECT_TRUE(held->reply.Answer(4U));
  EXPECT_TRUE(held->reply.answered());
}

TEST(RequestTest, ADroppedCallIsAnsweredForNobody) {
  LengthPort port;
  static_cast<void>(port.requester().Call("text"));
  auto incoming = port.TryReceive();
  EXPECT_FALSE(incoming->reply.expired());
  EXPECT_TRUE(incoming->reply.Answer(4U));
}

TEST(RequestTest, AMovedReplyHasTheDuty) {
  LengthPort port;
  auto call = port.requester().Call("text");
  auto incoming = port.TryReceive();
  const auto id = incoming->reply.id();
  {
    Reply<std::size_t> moved(std::move(incoming->reply));
    EXPECT_EQ(moved.id(), id);
    EXPECT_EQ(incoming->reply.id(), 0U);  // NOLINT(bugprone-use-after-move): says so
    EXPECT_THROW(incoming->reply.Answer(1U), StateError);
  }
  EXPECT_THROW((void)call.Get(), RemoteError);
}

}  // namespace
}  // namespace isolates
