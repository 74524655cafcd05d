// Simulations: the same seed gives the same steps, other seeds other orders; time is logical;
// blocking works; what waits for ever is told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Three senders, delays, a parcel, a blocking Get: the order of arrival is the outcome.
std::vector<int> Outcome(std::uint64_t seed, SimulationReport& report) {
  std::vector<int> order;
  report = Simulate(seed, [&order]() -> Task<void> {
    ReceivePort<int> port;
    for (int sender = 0; sender < 3; ++sender) {
      Isolate::Spawn(
          [](std::pair<SendPort<int>, int> given) -> Task<void> {
            for (int i = 0; i < 3; ++i) {
              given.first.Send(10 * given.second + i);
              if (i == 1) co_await Delay(std::chrono::milliseconds(given.second));
            }
          },
          std::pair(port.send_port(), sender))
          .Get();
    }
    auto parcel = Isolate::RunParcel([] { return std::vector<std::string>(50, "text"); });
    for (int i = 0; i < 9; ++i) order.push_back(*co_await port.Receive());
    order.push_back(static_cast<int>((co_await parcel)->size()));
    order.push_back(co_await Isolate::Run([] { return Isolate::Run([] { return 7; }).Get(); }));
  });
  return order;
}

TEST(SimulationTest, TheSameSeedTakesTheSameSteps) {
  std::set<std::vector<int>> outcomes;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimulationReport first;
    SimulationReport second;
    const std::vector<int> order = Outcome(seed, first);
    EXPECT_EQ(Outcome(seed, second), order) << "seed " << seed;
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
    EXPECT_THAT(first.waiting, IsEmpty());
    EXPECT_EQ(first.time, std::chrono::milliseconds(2));
    outcomes.insert(order);
  }
  EXPECT_GT(outcomes.size(), 4U);
}

TEST(SimulationTest, TimePassesAtOnce) {
  const SimulationReport report = Simulate(1, []() -> Task<void> {
    co_await Delay(std::chrono::hours(1000));
    ReceivePort<int> nobody;
    EXPECT_THROW(nobody.Receive(std::chrono::hours(24)).has_value(), TimeoutError);
  });
  EXPECT_EQ(report.time, std::chrono::hours(1024));
}

TEST(SimulationTest, IsolatesThatBlockOnEachOtherGoOn) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    int result = 0;
    Simulate(seed, [&result] {
      ReceivePort<SendPort<SendPort<int>>> ports;
      auto first = Isolate::Run(
          [](SendPort<SendPort<SendPort<int>>> out) {
            ReceivePort<SendPort<int>> port;
            out.Send(port.send_port());
            port.Receive(kForever)->Send(7);
            return 1;
          },
          ports.send_port());
      auto second = Isolate::Run(
          [](SendPort<SendPort<int>> other) {
            ReceivePort<int> port;
            other.Send(port.send_port());
            return *port.Receive(kForever);
          },
          *ports.Receive(kForever));
      result = first.Get() + second.Get();
    });
    EXPECT_EQ(result, 8);
  }
}

TEST(SimulationTest, WhatWaitsForEverIsTold) {
  bool unwound = false;
  const SimulationReport report = Simulate(3, [&unwound]() -> Task<void> {
    const std::shared_ptr<void> witness(nullptr, [&unwound](void*) { unwound = true; });
    Isolate::Spawn(
        [](int) {
          ReceivePort<int> never("never");
          never.Receive(kForever).has_value();
        },
        0, SpawnOptions().DebugName("stuck"))
        .Get();
    ReceivePort<int> nobody_sends("nobody_sends");
    co_await nobody_sends.Receive();
  });
  EXPECT_THAT(
      report.waiting,
      testing::ElementsAre("isolate 'main' (idle), kept alive by port 'nobody_sends'",
                           "isolate 'stuck' (blocked), kept alive by a wait for a message on port "
                           "'never'"));
  EXPECT_TRUE(unwound);
}

TEST(SimulationTest, ErrorsOfMainAreThrown) {
  EXPECT_THROW(Simulate(1, [] { throw std::runtime_error("no"); }), RemoteError);
  EXPECT_THROW(
      Simulate(
          1, []() -> Task<void> { co_await Isolate::Run([] { throw std::runtime_error("no"); }); }),
      RemoteError);
}

TEST(SimulationTest, ALoopWithoutEndIsALimit) {
  EXPECT_THROW(Simulate(SimulationOptions(1).MaxSteps(1000),
                        []() -> Task<void> {
                          for (;;) co_await Delay(Duration(1));
                        }),
               LimitError);
}

TEST(SimulationTest, NotInsideOfAnIsolate) {
  EXPECT_THROW(Isolate::Run([] { Simulate(1, [] {}); }).Get(), RemoteError);
  EXPECT_THROW(Simulate(1, [] { Simulate(1, [] {}); }), RemoteError);
  EXPECT_THROW(Simulate(SimulationOptions(1).MaxEventsInATurn(0), [] {}), StateError);
}

// The runtime is untouched: an isolate's thread may simulate and then use the runtime.
TEST(SimulationTest, TheRuntimeGoesOnAfterwards) {
  ReceivePort<int> port;
  Simulate(1, [] {});
  EXPECT_EQ(Isolate::Run([] { return 3; }).Get(), 3);
  port.send_port().Send(4);
  EXPECT_EQ(port.Receive(kForever), 4);
}

}  // namespace
}  // namespace isolates
