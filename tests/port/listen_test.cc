// Listeners: RawReceivePort handlers, Listen, coroutines, and what keeps an isolate alive.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::ElementsAre;

// Handles the events that are there.
void HandleEvents() {
  ReceivePort<int> last;
  last.send_port().Send(0);
  for (int i = 0; i < 3; ++i) {
    Completer<> done;
    auto future = done.future();
    last.send_port().Send(i);
    (void)last.Receive(kForever);
    done.Complete();
    future.Get();
  }
}

template <class T>
void SendAll(const SendPort<T>& port, std::initializer_list<T> messages) {
  for (const T& message : messages) ASSERT_EQ(port.Send(message), SendResult::kAccepted);
}

TEST(RawReceivePortTest, MessagesWaitForAHandler) {
  RawReceivePort<int> port;
  std::vector<int> seen;
  Completer<> done;
  SendAll(port.send_port(), {1, 2});
  port.set_handler([&](int message) {
    seen.push_back(message);
    if (seen.size() == 3) done.Complete();
  });
  SendAll(port.send_port(), {3});
  done.future().Get();
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
}

TEST(RawReceivePortTest, TheHandlerCanBeReplacedWhileItRuns) {
  RawReceivePort<int> port;
  std::vector<std::string> seen;
  Completer<> done;
  auto kept = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = kept;
  port.set_handler([&, kept](int message) {
    seen.push_back("first " + std::to_string(message));
    port.set_handler([&](int second_message) {
      seen.push_back("second " + std::to_string(second_message));
      done.Complete();
    });
    EXPECT_EQ(*kept, 1);  // this handler lives until it returns
  });
  kept = nullptr;
  SendAll(port.send_port(), {1, 2});
  done.future().Get();
  EXPECT_THAT(seen, ElementsAre("first 1", "second 2"));
  EXPECT_TRUE(watch.expired());
}

TEST(RawReceivePortTest, TheHandlerCanBeReplacedTwiceAndClearedWhileItRuns) {
  RawReceivePort<int> port;
  std::vector<int> seen;
  Completer<> first;
  port.set_handler([&](int message) {
    seen.push_back(message);
    port.set_handler([&](int) { seen.push_back(-1); });
    port.set_handler([&](int) { seen.push_back(-2); });
    port.clear_handler();
    first.Complete();
  });
  SendAll(port.send_port(), {1, 2});
  first.future().Get();
  HandleEvents();
  EXPECT_THAT(seen, ElementsAre(1));
  Completer<> second;
  port.set_handler([&](int message) {
    seen.push_back(message);
    second.Complete();
  });
  second.future().Get();
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(RawReceivePortTest, ConversionToAReceivePortLosesNothing) {
  RawReceivePort<std::string> raw("raw");
  const auto sender = raw.send_port();
  std::vector<std::string> handled;
  Completer<> handled_one;
  raw.set_handler([&](std::string message) {
    handled.push_back(std::move(message));
    if (handled.size() == 1) handled_one.Complete();
  });
  sender.Send("handled");
  handled_one.future().Get();
  sender.Send("one");
  sender.Send("two");
  ReceivePort<std::string> port(std::move(raw));
  sender.Send("three");
  EXPECT_EQ(port.send_port(), sender);
  EXPECT_EQ(port.debug_name(), "raw");
  std::vector<std::string> received;
  while (auto message = port.TryReceive()) received.push_back(*message);
  EXPECT_THAT(handled, ElementsAre("handled"));
  EXPECT_THAT(received, ElementsAre("one", "two", "three"));
}

TEST(RawReceivePortTest, ConversionInsideOfItsOwnHandlerWorks) {
  RawReceivePort<int> raw;
  std::optional<ReceivePort<int>> port;
  Completer<> converted;
  raw.set_handler([&](int) {
    port.emplace(std::move(raw));
    converted.Complete();
  });
  const auto sender = raw.send_port();
  SendAll(sender, {1, 2});
  converted.future().Get();
  EXPECT_EQ(port->Receive(kForever), 2);
}

TEST(ListenTest, AListenerCanCloseItsPort) {
  ReceivePort<int> port;
  std::vector<int> seen;
  Completer<> closed;
  auto kept = std::make_unique<int>(3);
  port.Listen([&, kept = std::move(kept)](ReceivePort<int>& self, int message) {
    seen.push_back(message);
    if (message == 2) {
      self.Close();
      EXPECT_FALSE(self.is_open());
      seen.push_back(*kept);
      closed.Complete();
    }
  });
  SendAll(port.send_port(), {1, 2, 9});
  closed.future().Get();
  HandleEvents();
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
  EXPECT_TRUE(port.send_port().closed());
}

TEST(ListenTest, AScopedPortStopsListeningWithItsScope) {
  std::vector<int> seen;
  std::optional<SendPort<int>> sender;
  {
    ReceivePort<int> port;
    sender = port.send_port();
    port.Listen([&](int message) { seen.push_back(message); });
    sender->Send(1);
  }
  HandleEvents();
  EXPECT_TRUE(sender->closed());
  EXPECT_THAT(seen, testing::IsEmpty());
}

TEST(ListenTest, AnRvaluePortListensUntilItIsClosed) {
  std::vector<int> seen;
  Completer<> closed;
  std::optional<SendPort<int>> sender;
  {
    ReceivePort<int> port;
    sender = port.send_port();
    std::move(port).Listen([&](ReceivePort<int>& self, int message) {
      seen.push_back(message);
      if (message == 2) {
        self.Close();
        closed.Complete();
      }
    });
  }
  SendAll(*sender, {1, 2});
  closed.future().Get();
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(ListenTest, AListenerMayDestroyItsOwnPort) {
  auto port = std::make_unique<ReceivePort<int>>();
  Completer<> gone;
  const auto sender = port->send_port();
  port->Listen([&](int) {
    port.reset();
    gone.Complete();
  });
  sender.Send(1);
  gone.future().Get();
  EXPECT_TRUE(sender.closed());
}

TEST(ListenTest, MessagesSentByAListenerToItsOwnPortAreHandledLater) {
  ReceivePort<int> port;
  const auto sender = port.send_port();
  std::vector<int> seen;
  Completer<> done;
  int depth = 0;
  port.Listen([&](int message) {
    EXPECT_EQ(depth++, 0);
    seen.push_back(message);
    if (message < 5) {
      sender.Send(message + 1);
    } else {
      done.Complete();
    }
    --depth;
  });
  sender.Send(1);
  done.future().Get();
  EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4, 5));
}

TEST(ListenTest, ABusyPortDoesNotHoldUpAnother) {
  ReceivePort<int> busy;
  ReceivePort<int> other;
  const auto busy_sender = busy.send_port();
  int busy_handled = 0;
  Completer<int> done;
  busy.Listen([&](int message) {
    ++busy_handled;
    busy_sender.Send(message);
  });
  other.Listen([&](int) { done.Complete(busy_handled); });
  for (int i = 0; i < 100; ++i) busy_sender.Send(i);
  other.send_port().Send(1);
  EXPECT_LE(done.future().Get(), 100);
}

TEST(CoroutineListenerTest, CapturesPortAndMessageLiveUntilItsEnd) {
  ReceivePort<std::string> port;
  Completer<std::string> done;
  auto kept = std::make_unique<std::string>("captured, and too long for the small string");
  port.Listen([&done, kept = std::move(kept)](ReceivePort<std::string>& self,
                                              const std::string& message) -> Task<> {
    co_await Delay(std::chrono::microseconds(10));
    self.Close();
    co_await Delay(std::chrono::microseconds(10));
    done.Complete(*kept + message);
  });
  port.send_port().Send("; a message, and too long for the small string");
  EXPECT_EQ(
      done.future().Get(),
      "captured, and too long for the small string; a message, and too long for the small string");
  EXPECT_FALSE(port.is_open());
}

TEST(CoroutineListenerTest, SeveralMessagesAreHandledAtTheSameTime) {
  ReceivePort<int> port;
  Completer<> second_came;
  auto second = second_came.future();
  Completer<> both;
  int ended = 0;
  port.Listen([&](int message) -> Task<> {
    if (message == 1) {
      co_await second;
    } else {
      second_came.Complete();
    }
    if (++ended == 2) both.Complete();
  });
  SendAll(port.send_port(), {1, 2});
  both.future().Get();
}

TEST(CoroutineListenerTest, AnErrorIsAnUncaughtErrorOfTheIsolate) {
  ReceivePort<RemoteError> errors;
  ReceivePort<SendPort<int>> ports;
  Isolate::Spawn(
      [](SendPort<SendPort<int>> out) {
        ReceivePort<int> port;
        out.Send(port.send_port());
        std::move(port).Listen([](int message) -> Task<> {
          co_await Delay(Duration::zero());
          throw std::runtime_error("message " + std::to_string(message));
        });
      },
      ports.send_port(), SpawnOptions().OnError(errors.send_port()).ErrorsAreFatal(false))
      .Get();
  const auto sender = *ports.Receive(kForever);
  for (int i = 0; i < 3; ++i) {
    sender.Send(i);
    EXPECT_EQ(errors.Receive(kForever)->message(), "message " + std::to_string(i));
  }
  EXPECT_FALSE(sender.closed());
}

// --- what keeps an isolate alive
// -------------------------------------------------------------------

void ListenOnce(std::pair<SendPort<SendPort<int>>, bool> job) {
  ReceivePort<int> port;
  port.set_keep_isolate_alive(job.second);
  job.first.Send(port.send_port());
  std::move(port).Listen([](ReceivePort<int>& self, int) { self.Close(); });
}

TEST(KeepAliveTest, AListeningPortKeepsItsIsolateAlive) {
  ReceivePort<SendPort<int>> ports;
  ReceivePort<int> exits;
  ReceivePort<int> pings;
  const Isolate isolate = Isolate::Spawn(ListenOnce, std::make_pair(ports.send_port(), true),
                                         SpawnOptions().OnExit(exits.send_port(), 1))
                              .Get();
  const auto sender = *ports.Receive(kForever);
  isolate.Ping(pings.send_port(), 2);
  EXPECT_EQ(pings.Receive(kForever), 2);
  EXPECT_EQ(exits.TryReceive(), std::nullopt);
  sender.Send(0);
  EXPECT_EQ(exits.Receive(kForever), 1);
}

TEST(KeepAliveTest, APortSetNotToDoesNot) {
  ReceivePort<SendPort<int>> ports;
  ReceivePort<int> exits;
  Isolate::Spawn(ListenOnce, std::make_pair(ports.send_port(), false),
                 SpawnOptions().OnExit(exits.send_port(), 1))
      .Get();
  EXPECT_EQ(exits.Receive(kForever), 1);
}

TEST(KeepAliveTest, AnOpenPortWithoutAListenerDoesNot) {
  ReceivePort<int> exits;
  Isolate::Spawn([](int) { const ReceivePort<int> port; }, 0,
                 SpawnOptions().OnExit(exits.send_port(), 1))
      .Get();
  EXPECT_EQ(exits.Receive(kForever), 1);
}

TEST(KeepAliveTest, ItCanBeChangedAtAnyTime) {
  ReceivePort<int> port;
  EXPECT_TRUE(port.keep_isolate_alive());
  port.Listen([](int) {});
  port.set_keep_isolate_alive(false);
  EXPECT_FALSE(port.keep_isolate_alive());
  port.set_keep_isolate_alive(true);
  port.set_keep_isolate_alive(true);
  port.Close();
  port.set_keep_isolate_alive(false);
}

TEST(KeepAliveTest, ACoroutineThatWaitsForAMessageKeepsItsIsolateAlive) {
  ReceivePort<SendPort<int>> ports;
  ReceivePort<int> results;
  ReceivePort<int> exits;
  Isolate::Spawn(
      [](std::pair<SendPort<SendPort<int>>, SendPort<int>> out) -> Task<> {
        ReceivePort<int> port;
        out.first.Send(port.send_port());
        const auto message = co_await port.Receive();
        out.second.Send(*message + 1);
      },
      std::make_pair(ports.send_port(), results.send_port()),
      SpawnOptions().OnExit(exits.send_port(), 1))
      .Get();
  ports.Receive(kForever)->Send(41);
  EXPECT_EQ(results.Receive(kForever), 42);
  EXPECT_EQ(exits.Receive(kForever), 1);
}

}  // namespace
}  // namespace isolates
