// How ports end: dropping or draining, by hand or when the last sender is gone; and who hears of
// messages that nobody received.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ClosingTest, ADrainedPortGivesWhatItHasAccepted) {
  ReceivePort<int> port(PortOptions().OnClose(ClosePolicy::kDrain));
  const auto sender = port.send_port();
  sender.Send(1);
  sender.Send(2);
  port.Close();
  EXPECT_FALSE(port.is_open());
  EXPECT_FALSE(port.ended());
  EXPECT_EQ(sender.Send(3), SendResult::kClosed);
  EXPECT_EQ(port.Receive(kForever), 1);
  EXPECT_FALSE(port.ended());
  EXPECT_EQ(port.Receive(kForever), 2);
  EXPECT_TRUE(port.ended());
  EXPECT_EQ(port.Receive(kForever), std::nullopt);
  EXPECT_EQ(port.counters().dead_letters, 0U);
  EXPECT_EQ(port.counters().refused_closed, 1U);
}

TEST(ClosingTest, AnEmptyPortThatDrainsEndsAtOnce) {
  ReceivePort<int> port(PortOptions().OnClose(ClosePolicy::kDrain));
  port.Close();
  EXPECT_TRUE(port.ended());
}

TEST(ClosingTest, AListenerGetsAllBeforeItsPortEnds) {
  auto sum = Isolate::Run([]() -> Task<int> {
    auto total = std::make_shared<int>(0);
    ReceivePort<int> port(PortOptions().OnClose(ClosePolicy::kDrain));
    for (int i = 1; i <= 10; ++i) port.send_port().Send(int(i));
    port.Listen([total](int message) { *total += message; });
    port.Close();
    while (!port.ended()) co_await Delay(Duration(0));
    co_return *total;
  });
  EXPECT_EQ(sum.Get(), 55);
}

TEST(ClosingTest, DrainingKeepsTheIsolateAlive) {
  ReceivePort<int> out;
  Isolate worker = Isolate::Spawn(
                       [](SendPort<int> to) {
                         ReceivePort<int> port(PortOptions().OnClose(ClosePolicy::kDrain));
                         for (int i = 1; i <= 5; ++i) port.send_port().Send(int(i));
                         ReceivePort<int> kept = std::move(port);
                         kept.Close();
                         std::move(kept).Listen([to](int message) { to.Send(int(message)); });
                       },
                       out.send_port())
                       .Get();
  worker.Ended().Get();
  std::vector<int> got;
  out.TryReceiveBatch(got, 100);
  EXPECT_THAT(got, ElementsAre(1, 2, 3, 4, 5));
}

TEST(ClosingTest, ADroppedPortTellsOfEachMessage) {
  static std::mutex mutex;
  static std::vector<std::string> told;
  SetDeadLetterHandler([](const DeadLetter& letter) {
    const std::lock_guard lock(mutex);
    if (letter.reason == DeadLetterReason::kPortClosed) told.emplace_back(letter.port_name);
  });
  {
    ReceivePort<int> port("left alone");
    port.send_port().Send(1);
    port.send_port().Send(2);
    port.Close();
    EXPECT_EQ(port.counters().dead_letters, 2U);
    EXPECT_EQ(port.counters().accepted, 2U);
  }
  SetDeadLetterHandler(nullptr);
  EXPECT_THAT(told, ElementsAre("left alone", "left alone"));
}

TEST(ClosingTest, AnObjectThatIsDestroyedWhileItDrainsDropsTheRest) {
  const auto before = runtime_info().dead_letters;
  {
    ReceivePort<int> port(PortOptions().OnClose(ClosePolicy::kDrain));
    port.send_port().Send(1);
    port.send_port().Send(2);
    port.Close();
    EXPECT_EQ(port.TryReceive(), 1);
  }
  EXPECT_EQ(runtime_info().dead_letters, before + 1);
}

TEST(ClosingTest, ASecondCloseDropsWhatIsNotDrainedYet) {
  ReceivePort<int> port(PortOptions().OnClose(ClosePolicy::kDrain));
  for (int i = 1; i <= 3; ++i) port.send_port().Send(int(i));
  port.Close();
  EXPECT_EQ(port.TryReceive(), 1);
  port.Close();
  EXPECT_TRUE(port.ended());
  EXPECT_EQ(port.counters().dead_letters, 2U);
}

// What an ended port is given to listen with goes at once, in its isolate, and not with the last
// SendPort, wherever that is.
TEST(ClosingTest, AListenerThatComesTooLateIsDestroyedAtOnce) {
  ReceivePort<int> port;
  const auto sender = port.send_port();
  port.Close();
  const auto held = std::make_shared<int>(1);
  port.Listen([held](int) {});
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ClosingTest, TheLastMessageOfAnIsolateIsTold) {
  static std::mutex mutex;
  static std::vector<std::string> told;
  SetDeadLetterHandler([](const DeadLetter& letter) {
    const std::lock_guard lock(mutex);
    if (letter.reason == DeadLetterReason::kPortClosed) told.emplace_back(letter.port_name);
  });
  const auto before = runtime_info().dead_letters;
  Isolate isolate = Isolate::Spawn(
                        [](int) {
                          ReceivePort<int> own("its own");  // closes before the message goes
                          Isolate::Exit(own.send_port(), 3);
                        },
                        0)
                        .Get();
  isolate.Ended().Get();
  SetDeadLetterHandler(nullptr);
  EXPECT_EQ(runtime_info().dead_letters, before + 1);
  EXPECT_THAT(told, ElementsAre("its own"));
}

// --- the last sender is gone
// ----------------------------------------------------------------------

TEST(SendersGoneTest, TheReceiverGetsAllAndThenTheEnd) {
  ReceivePort<int> port(PortOptions().CloseWhenSendersGone());
  {
    std::thread([sender = port.send_port()]() mutable {
      const SendPort<int> copy = sender;
      sender = SendPort<int>();
      copy.Send(1);
      copy.Send(2);
    }).join();
  }
  EXPECT_EQ(port.Receive(kForever), 1);
  EXPECT_EQ(port.Receive(kForever), 2);
  EXPECT_EQ(port.Receive(kForever), std::nullopt);
  EXPECT_TRUE(port.ended());
}

TEST(SendersGoneTest, APortThatNeverHadOneStaysOpen) {
  ReceivePort<int> port(PortOptions().CloseWhenSendersGone());
  EXPECT_EQ(port.TryReceive(), std::nullopt);
  EXPECT_TRUE(port.is_open());
  {
    const auto sender = port.send_port();
  }
  EXPECT_EQ(port.TryReceive(), std::nullopt);
  EXPECT_FALSE(port.is_open());
}

TEST(SendersGoneTest, ASenderInAMessageCounts) {
  ReceivePort<int> port(PortOptions().CloseWhenSendersGone());
  ReceivePort<SendPort<int>> carrier;
  carrier.send_port().Send(port.send_port());
  EXPECT_EQ(port.TryReceive(), std::nullopt);
  EXPECT_TRUE(port.is_open());
  carrier.Close();  // a dead letter, and with it the last sender
  EXPECT_EQ(port.TryReceive(), std::nullopt);
  EXPECT_TRUE(port.ended());
}

TEST(SendersGoneTest, AnEmptyStreamOfWorkEndsAWorker) {
  for (int round = 0; round < 20; ++round) {
    ReceivePort<SendPort<int>> ready;
    auto sum = Isolate::Run(
        [](SendPort<SendPort<int>> out) -> Task<int> {
          ReceivePort<int> port(PortOptions().CloseWhenSendersGone());
          out.Send(port.send_port());
          int total = 0;
          while (auto message = co_await port.Receive()) total += *message;
          co_return total;
        },
        ready.send_port());
    {
      std::vector<std::thread> threads;
      const SendPort<int> sender = *ready.Receive(kForever);
      for (int i = 1; i <= 3; ++i) {
        threads.emplace_back([mine = sender, i] { mine.Send(int(i)); });
      }
      for (std::thread& thread : threads) thread.join();
    }
    EXPECT_EQ(sum.Get(), 6);
  }
}

TEST(SendersGoneTest, AListeningIsolateEnds) {
  ReceivePort<SendPort<int>> ready;
  Isolate worker = Isolate::Spawn(
                       [](SendPort<SendPort<int>> out) {
                         ReceivePort<int> port(PortOptions().CloseWhenSendersGone());
                         out.Send(port.send_port());
                         std::move(port).Listen([](int) {});
                       },
                       ready.send_port())
                       .Get();
  {
    const SendPort<int> sender = *ready.Receive(kForever);
  }
  EXPECT_EQ(worker.Ended().Get().reason, ExitReason::kFinished);
}

TEST(SendersGoneTest, ASelectLearnsOfIt) {
  const SimulationReport report = Simulate(5, []() -> Task<void> {
    ReceivePort<int> first(PortOptions().CloseWhenSendersGone());
    ReceivePort<int> second(PortOptions().CloseWhenSendersGone());
    for (ReceivePort<int>* port : {&first, &second}) {
      Isolate::Spawn([](SendPort<int> to) { to.Send(4); }, port->send_port()).Get();
    }
    int sum = 0;
    int closed = 0;
    Select select(On(
                      first, [&](int message) { sum += message; }, [&] { ++closed; }),
                  On(second, [&](int message) { sum += message; }, [&] { ++closed; }));
    while (co_await select.Next()) {
    }
    EXPECT_EQ(sum, 8);
    EXPECT_EQ(closed, 2);
  });
  EXPECT_THAT(report.waiting, IsEmpty());
}

// --- batches
// --------------------------------------------------------------------------------------

TEST(BatchTest, AListenerLearnsWhereABatchEnds) {
  auto batches = Isolate::Run([]() -> Task<std::vector<int>> {
    ReceivePort<int> port(PortOptions().OnClose(ClosePolicy::kDrain));
    for (int i = 0; i < 5; ++i) port.send_port().Send(int(i));
    auto sizes = std::make_shared<std::vector<int>>(1, 0);
    port.ListenBatch([sizes](int, bool end_of_batch) {
      ++sizes->back();
      if (end_of_batch) sizes->push_back(0);
    });
    port.Close();
    while (!port.ended()) co_await Delay(Duration(0));
    co_return *sizes;
  });
  EXPECT_THAT(batches.Get(), ElementsAre(5, 0));
}

TEST(BatchTest, AnErrorInABatchLosesNothing) {
  auto got = Isolate::Run([]() -> Task<std::vector<int>> {
    Isolate::Current().SetErrorsFatal(false);
    ReceivePort<RemoteError> errors;
    Isolate::Current().AddErrorListener(errors.send_port());
    auto seen = std::make_shared<std::vector<int>>();
    ReceivePort<int> port;
    for (int i = 0; i < 6; ++i) port.send_port().Send(int(i));
    port.ListenBatch([seen](int message, bool) {
      seen->push_back(message);
      if (message == 2) throw std::runtime_error("in the middle");
    });
    while (seen->size() < 6) co_await Delay(Duration(0));
    co_return *seen;
  });
  EXPECT_THAT(got.Get(), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(BatchTest, AListenerThatClosesItsPortGetsNoMore) {
  auto got = Isolate::Run([]() -> Task<int> {
    auto calls = std::make_shared<int>(0);
    auto port = std::make_shared<ReceivePort<int>>();
    for (int i = 0; i < 6; ++i) port->send_port().Send(int(i));
    port->ListenBatch([calls, raw = port.get()](int, bool) {
      if (++*calls == 3) raw->Close();
    });
    while (port->is_open()) co_await Delay(Duration(0));
    co_return *calls;
  });
  EXPECT_EQ(got.Get(), 3);
}

TEST(BatchTest, TakingABatch) {
  ReceivePort<std::unique_ptr<int>> port;
  for (int i = 0; i < 5; ++i) port.send_port().Send(std::make_unique<int>(i));
  std::vector<std::unique_ptr<int>> batch;
  EXPECT_EQ(port.TryReceiveBatch(batch, 3), 3U);
  EXPECT_EQ(port.TryReceiveBatch(batch, 3), 2U);
  EXPECT_EQ(port.TryReceiveBatch(batch, 3), 0U);
  EXPECT_EQ(*batch[4], 4);
}

}  // namespace
}  // namespace isolates
