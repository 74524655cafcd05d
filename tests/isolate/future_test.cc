// Future, Completer, Task, WhenAll, Then, Stream.

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

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

// A Run that ends when it is told to.
struct Gate {
  ReceivePort<SendPort<int>> ports;
  Future<int> result = Isolate::Run(
      [](SendPort<SendPort<int>> out) {
        ReceivePort<int> port;
        out.Send(port.send_port());
        return *port.Receive(kForever);
      },
      ports.send_port());
  SendPort<int> open = *ports.Receive(kForever);
};

TEST(FutureTest, TheValueIsTakenOnce) {
  auto future = Isolate::Run([] { return 1; });
  EXPECT_EQ(future.Get(), 1);
  EXPECT_THROW((void)future.Get(), StateError);
  EXPECT_THROW((void)future.ready(), StateError);
}

TEST(FutureTest, AMovedFromFutureIsEmpty) {
  auto future = Isolate::Run([] { return 1; });
  auto moved = std::move(future);
  EXPECT_THROW((void)future.Get(), StateError);
  EXPECT_EQ(moved.Get(), 1);
}

TEST(FutureTest, AGetThatTimedOutCanBeTriedAgain) {
  Gate gate;
  EXPECT_FALSE(gate.result.ready());
  EXPECT_THROW((void)gate.result.Get(milliseconds(1)), TimeoutError);
  EXPECT_THROW((void)gate.result.Get(Duration::zero()), TimeoutError);
  EXPECT_FALSE(gate.result.WaitFor(milliseconds(1)));
  gate.open.Send(8);
  EXPECT_TRUE(gate.result.WaitFor(kForever));
  EXPECT_TRUE(gate.result.ready());
  EXPECT_EQ(gate.result.Get(), 8);
}

TEST(FutureTest, AFutureMovesBetweenThreadsAlsoAfterAWait) {
  for (int round = 0; round < 50; ++round) {
    Gate gate;
    EXPECT_FALSE(gate.result.WaitFor(Duration::zero()));
    std::thread([future = std::move(gate.result), open = gate.open]() mutable {
      const ReceivePort<int> attaches;
      open.Send(3);
      EXPECT_EQ(future.Get(), 3);
    }).join();
  }
}

TEST(FutureTest, APlainThreadWaits) {
  std::thread([] {
    auto future = Isolate::Run([] { return std::string(100, 'p'); });
    EXPECT_FALSE(future.WaitFor(Duration::min()) && !future.ready());
    EXPECT_EQ(future.Get(), std::string(100, 'p'));
  }).join();
}

TEST(FutureTest, WaitingWithATimeoutDoesNotKeepTheIsolateAlive) {
  ReceivePort<SendPort<int>> gates;
  ReceivePort<int> exits;
  Isolate::Spawn(
      [](SendPort<SendPort<int>> out) {
        auto never = Isolate::Run(
            [](SendPort<SendPort<int>> port) {
              ReceivePort<int> own;
              port.Send(own.send_port());
              return *own.Receive(kForever);
            },
            out);
        (void)never.WaitFor(Duration::zero());
      },
      gates.send_port(), SpawnOptions().OnExit(exits.send_port(), 1))
      .Get();
  const auto gate = *gates.Receive(kForever);
  EXPECT_EQ(exits.Receive(kForever), 1);
  gate.Send(1);
}

TEST(FutureTest, AGetThatCouldNeverEndThrowsStateError) {
  EXPECT_THAT(Isolate::Run([]() -> std::string {
                Completer<int> completer;
                auto future = completer.future();
                try {
                  (void)future.Get();
                } catch (const StateError& error) {
                  return error.what();
                }
                return "";
              }).Get(),
              HasSubstr("co_await"));
}

TEST(FutureTest, NestedRunsFiftyDeepWithGet) {
  struct Nest {
    static int Run(int depth) {
      return depth == 0 ? 0 : 1 + Isolate::Run(&Nest::Run, depth - 1).Get();
    }
  };
  EXPECT_EQ(Isolate::Run(&Nest::Run, 50).Get(), 50);
}

TEST(FutureTest, NestedRunsFiftyDeepWithCoAwait) {
  struct Nest {
    static Task<int> Run(int depth) {
      if (depth == 0) co_return 0;
      co_return 1 + co_await Isolate::Run(&Nest::Run, depth - 1);
    }
  };
  EXPECT_EQ(Isolate::Run(&Nest::Run, 50).Get(), 50);
}

TEST(FutureTest, AnEventOfMainThatThrowsEndsTheWait) {
  std::thread([] {
    ReceivePort<int> port;
    port.Listen([](int) { throw std::runtime_error("from the listener"); });
    Gate gate;
    port.send_port().Send(1);
    EXPECT_THROW((void)gate.result.Get(), std::runtime_error);
    EXPECT_FALSE(port.is_open());
    gate.open.Send(6);
    EXPECT_EQ(gate.result.Get(), 6);
  }).join();
}

TEST(ThenTest, ItMapsTheValue) {
  auto future = Isolate::Run([] { return 20; }).Then([](int n) { return n + 1; }).Then([](int n) {
    return std::to_string(n);
  });
  EXPECT_EQ(future.Get(), "21");
}

TEST(ThenTest, TheFunctionMayBeACoroutineOrReturnAFuture) {
  auto future = Isolate::Run([] {})
                    .Then([]() -> Task<int> {
                      co_await Delay(Duration::zero());
                      co_return 1;
                    })
                    .Then([](int n) { return Isolate::Run([n] { return n + 1; }); });
  EXPECT_EQ(future.Get(), 2);
}

TEST(ThenTest, AnErrorPassesBy) {
  bool called = false;
  auto future = Isolate::Run([]() -> int { throw std::runtime_error("e"); }).Then([&](int) {
    called = true;
  });
  EXPECT_THROW(future.Get(), RemoteError);
  EXPECT_FALSE(called);
}

TEST(ThenTest, AnErrorOfTheFunctionIsThrown) {
  EXPECT_THROW(Isolate::Run([] {}).Then([] { throw std::out_of_range("f"); }).Get(),
               std::out_of_range);
}

TEST(WhenAllTest, ValuesComeInTheOrderOfTheArguments) {
  auto [number, text, nothing] =
      WhenAll(Isolate::Run([] { return 1; }), Isolate::Run([] { return std::string("two"); }),
              Isolate::Run([] {}))
          .Get();
  EXPECT_EQ(number, 1);
  EXPECT_EQ(text, "two");
  (void)nothing;
}

TEST(WhenAllTest, TasksAreStarted) {
  const auto task = [](int n) -> Task<int> {
    co_await Delay(Duration::zero());
    co_return n;
  };
  auto [a, b] = WhenAll(task(1), task(2)).Get();
  EXPECT_EQ(a + b, 3);
}

TEST(WhenAllTest, NoFuturesAreReadyAtOnce) {
  EXPECT_TRUE(WhenAll(std::vector<Future<int>>{}).Get().empty());
  WhenAll(std::vector<Future<void>>{}).Get();
}

TEST(WhenAllTest, TheFirstErrorInTheOrderOfTheArgumentsAfterAllHaveEnded) {
  Gate gate;
  std::vector<Future<int>> futures;
  futures.push_back(Isolate::Run([] { return 1; }));
  futures.push_back(
      std::move(gate.result).Then([](int) -> int { throw std::out_of_range("second"); }));
  futures.push_back(Isolate::Run([]() -> int { throw std::runtime_error("third"); }));
  auto all = WhenAll(std::move(futures));
  EXPECT_FALSE(all.WaitFor(milliseconds(2)));
  gate.open.Send(1);
  EXPECT_THROW((void)all.Get(), std::out_of_range);
}

TEST(WhenAllTest, ExceptionsThatAreNotStdExceptionsWaitForTheOthersToo) {
  Gate gate;
  std::vector<Future<int>> futures;
  futures.push_back(Start([]() -> Task<int> {
    throw 7;
    co_return 1;
  }()));
  futures.push_back(std::move(gate.result));
  auto all = WhenAll(std::move(futures));
  EXPECT_FALSE(all.ready());
  gate.open.Send(1);
  EXPECT_THROW((void)all.Get(), int);
}

TEST(CompleterTest, AllItsFuturesGetTheValue) {
  Completer<std::string> completer;
  auto before = completer.future();
  auto also = completer.future();
  EXPECT_FALSE(completer.is_completed());
  completer.Complete("value");
  EXPECT_TRUE(completer.is_completed());
  auto after = completer.future();
  EXPECT_EQ(before.Get(), "value");
  EXPECT_EQ(also.Get(), "value");
  EXPECT_EQ(after.Get(), "value");
}

TEST(CompleterTest, TheSecondCompletionThrows) {
  Completer<int> completer;
  auto future = completer.future();
  completer.Complete(1);
  EXPECT_THROW(completer.Complete(2), StateError);
  EXPECT_THROW(completer.CompleteError(std::runtime_error("e")), StateError);
  EXPECT_EQ(future.Get(), 1);
}

TEST(CompleterTest, AnErrorIsThrownByAllItsFutures) {
  Completer<> completer;
  auto before = completer.future();
  completer.CompleteError(std::out_of_range("e"));
  auto after = completer.future();
  EXPECT_THROW(before.Get(), std::out_of_range);
  EXPECT_THROW(after.Get(), std::out_of_range);
}

TEST(CompleterTest, IfItIsDestroyedItsFuturesFail) {
  std::optional<Completer<int>> completer(std::in_place);
  auto future = completer->future();
  completer.reset();
  EXPECT_THROW((void)future.Get(), StateError);
}

TEST(CompleterTest, AValueThatCannotBeCopiedHasOneFuture) {
  Completer<std::unique_ptr<int>> completer;
  auto future = completer.future();
  EXPECT_THROW((void)completer.future(), StateError);
  completer.Complete(std::make_unique<int>(1));
  EXPECT_EQ(*future.Get(), 1);
}

TEST(CompleterTest, CoroutinesThatAwaitItAreResumed) {
  Completer<int> completer;
  const auto await = [](Future<int> future) -> Task<int> { co_return co_await future; };
  auto first = Start(await(completer.future()));
  auto second = Start(await(completer.future()));
  completer.Complete(4);
  EXPECT_EQ(first.Get() + second.Get(), 8);
}

TEST(TaskTest, ItRunsWhenItIsAwaitedAndNotBefore) {
  int runs = 0;
  const auto task = [](int& count) -> Task<int> { co_return ++count; };
  {
    auto never = task(runs);
  }
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(Start(task(runs)).Get(), 1);
}

TEST(TaskTest, ASecondAwaitThrowsStateError) {
  auto outer = []() -> Task<bool> {
    auto inner = []() -> Task<int> { co_return 1; }();
    (void)co_await std::move(inner);
    try {
      (void)co_await std::move(inner);
    } catch (const StateError&) {
      co_return true;
    }
    co_return false;
  };
  EXPECT_TRUE(Start(outer()).Get());
}

TEST(TaskTest, ADeepChainOfTasksReturns) {
  struct Chain {
    static Task<int> Down(int depth) {
      if (depth == 0) co_return 0;
      co_return 1 + co_await Down(depth - 1);
    }
  };
  EXPECT_EQ(Start(Chain::Down(1000)).Get(), 1000);
}

TEST(TaskTest, ATaskThatWaitsIsDestroyedWithItsFrame) {
  auto kept = std::make_shared<int>(0);
  {
    auto waits = [](std::shared_ptr<int>) -> Stream<int> {
      co_await Delay(hours(1));
      co_yield 1;
    };
    auto stream = std::make_unique<Stream<int>>(waits(kept));
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

Stream<int> Count(int limit) {
  for (int i = 0; i < limit; ++i) {
    if (i % 2 == 0) co_await Delay(Duration::zero());
    co_yield i;
  }
}

TEST(StreamTest, ValuesAndThenTheEnd) {
  const auto sum = []() -> Task<std::vector<int>> {
    std::vector<int> values;
    auto stream = Count(5);
    while (auto value = co_await stream.Next()) values.push_back(*value);
    EXPECT_EQ(co_await stream.Next(), std::nullopt);
    co_return values;
  };
  EXPECT_THAT(Start(sum()).Get(), ElementsAre(0, 1, 2, 3, 4));
}

TEST(StreamTest, ElementAtAndBeyondTheEnd) {
  EXPECT_EQ(Start(ElementAt(Count(5), 3)).Get(), 3);
  EXPECT_THROW((void)Start(ElementAt(Count(5), 5)).Get(), StateError);
}

TEST(StreamTest, AnErrorIsThrownByNextAndThenItHasEnded) {
  const auto fails = []() -> Stream<int> {
    co_yield 1;
    throw std::out_of_range("stream");
  };
  const auto use = [](Stream<int> stream) -> Task<std::string> {
    std::string seen = std::to_string(*(co_await stream.Next()));
    try {
      (void)co_await stream.Next();
    } catch (const std::out_of_range& error) {
      seen += error.what();
    }
    seen += (co_await stream.Next()).has_value() ? "more" : "ended";
    co_return seen;
  };
  EXPECT_EQ(Start(use(fails())).Get(), "1streamended");
}

TEST(StreamTest, MoveOnlyValues) {
  const auto make = []() -> Stream<std::unique_ptr<int>> { co_yield std::make_unique<int>(5); };
  EXPECT_EQ(*Start(ElementAt(make(), 0)).Get(), 5);
}

}  // namespace
}  // namespace isolates
