// Waiting for room: what happens to the order of an isolate's messages, to a message and to its
// port while its sender waits, or while the message is on its way.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// Forgets the ports that have closed: an isolate does whenever it has sent to so many others.
void SendToManyPorts() {
  std::vector<std::unique_ptr<ReceivePort<int>>> ports;
  for (int i = 0; i < 100; ++i) {
    ports.push_back(std::make_unique<ReceivePort<int>>());
    ports.back()->send_port().Send(1);
  }
}

// A bounded port of another isolate, which does as it is told: takes so many messages, and closes
// the port after a number that is not positive.
template <class T>
class Remote {
 public:
  explicit Remote(int capacity) {
    ReceivePort<Ends> ready;
    Isolate::Spawn(
        [](std::tuple<SendPort<Ends>, SendPort<std::vector<T>>, int> given) -> Task<void> {
          auto& [out, done, most] = given;
          ReceivePort<T> sink(PortOptions().Capacity(static_cast<std::size_t>(most)));
          ReceivePort<int> commands;
          out.Send(Ends(sink.send_port(), commands.send_port()));
          for (bool last = false; !last;) {
            const int told = *co_await commands.Receive();
            std::vector<T> taken;
            for (int i = std::abs(told); i > 0; --i) {
              taken.push_back(std::move(*co_await sink.Receive()));
            }
            last = told <= 0;
            if (last) sink.Close();
            done.Send(std::move(taken));
          }
        },
        std::tuple(ready.send_port(), taken_.send_port(), capacity))
        .Get();
    Ends ends = *ready.Receive(kForever);
    port = std::move(ends.first);
    command = std::move(ends.second);
  }
  std::vector<T> Take() { return std::move(*taken_.Receive(kForever)); }

  SendPort<T> port;
  SendPort<int> command;

 private:
  using Ends = std::pair<SendPort<T>, SendPort<int>>;
  ReceivePort<std::vector<T>> taken_;
};

// --- what lives how long
// --------------------------------------------------------------------------

// The port closes while the sender waits, and the sender's isolate, which handles other events
// meanwhile, forgets it. (AddressSanitizer saw the sender use what was freed.)
TEST(SenderLifeTest, APortIsForgottenWhileItsSenderWaits) {
  static std::atomic<bool> closed{false};
  ReceivePort<std::pair<SendPort<int>, SendPort<int>>> ready;
  Isolate::Spawn(
      [](SendPort<std::pair<SendPort<int>, SendPort<int>>> out) -> Task<void> {
        ReceivePort<int> port(PortOptions().Capacity(1));
        ReceivePort<int> command;
        out.Send(std::pair(port.send_port(), command.send_port()));
        co_await command.Receive();
        (void)port.TryReceive();
        port.Close();
        closed = true;
      },
      ready.send_port())
      .Get();
  auto [sender, command] = *ready.Receive(kForever);
  EXPECT_EQ(sender.Send(1), SendResult::kAccepted);
  ReceivePort<int> trigger;
  trigger.Listen([tell = command](int) {
    tell.Send(1);
    while (!closed) std::this_thread::yield();
    SendToManyPorts();
  });
  trigger.send_port().Send(1);
  EXPECT_EQ(sender.Send(2, kForever), SendResult::kClosed);
}

// The same in the move that puts the message into its envelope.
struct ClosesItsPort {
  explicit ClosesItsPort(ReceivePort<ClosesItsPort>* given) : port(given) {}
  ClosesItsPort(ClosesItsPort&& other) noexcept : port(std::exchange(other.port, nullptr)) {
    if (port == nullptr || !port->is_open()) return;
    port->Close();
    SendToManyPorts();
  }
  ReceivePort<ClosesItsPort>* port;
};

}  // namespace
}  // namespace isolates

template <>
struct isolates::TransferTraits<isolates::ClosesItsPort> : isolates::internal::HandleTraits {};

namespace isolates {
namespace {

TEST(SenderLifeTest, APortIsForgottenWhileItsMessageIsMoved) {
  ReceivePort<ClosesItsPort> port;
  const auto sender = port.send_port();
  EXPECT_EQ(sender.Send(ClosesItsPort(nullptr)), SendResult::kAccepted);
  ClosesItsPort message(&port);
  EXPECT_EQ(sender.Send(std::move(message)), SendResult::kClosed);
  EXPECT_EQ(message.port, &port);
}

// The message holds the SendPort through which it is sent.
struct WithItsSender {
  SendPort<WithItsSender> to;
  int number = 0;
};

}  // namespace
}  // namespace isolates

template <>
struct isolates::TransferTraits<isolates::WithItsSender> : isolates::internal::HandleTraits {};

namespace isolates {
namespace {

TEST(SenderLifeTest, ASendPortTravelsInItsOwnMessage) {
  ReceivePort<WithItsSender> port(PortOptions().Capacity(4));
  std::thread([to = port.send_port()] {
    WithItsSender first{to, 1};
    EXPECT_EQ(first.to.Send(std::move(first)), SendResult::kAccepted);
    WithItsSender second{to, 2};
    EXPECT_EQ(second.to.Send(std::move(second), kForever), SendResult::kAccepted);
    const ReceivePort<int> attaches;
    WithItsSender third{to, 3};
    EXPECT_EQ(third.to.Send(std::move(third)), SendResult::kAccepted);
  }).join();
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(port.TryReceive()->number, i);
}

TEST(SenderLifeTest, ASendPortComesBackWithItsMessage) {
  ReceivePort<WithItsSender> port;
  WithItsSender message{port.send_port(), 1};
  port.Close();
  EXPECT_EQ(message.to.Send(std::move(message)), SendResult::kClosed);
  EXPECT_TRUE(message.to.closed());
}

struct MovesOnce {
  MovesOnce() = default;
  MovesOnce(MovesOnce&& other) : port(other.port), moves(other.moves + 1) {
    if (moves == 1) port->Close();
    if (moves == 2) throw std::runtime_error("no second move");
  }
  ReceivePort<MovesOnce>* port = nullptr;
  int moves = 0;
};

}  // namespace
}  // namespace isolates

template <>
struct isolates::TransferTraits<isolates::MovesOnce> : isolates::internal::HandleTraits {};

namespace isolates {
namespace {

// Before, the place of the message was destroyed twice.
TEST(SenderLifeDeathTest, AMessageThatCannotComeBackEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ReceivePort<MovesOnce> port;
        MovesOnce message;
        message.port = &port;
        try {
          (void)port.send_port().Send(std::move(message));
        } catch (const std::exception&) {
          std::exit(0);
        }
      },
      "no second move");
}

// --- verified again
// -------------------------------------------------------------------------------

TEST(VerifiedAgainTest, AMessageThatGetsSharedDuringABlockingWaitStays) {
  static std::shared_ptr<int> kept;
  Remote<std::shared_ptr<int>> remote(1);
  remote.port.Send(std::make_shared<int>(1));
  auto message = std::make_shared<int>(7);
  ReceivePort<int> trigger;
  trigger.Listen([&](int) {
    kept = message;
    remote.command.Send(1);
  });
  trigger.send_port().Send(1);
  EXPECT_THROW(remote.port.Send(std::move(message), kForever), TransferError);
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(kept, message);
  kept = nullptr;
  (void)remote.Take();
  // Its room was given back.
  EXPECT_EQ(remote.port.Send(std::move(message)), SendResult::kAccepted);
  remote.command.Send(-1);
  EXPECT_EQ(*remote.Take().at(0), 7);
}

TEST(VerifiedAgainTest, AMessageThatGetsSharedWhileACoroutineWaitsStays) {
  static std::shared_ptr<int> kept;
  Remote<std::shared_ptr<int>> remote(1);
  remote.port.Send(std::make_shared<int>(1));
  auto message = std::make_shared<int>(7);
  auto sent =
      Start([](SendPort<std::shared_ptr<int>> to, std::shared_ptr<int>& what) -> Task<bool> {
        try {
          co_await to.SendWhenRoom(std::move(what));
        } catch (const TransferError&) {
          co_return true;
        }
        co_return false;
      }(remote.port, message));
  kept = message;
  remote.command.Send(1);
  EXPECT_TRUE(sent.Get());
  EXPECT_EQ(kept, message);
  kept = nullptr;
  (void)remote.Take();
  EXPECT_EQ(remote.port.Send(std::move(message)), SendResult::kAccepted);
  remote.command.Send(-1);
  (void)remote.Take();
}

// --- order
// ----------------------------------------------------------------------------------------

// A listener that forwards by waiting: before, a message that came when one had been granted room,
// and its sender had not heard of it yet, could overtake it.
TEST(WaitingOrderTest, AForwardingListenerKeepsTheOrder) {
  constexpr int kMessages = 40;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    std::vector<int> got;
    const SimulationReport report = Simulate(seed, [&got]() -> Task<void> {
      ReceivePort<int> sink(PortOptions().Capacity(2));
      ReceivePort<SendPort<int>> ready;
      const Isolate forwarder =
          Isolate::Spawn(
              [](std::pair<SendPort<SendPort<int>>, SendPort<int>> given) {
                ReceivePort<int> in(PortOptions().Order(MessageOrder::kTotal));
                given.first.Send(in.send_port());
                std::move(in).Listen([out = given.second](int message) -> Task<void> {
                  co_await out.SendWhenRoom(int(message));
                });
              },
              std::pair(ready.send_port(), sink.send_port()))
              .Get();
      const SendPort<int> in = *co_await ready.Receive();
      Isolate::Spawn(
          [](SendPort<int> to) -> Task<void> {
            for (int i = 0; i < kMessages; ++i) {
              to.Send(int(i));
              if (i % 3 == 2) co_await Delay(Duration(0));
            }
          },
          in)
          .Get();
      while (got.size() < kMessages) {
        co_await Delay(Duration(0));
        for (int i = 0; i < 2; ++i) {
          if (const auto message = sink.TryReceive()) got.push_back(*message);
        }
      }
      forwarder.Kill();
    });
    ASSERT_THAT(got, testing::SizeIs(kMessages)) << "seed " << seed;
    for (int i = 0; i < kMessages; ++i) {
      ASSERT_EQ(got[static_cast<std::size_t>(i)], i) << "seed " << seed;
    }
  }
}

TEST(WaitingOrderTest, ASendThatDoesNotWaitIsRefusedBehindOneThatWaits) {
  Remote<int> remote(1);
  remote.port.Send(1);
  const auto wait = [](SendPort<int> to, int number) -> Task<SendResult> {
    co_return co_await to.SendWhenRoom(int(number));
  };
  auto second = Start(wait(remote.port, 2));
  auto third = Start(wait(remote.port, 3));
  EXPECT_EQ(remote.port.Send(4), SendResult::kFull);
  remote.command.Send(1);
  EXPECT_THAT(remote.Take(), ElementsAre(1));
  // The room is granted at the latest when the message that says so has come.
  EXPECT_EQ(second.Get(), SendResult::kAccepted);
  EXPECT_EQ(remote.port.Send(4), SendResult::kFull);
  remote.command.Send(2);
  EXPECT_THAT(remote.Take(), ElementsAre(2, 3));
  EXPECT_EQ(third.Get(), SendResult::kAccepted);
  EXPECT_EQ(remote.port.Send(4), SendResult::kAccepted);
  remote.command.Send(-1);
  EXPECT_THAT(remote.Take(), ElementsAre(4));
}

// Granted, and its event has not come: a Send in another event does not overtake it, nor does one
// that waits and finds room.
TEST(WaitingOrderTest, NothingOvertakesAMessageThatHasBeenGrantedRoom) {
  static std::atomic<bool> both_taken{false};
  both_taken = false;
  ReceivePort<std::pair<SendPort<int>, SendPort<int>>> ready;
  auto rest = Isolate::Run(
      [](SendPort<std::pair<SendPort<int>, SendPort<int>>> out) -> Task<std::vector<int>> {
        ReceivePort<int> sink(PortOptions().Capacity(2));
        ReceivePort<int> command;
        out.Send(std::pair(sink.send_port(), command.send_port()));
        co_await command.Receive();
        (void)sink.TryReceive();
        (void)sink.TryReceive();
        both_taken = true;
        std::vector<int> got;
        got.push_back(*co_await sink.Receive());
        got.push_back(*co_await sink.Receive());
        co_return got;
      },
      ready.send_port());
  auto [out, command] = *ready.Receive(kForever);
  out.Send(1);
  out.Send(2);
  const auto wait = [](SendPort<int> to, int number) -> Task<SendResult> {
    co_return co_await to.SendWhenRoom(int(number));
  };
  auto third = Start(wait(out, 3));
  std::optional<Future<SendResult>> fourth;
  ReceivePort<int> trigger;
  trigger.Listen([&, tell = command, to = out](int) {
    tell.Send(1);
    while (!both_taken) std::this_thread::yield();
    EXPECT_EQ(to.Send(9), SendResult::kFull);
    EXPECT_EQ(to.Send(9, kForever), SendResult::kFull);  // nothing would end this wait
    fourth.emplace(Start(wait(to, 4)));
  });
  trigger.send_port().Send(1);
  EXPECT_THAT(rest.Get(), ElementsAre(3, 4));
  EXPECT_EQ(third.Get(), SendResult::kAccepted);
  EXPECT_EQ(fourth->Get(), SendResult::kAccepted);
}

TEST(WaitingOrderTest, ABlockingSendComesBehindACoroutineThatWaits) {
  Remote<int> remote(1);
  remote.port.Send(1);
  auto second = Start([](SendPort<int> to) -> Task<SendResult> {
    co_return co_await to.SendWhenRoom(2);
  }(remote.port));
  remote.command.Send(3);
  EXPECT_EQ(remote.port.Send(3, kForever), SendResult::kAccepted);
  EXPECT_THAT(remote.Take(), ElementsAre(1, 2, 3));
  EXPECT_EQ(second.Get(), SendResult::kAccepted);
  remote.command.Send(0);
  (void)remote.Take();
}

TEST(WaitingOrderTest, TwoMessagesOfOneExpressionFollowEachOther) {
  Remote<int> remote(1);
  remote.port.Send(1);
  auto both = Start([](SendPort<int> to) -> Task<std::pair<SendResult, SendResult>> {
    co_return std::pair{co_await to.SendWhenRoom(2), co_await to.SendWhenRoom(3)};
  }(remote.port));
  remote.command.Send(3);
  EXPECT_THAT(both.Get(), Pair(SendResult::kAccepted, SendResult::kAccepted));
  EXPECT_THAT(remote.Take(), ElementsAre(1, 2, 3));
  remote.command.Send(0);
  (void)remote.Take();
}

// Many that wait, on real threads: grants come from two isolates (the receiver, and a sender that
// gives up), so they may be told in the wrong order.
TEST(WaitingOrderTest, ManyThatWaitArriveInOrder) {
  constexpr int kMessages = 300;
  ReceivePort<std::pair<int, int>> port(PortOptions().Capacity(3));
  const auto spawn = [&](int number) {
    Isolate::Spawn(
        [](std::pair<SendPort<std::pair<int, int>>, int> given) -> Task<void> {
          const auto& [to, mine] = given;
          std::vector<Future<void>> waiting;
          for (int i = 0; i < kMessages; ++i) {
            waiting.push_back(
                Start([](SendPort<std::pair<int, int>> out, int who, int what) -> Task<void> {
                  co_await out.SendWhenRoom(std::pair(who, what));
                }(to, mine, i)));
            if (i % 7 == 0) to.Send(std::pair(mine, -1), Duration(0));
          }
          for (auto& one : waiting) co_await one;
        },
        std::pair(port.send_port(), number))
        .Get();
  };
  spawn(0);
  spawn(1);
  std::vector<int> next(2, 0);
  for (int left = 2 * kMessages; left > 0;) {
    const auto [who, what] = *port.Receive(kForever);
    if (what < 0) continue;
    EXPECT_EQ(what, next[static_cast<std::size_t>(who)]++);
    --left;
  }
}

// A coroutine that is given up leaves the line to the next.
TEST(WaitingOrderTest, TheNextGoesOnWhenOneThatIsGrantedGivesUp) {
  const SimulationReport report = Simulate(11, []() -> Task<void> {
    ReceivePort<int> port(PortOptions().Capacity(1));
    auto results = Isolate::Run(
        [](SendPort<int> to) -> Task<std::pair<SendResult, SendResult>> {
          to.Send(1);
          const SendResult late = to.Send(2, std::chrono::milliseconds(5));
          co_return std::pair(late, co_await to.SendWhenRoom(3));
        },
        port.send_port());
    co_await Delay(std::chrono::milliseconds(20));
    EXPECT_EQ(*co_await port.Receive(), 1);
    EXPECT_EQ(*co_await port.Receive(), 3);
    EXPECT_EQ(co_await results, std::pair(SendResult::kFull, SendResult::kAccepted));
  });
  EXPECT_THAT(report.waiting, IsEmpty());
}

}  // namespace
}  // namespace isolates
