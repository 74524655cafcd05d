// Exceptions in every function that the library calls for its user. Each comes out where somebody
// can see it, each future completes, and all others go on. In simulations, which tell what waits
// for ever, under several schedules.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "isolates/simulation.h"

namespace isolates {
namespace {

using std::chrono::milliseconds;
using testing::IsEmpty;

constexpr std::uint64_t kSeeds = 20;

std::atomic<int> unhandled{0};

class ExceptionsTest : public testing::Test {
 protected:
  ExceptionsTest() {
    unhandled = 0;
    former_ = SetUnhandledErrorHandler([](const RemoteError&) { ++unhandled; });
  }
  ~ExceptionsTest() override { SetUnhandledErrorHandler(former_); }

  // Each program ends by itself, under each schedule.
  static void RunOnAllSeeds(Task<> (*program)()) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      EXPECT_THAT(Simulate(seed, program).waiting, IsEmpty());
      if (HasFailure()) return;
    }
  }

 private:
  UnhandledErrorHandler former_;
};

[[noreturn]] void Throw() { throw std::runtime_error("planted"); }

template <class T>
Task<bool> FailsAsPlanted(Future<T> future) {
  try {
    co_await future;
  } catch (const RemoteError& error) {
    co_return error.message() == "planted";
  } catch (const std::runtime_error& error) {
    co_return error.what() == std::string("planted");
  }
  co_return false;
}

// --- what isolates run

int RunsAndThrows(int) { Throw(); }
Task<int> RunsLaterAndThrows(int) {
  co_await Delay(milliseconds(1));
  Throw();
}
std::vector<int> Build(int) { Throw(); }

Task<> Runs() {
  EXPECT_TRUE(co_await FailsAsPlanted(Isolate::Run(RunsAndThrows, 1)));
  EXPECT_TRUE(co_await FailsAsPlanted(Isolate::Run(RunsLaterAndThrows, 1)));
  EXPECT_TRUE(co_await FailsAsPlanted(Isolate::RunParcel(Build, 1)));
  EXPECT_THROW((void)MakeParcel(Build, 1), std::runtime_error);
  auto other = Isolate::Run([](int number) { return number + 1; }, 1);
  EXPECT_EQ(co_await other, 2);
}

TEST_F(ExceptionsTest, OfFunctionsThatAreRun) { RunOnAllSeeds(&Runs); }

// An isolate that throws somewhere: the error is told once, and so is its end.
using Entry = void (*)(SendPort<SendPort<int>>);

Task<> EndsByItsError(Entry entry) {
  ReceivePort<RemoteError> errors;
  ReceivePort<SendPort<int>> addresses;
  const Isolate isolate = co_await Isolate::Spawn(entry, addresses.send_port(),
                                                  SpawnOptions().OnError(errors.send_port()));
  auto ended = isolate.Ended();
  const auto address = co_await ReceiveWithin(addresses, std::chrono::seconds(1));
  for (int number = 1; number <= 3; ++number) static_cast<void>(address->Send(number));
  const ExitInfo info = co_await ended;
  EXPECT_EQ(info.reason, ExitReason::kUncaughtError);
  EXPECT_EQ(info.error->message(), "planted");
  EXPECT_EQ(errors.TryReceive()->message(), "planted");
  EXPECT_FALSE(errors.TryReceive().has_value());
}

void ThrowsInItsEntry(SendPort<SendPort<int>> out) {
  ReceivePort<int> port;
  out.Send(port.send_port());
  Throw();
}
void ThrowsInAListener(SendPort<SendPort<int>> out) {
  ReceivePort<int> port;
  out.Send(port.send_port());
  std::move(port).Listen([](int number) {
    if (number == 2) Throw();
  });
}
void ThrowsInACoroutine(SendPort<SendPort<int>> out) {
  ReceivePort<int> port;
  out.Send(port.send_port());
  std::move(port).Listen([](int number) -> Task<> {
    co_await Delay(milliseconds(number));
    if (number == 2) Throw();
  });
}
void ThrowsInATimer(SendPort<SendPort<int>> out) {
  ReceivePort<int> port;
  out.Send(port.send_port());
  std::move(port).Listen([](int number) {
    Timer(milliseconds(number), [number] {
      if (number == 2) Throw();
    }).Detach();
  });
}
void ThrowsInAPeriodicTimer(SendPort<SendPort<int>> out) {
  ReceivePort<int> port;
  out.Send(port.send_port());
  std::move(port).Listen([](int) {
    auto timer = Timer::Periodic(milliseconds(1), []() -> Task<> {
      co_await Delay(milliseconds(1));
      Throw();
    });
    std::move(timer).Detach();
  });
}

template <Entry kEntry>
Task<> EndsByTheErrorOf() {
  co_await EndsByItsError(kEntry);
}

TEST_F(ExceptionsTest, OfAnEntry) { RunOnAllSeeds(&EndsByTheErrorOf<&ThrowsInItsEntry>); }
TEST_F(ExceptionsTest, OfAListener) { RunOnAllSeeds(&EndsByTheErrorOf<&ThrowsInAListener>); }
TEST_F(ExceptionsTest, OfACoroutine) { RunOnAllSeeds(&EndsByTheErrorOf<&ThrowsInACoroutine>); }
TEST_F(ExceptionsTest, OfATimer) { RunOnAllSeeds(&EndsByTheErrorOf<&ThrowsInATimer>); }
TEST_F(ExceptionsTest, OfAPeriodicTimer) {
  RunOnAllSeeds(&EndsByTheErrorOf<&ThrowsInAPeriodicTimer>);
}

int SelectUntilItThrows(SendPort<SendPort<int>> out) {
  ReceivePort<int> a;
  ReceivePort<int> b;
  out.Send(a.send_port());
  int seen = 0;
  Select select(On(
                    a,
                    [&](int number) {
                      ++seen;
                      if (number == 2) Throw();
                      if (number == 3) a.Close();
                    },
                    [&] {
                      ++seen;
                      b.Close();
                      Throw();
                    }),
                On(b, [](int) {}));
  for (int errors = 0; !select.all_closed();) {
    try {
      select.Next(kForever);
    } catch (const std::runtime_error&) {
      if (++errors == 3) return -1;
    }
  }
  return seen;
}

Task<> Selects() {
  ReceivePort<SendPort<int>> addresses;
  auto seen = Isolate::Run(SelectUntilItThrows, addresses.send_port());
  const auto address = co_await addresses.Receive();
  for (int number = 1; number <= 3; ++number) address->Send(number);
  EXPECT_EQ(co_await seen, 4);
}

TEST_F(ExceptionsTest, OfASelectsHandlers) { RunOnAllSeeds(&Selects); }

Task<> ListensOn() {
  ReceivePort<RemoteError> errors;
  ReceivePort<SendPort<int>> addresses;
  const Isolate isolate =
      co_await Isolate::Spawn(&ThrowsInAListener, addresses.send_port(),
                              SpawnOptions().ErrorsAreFatal(false).OnError(errors.send_port()));
  const auto address = co_await addresses.Receive();
  for (const int number : {2, 1, 2}) address->Send(number);
  EXPECT_EQ((co_await errors.Receive())->message(), "planted");
  EXPECT_EQ((co_await errors.Receive())->message(), "planted");
  EXPECT_EQ(address->Send(1), SendResult::kAccepted);
  isolate.Kill();
  auto ended = isolate.Ended();
  co_await ended;
}

TEST_F(ExceptionsTest, ThatAreNotFatalLeaveTheListener) { RunOnAllSeeds(&ListensOn); }

// --- futures

Task<> Continuations() {
  EXPECT_TRUE(co_await FailsAsPlanted(Isolate::Run([] { return 1; }).Then([](int) { Throw(); })));
  EXPECT_TRUE(co_await FailsAsPlanted(
      Isolate::Run([] { return 1; }).Then([](int) -> Task<int> { Throw(); })));
  EXPECT_TRUE(co_await FailsAsPlanted(
      WhenAll(Isolate::Run(RunsAndThrows, 1), Isolate::Run([] { return 1; }))));
  auto stream = PeriodicStream(milliseconds(1), [](int number) {
    if (number == 1) Throw();
    return number;
  });
  EXPECT_EQ(co_await stream.Next(), 0);
  try {
    static_cast<void>(co_await stream.Next());
    ADD_FAILURE() << "no error";
  } catch (const std::runtime_error&) {  // planted
  }
  EXPECT_EQ(co_await stream.Next(), std::nullopt);
}

TEST_F(ExceptionsTest, OfContinuations) { RunOnAllSeeds(&Continuations); }

// --- requests

using Doubler = Requester<int, int>;

void Double(SendPort<Doubler> out) {
  RequestPort<int, int> port;
  out.Send(port.requester());
  std::move(port).Handle([](int number) -> int {
    if (number == 2) Throw();
    return 2 * number;
  });
}
void DoubleLater(SendPort<Doubler> out) {
  RequestPort<int, int> port;
  out.Send(port.requester());
  std::move(port).Handle([](int number) -> Task<int> {
    if (number == 2) Throw();
    co_await Delay(milliseconds(1));
    if (number == 4) Throw();
    co_return 2 * number;
  });
}

template <auto kServe>
Task<> Requests() {
  ReceivePort<Doubler> in;
  const Isolate server = co_await Isolate::Spawn(kServe, in.send_port());
  const Doubler twice = *co_await in.Receive();
  EXPECT_TRUE(co_await FailsAsPlanted(twice.Call(2)));
  auto answered = twice.Call(3);
  EXPECT_EQ(co_await answered, 6);
  if (kServe == &DoubleLater) {
    EXPECT_TRUE(co_await FailsAsPlanted(twice.Call(4)));
  }
  server.Kill();
}

TEST_F(ExceptionsTest, OfRequestHandlers) {
  RunOnAllSeeds(&Requests<&Double>);
  RunOnAllSeeds(&Requests<&DoubleLater>);
}

// --- messages

// Throws when it is copied, or moved, for that many times more.
class Fragile {
 public:
  static inline std::atomic<int> copies_left{1000};
  static inline std::atomic<int> moves_left{1000};
  static void Mend() {
    copies_left = 1000;
    moves_left = 1000;
  }

  explicit Fragile(int number) : number_(number) {}
  Fragile(const Fragile& other) : number_(other.number_) {
    if (--copies_left < 0) Throw();
  }
  Fragile(Fragile&& other) : number_(other.number_) {  // NOLINT: it throws on purpose
    if (--moves_left < 0) Throw();
  }
  Fragile& operator=(const Fragile&) = default;
  Fragile& operator=(Fragile&&) = default;
  ~Fragile() = default;

  int number() const { return number_; }

 private:
  int number_;

 public:
  using IsolatesMembers = Members<&Fragile::number_>;
};

Task<> Copies() {
  Fragile::Mend();
  ReceivePort<Fragile> a;
  ReceivePort<Fragile> b;
  const Fragile message(7);
  const Broadcast<Fragile> both;
  both.Subscribe(a.send_port());
  both.Subscribe(b.send_port());
  Fragile::copies_left = 1;
  EXPECT_THROW(both.Send(message), std::runtime_error);  // b's copy
  EXPECT_TRUE(a.TryReceive().has_value());
  EXPECT_FALSE(b.TryReceive().has_value());
  Fragile::copies_left = 0;
  EXPECT_THROW(a.send_port().Send(message), std::runtime_error);
  Fragile::Mend();
  EXPECT_EQ(both.Send(message).accepted, 2U);

  // The response of an exit listener is copied when it is sent.
  ReceivePort<Fragile> exits;
  const Isolate isolate =
      co_await Isolate::Spawn([](int) {}, 1, SpawnOptions().OnExit(exits.send_port(), Fragile(1)));
  auto ended = isolate.Ended();
  Fragile::copies_left = 0;
  co_await ended;
  co_await Delay(milliseconds(1));
  Fragile::Mend();
  EXPECT_FALSE(exits.TryReceive().has_value());
  EXPECT_GT(unhandled.exchange(0), 0);  // reported
}

TEST_F(ExceptionsTest, OfCopyConstructorsOfMessages) { RunOnAllSeeds(&Copies); }

Task<int> ReceiveTwice(SendPort<SendPort<Fragile>> out) {
  ReceivePort<Fragile> port;
  out.Send(port.send_port());
  int errors = 0;
  for (int i = 0; i < 2; ++i) {
    try {
      static_cast<void>(co_await port.Receive());
    } catch (const std::runtime_error&) {
      ++errors;
    }
  }
  co_return errors;
}

// Each move on the way of a message, from here to a coroutine there.
Task<> Moves() {
  for (int moves = 0; moves < 12; ++moves) {
    Fragile::Mend();
    ReceivePort<SendPort<Fragile>> addresses;
    auto errors = Isolate::Run(ReceiveTwice, addresses.send_port());
    const auto to = co_await addresses.Receive();
    Fragile::moves_left = moves;
    int thrown = 0;
    try {
      to->Send(Fragile(1));
    } catch (const std::runtime_error&) {
      thrown = 1;
      Fragile::Mend();
      to->Send(Fragile(1));
    }
    co_await Delay(milliseconds(1));
    Fragile::Mend();
    to->Send(Fragile(2));
    EXPECT_LE(thrown + co_await errors, 1);

    // And of a result.
    Fragile::moves_left = moves;
    try {
      auto result = Isolate::Run([] { return Fragile(3); });
      EXPECT_EQ((co_await result).number(), 3);
    } catch (const RemoteError& error) {
      EXPECT_EQ(error.message(), "planted");
    } catch (const std::runtime_error&) {  // here
    }
  }
  Fragile::Mend();
}

TEST_F(ExceptionsTest, OfMoveConstructorsOfMessages) { RunOnAllSeeds(&Moves); }

// --- supervisors and values of isolates

std::atomic<int> starts{0};

Task<> FailTwice(int) {
  if (++starts <= 2) Throw();
  co_return;
}
Task<> StayAlive(int) {
  ReceivePort<int> never;
  co_await never.Receive();
}

Task<> Supervises() {
  starts = 0;
  std::vector<ChildSpec> children;
  children.emplace_back("stays", StayAlive, 0);
  children.push_back(ChildSpec("fails", FailTwice, 0).Restart(RestartKind::kTransient));
  Supervisor supervisor(std::move(children));
  co_await Delay(milliseconds(1));
  EXPECT_EQ(starts, 3);
  EXPECT_TRUE(supervisor.children()[0].running);
  supervisor.Stop();
  co_await supervisor.ended();
}

TEST_F(ExceptionsTest, OfSupervisedChildren) { RunOnAllSeeds(&Supervises); }

std::atomic<int> makings{0};
IsolateLocal<int> throws_first([]() -> int {
  if (++makings % 2 == 1) Throw();
  return 5;
});

Task<> Locals() {
  makings = 0;
  EXPECT_THROW(throws_first.Get(), std::runtime_error);
  EXPECT_EQ(throws_first.Get(), 5);
  EXPECT_TRUE(co_await FailsAsPlanted(Isolate::Run([] { return throws_first.Get(); })));
  auto second = Isolate::Run([] { return throws_first.Get(); });
  EXPECT_EQ(co_await second, 5);
}

TEST_F(ExceptionsTest, OfTheFactoryOfAnIsolateLocal) { RunOnAllSeeds(&Locals); }

}  // namespace
}  // namespace isolates
