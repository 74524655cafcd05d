// Isolates whose turns the program runs: HandleEvent, Run, OnEvent and the descriptor.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using ::testing::ElementsAre;

bool Readable(int fd) {
  pollfd wanted{fd, POLLIN, 0};
  return poll(&wanted, 1, 0) == 1;
}

// An isolate that sends back what it gets, plus one; ends on 0.
EventLoop MakeEcho(const SendPort<int>& answers, SendPort<int>& to_it) {
  ReceivePort<SendPort<int>> connected;
  EventLoop loop = EventLoop::Create(
      [](std::pair<SendPort<int>, SendPort<SendPort<int>>> ports) {
        ReceivePort<int> requests;
        ports.second.Send(requests.send_port());
        std::move(requests).Listen([answers = ports.first](ReceivePort<int>& port, int n) {
          if (n == 0) {
            port.Close();
          } else {
            answers.Send(n + 1);
          }
        });
      },
      std::pair(answers, connected.send_port()));
  EXPECT_TRUE(loop.HandleEvent());  // the entry
  to_it = *connected.TryReceive();
  return loop;
}

TEST(EventLoopTest, NothingRunsUntilAnEventIsHandled) {
  ReceivePort<int> answers;
  auto loop = EventLoop::Create([](SendPort<int> port) { port.Send(1); }, answers.send_port());
  EXPECT_FALSE(loop.done());
  EXPECT_EQ(answers.TryReceive(), std::nullopt);
  EXPECT_TRUE(loop.HandleEvent());
  EXPECT_EQ(answers.TryReceive(), 1);
  EXPECT_TRUE(loop.done());
  EXPECT_FALSE(loop.HandleEvent());
}

TEST(EventLoopTest, OneEventAtATime) {
  ReceivePort<int> answers;
  SendPort<int> to_it;
  EventLoop loop = MakeEcho(answers.send_port(), to_it);
  EXPECT_FALSE(loop.HandleEvent());
  to_it.Send(1);
  to_it.Send(2);
  EXPECT_TRUE(loop.HandleEvent());
  EXPECT_EQ(answers.TryReceive(), 2);
  EXPECT_EQ(answers.TryReceive(), std::nullopt);
  EXPECT_TRUE(loop.HandleEvent());
  EXPECT_EQ(answers.TryReceive(), 3);
  EXPECT_FALSE(loop.HandleEvent());
}

TEST(EventLoopTest, TheDescriptorIsReadableWhileThereIsSomethingToDo) {
  ReceivePort<int> answers;
  SendPort<int> to_it;
  EventLoop loop = MakeEcho(answers.send_port(), to_it);
  const int fd = loop.fd();
  while (loop.HandleEvent()) {
  }
  EXPECT_FALSE(Readable(fd));
  to_it.Send(1);
  to_it.Send(2);
  EXPECT_TRUE(Readable(fd));
  EXPECT_TRUE(loop.HandleEvent());
  EXPECT_TRUE(Readable(fd));
  while (loop.HandleEvent()) {
  }
  EXPECT_FALSE(Readable(fd));
}

TEST(EventLoopTest, OnEventTellsOnceUntilNothingWasFound) {
  ReceivePort<int> answers;
  SendPort<int> to_it;
  EventLoop loop = MakeEcho(answers.send_port(), to_it);
  while (loop.HandleEvent()) {
  }
  int told = 0;
  loop.OnEvent([&told] { ++told; });
  EXPECT_EQ(told, 0);
  to_it.Send(1);
  to_it.Send(2);
  EXPECT_EQ(told, 1);
  while (loop.HandleEvent()) {
  }
  to_it.Send(3);
  EXPECT_EQ(told, 2);
  int late = 0;
  loop.OnEvent([&late] { ++late; });  // something is there now
  EXPECT_EQ(late, 1);
  loop.OnEvent(nullptr);
}

// Closures may not lead to a stack: what several threads watch is static.
std::atomic<int> inside{0};
std::atomic<int> handled{0};
std::atomic<bool> overlapped{false};
EventLoop* itself = nullptr;

TEST(EventLoopTest, AnyThreadMayHandleEventsOneAtATime) {
  constexpr int kMessages = 2000;
  constexpr int kThreads = 3;
  ReceivePort<SendPort<int>> connected;
  auto loop = EventLoop::Create(
      [](SendPort<SendPort<int>> reply) {
        ReceivePort<int> numbers;
        reply.Send(numbers.send_port());
        std::move(numbers).Listen([](int) {
          if (inside.fetch_add(1) != 0) overlapped = true;
          inside.fetch_sub(1);
          handled.fetch_add(1);
        });
      },
      connected.send_port());
  ASSERT_TRUE(loop.HandleEvent());
  const SendPort<int> to_it = *connected.TryReceive();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&loop] {
      while (handled.load() < kMessages) loop.HandleEvent();
    });
  }
  for (int i = 0; i < kMessages; ++i) to_it.Send(int{i});
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(handled.load(), kMessages);
  EXPECT_FALSE(overlapped.load());
}

TEST(EventLoopTest, RunReturnsWhenTheIsolateHasEnded) {
  ReceivePort<int> answers;
  SendPort<int> to_it;
  EventLoop loop = MakeEcho(answers.send_port(), to_it);
  std::thread runner([&loop] { loop.Run(); });
  to_it.Send(41);
  EXPECT_EQ(answers.Receive(kForever), 42);
  // Another thread is in Run, and stays there.
  EXPECT_THROW(loop.HandleEvent(), StateError);
  EXPECT_THROW(loop.Run(), StateError);
  to_it.Send(0);
  runner.join();
  EXPECT_TRUE(loop.done());
}

TEST(EventLoopTest, AnEventCannotRunItsOwnLoop) {
  ReceivePort<std::string> said;
  auto loop = EventLoop::Create(
      [](SendPort<std::string> port) {
        try {
          itself->HandleEvent();
        } catch (const StateError& error) {
          port.Send(std::string(error.what()));
        }
      },
      said.send_port());
  itself = &loop;
  loop.HandleEvent();
  EXPECT_THAT(*said.TryReceive(), testing::HasSubstr("cannot run the loop of that isolate"));
}

TEST(EventLoopTest, ALoopThatGoesEndsItsIsolate) {
  ReceivePort<int> answers;
  ReceivePort<std::string> ended;
  SendPort<int> to_it;
  {
    EventLoop loop = MakeEcho(answers.send_port(), to_it);
    loop.isolate().AddOnExitListener(ended.send_port(), std::string("ended"));
    EXPECT_EQ(to_it.Send(1), SendResult::kAccepted);
  }
  EXPECT_EQ(ended.TryReceive(), "ended");
  EXPECT_EQ(to_it.Send(1), SendResult::kClosed);
  EXPECT_EQ(answers.TryReceive(), std::nullopt);
}

TEST(EventLoopTest, KillAndPauseReachACreatedLoop) {
  ReceivePort<int> answers;
  SendPort<int> to_it;
  EventLoop loop = MakeEcho(answers.send_port(), to_it);
  const Capability pause = loop.isolate().Pause();
  to_it.Send(1);
  EXPECT_FALSE(loop.HandleEvent());
  loop.isolate().Resume(pause);
  EXPECT_TRUE(loop.HandleEvent());
  EXPECT_EQ(answers.TryReceive(), 2);
  loop.isolate().Kill();
  EXPECT_TRUE(loop.HandleEvent());
  EXPECT_TRUE(loop.done());
}

TEST(EventLoopTest, ThisThreadsLoopIsToldAndHandled) {
  std::thread([] {
    EventLoop loop = EventLoop::OfThisThread();
    const int fd = loop.fd();
    EXPECT_FALSE(Readable(fd));
    ReceivePort<int> port;
    std::vector<int> got;
    port.Listen([&got](int n) { got.push_back(n); });
    std::thread([to = port.send_port()] {
      to.Send(1);
      to.Send(2);
    }).join();
    EXPECT_TRUE(Readable(fd));
    EXPECT_TRUE(loop.HandleEvent());
    EXPECT_THAT(got, ElementsAre(1));
    EXPECT_TRUE(Readable(fd));
    EXPECT_TRUE(loop.HandleEvent());
    EXPECT_FALSE(loop.HandleEvent());
    EXPECT_THAT(got, ElementsAre(1, 2));
    EXPECT_FALSE(Readable(fd));
    // Waiting in the library works as before.
    EXPECT_EQ(Isolate::Run([] { return 7; }).Get(), 7);
    port.send_port().Send(3);
    EXPECT_TRUE(Readable(fd));
    port.Close();
    loop.Run();
    EXPECT_THAT(got, ElementsAre(1, 2));
  }).join();
}

// Until there was a loop the isolate looked at its ports by itself.
TEST(EventLoopTest, ALoopThatIsMadeLaterIsToldOfAllPorts) {
  std::thread([] {
    ReceivePort<int> heard;
    std::vector<int> got;
    heard.Listen([&got](int n) { got.push_back(n); });
    ReceivePort<int> unheard;
    const SendPort<int> to_heard = heard.send_port();
    const SendPort<int> to_unheard = unheard.send_port();
    for (int i = 0; i < 200; ++i) {
      to_heard.Send(0);
      to_unheard.Send(0);
    }
    Isolate::Run([] { return 7; }).Get();  // handles events meanwhile
    EventLoop loop = EventLoop::OfThisThread();
    while (loop.HandleEvent()) {
    }
    EXPECT_EQ(got.size(), 200U);
    while (unheard.TryReceive()) {
    }
    ASSERT_FALSE(Readable(loop.fd()));
    to_unheard.Send(1);
    EXPECT_TRUE(Readable(loop.fd()));
    while (loop.HandleEvent()) {
    }
    EXPECT_EQ(unheard.TryReceive(), 1);
    ASSERT_FALSE(Readable(loop.fd()));
    to_heard.Send(2);
    EXPECT_TRUE(Readable(loop.fd()));
    while (loop.HandleEvent()) {
    }
    EXPECT_EQ(got.back(), 2);
  }).join();
}

TEST(EventLoopTest, AnUncaughtErrorOfTheThreadsIsolateIsThrown) {
  std::thread([] {
    EventLoop loop = EventLoop::OfThisThread();
    ReceivePort<int> port;
    port.Listen([](int) { throw std::runtime_error("no"); });
    port.send_port().Send(1);
    EXPECT_THROW(loop.HandleEvent(), std::runtime_error);
    EXPECT_TRUE(loop.done());
  }).join();
}

TEST(EventLoopTest, OtherIsolatesHaveNoLoopToRun) {
  EXPECT_THROW(Isolate::Run([] { EventLoop::OfThisThread(); }).Get(), RemoteError);
}

}  // namespace
}  // namespace isolates
