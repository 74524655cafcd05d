// Names for ports.

#include "isolates/port_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

TEST(PortRegistryTest, ANameLeadsToThePort) {
  ReceivePort<int> port;
  ReceivePort<int> other;
  EXPECT_TRUE(RegisterPort("test.numbers", port.send_port()));
  EXPECT_FALSE(RegisterPort("test.numbers", other.send_port()));
  Isolate::Run([] { LookupPort<int>("test.numbers")->Send(5); }).Get();
  EXPECT_EQ(port.TryReceive(), 5);
  EXPECT_TRUE(UnregisterPort("test.numbers"));
  EXPECT_FALSE(UnregisterPort("test.numbers"));
  EXPECT_FALSE(LookupPort<int>("test.numbers").has_value());
}

TEST(PortRegistryTest, TheWrongTypeIsNamed) {
  const ReceivePort<int> port;
  EXPECT_TRUE(RegisterPort("test.typed", port.send_port()));
  try {
    (void)LookupPort<double>("test.typed");
    ADD_FAILURE() << "no error";
  } catch (const StateError& error) {
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("int"), testing::HasSubstr("double")));
  }
}

TEST(PortRegistryTest, AClosedPortDropsOut) {
  {
    const ReceivePort<int> port;
    EXPECT_TRUE(RegisterPort("test.closed", port.send_port()));
  }
  EXPECT_FALSE(LookupPort<double>("test.closed").has_value());
  const ReceivePort<int> next;
  EXPECT_TRUE(RegisterPort("test.closed", next.send_port()));
  EXPECT_THROW((void)RegisterPort("test.empty", SendPort<int>()), StateError);
}

TEST(PortRegistryTest, APortMayHaveSeveralNames) {
  ReceivePort<int> port;
  EXPECT_TRUE(RegisterPort("test.first", port.send_port()));
  EXPECT_TRUE(RegisterPort("test.second", port.send_port()));
  EXPECT_EQ(LookupPort<int>("test.first"), LookupPort<int>("test.second"));
  EXPECT_TRUE(UnregisterPort("test.first"));
  EXPECT_FALSE(LookupPort<int>("test.first").has_value());
  LookupPort<int>("test.second")->Send(1);
  EXPECT_EQ(port.TryReceive(), 1);
  port.Close();
  EXPECT_FALSE(LookupPort<int>("test.second").has_value());
  EXPECT_FALSE(UnregisterPort("test.second"));
}

Task<bool> TryForTheName(SendPort<bool> done) {
  ReceivePort<int> port;
  const bool won = RegisterPort("test.contended", port.send_port());
  done.Send(won);
  if (won) co_await port.Receive();  // until it is told that all have tried
  co_return won;
}

TEST(PortRegistryTest, OneOfManyGetsTheName) {
  for (int round = 0; round < 20; ++round) {
    ReceivePort<bool> done;
    std::vector<Future<bool>> tries;
    for (int i = 0; i < 8; ++i) tries.push_back(Isolate::Run(TryForTheName, done.send_port()));
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(done.Receive(kForever).has_value());
    LookupPort<int>("test.contended")->Send(1);
    int winners = 0;
    for (auto& one : tries) winners += one.Get() ? 1 : 0;
    EXPECT_EQ(winners, 1);
    EXPECT_FALSE(LookupPort<int>("test.contended").has_value());
  }
}

TEST(PortRegistryTest, TheNameOfAKilledIsolatesPortIsFree) {
  ReceivePort<bool> done;
  const Isolate isolate = Isolate::Spawn(
                              [](SendPort<bool> out) -> Task<> {
                                ReceivePort<int> port;
                                out.Send(RegisterPort("test.killed", port.send_port()));
                                co_await port.Receive();
                              },
                              done.send_port())
                              .Get();
  EXPECT_EQ(done.Receive(kForever), true);
  EXPECT_TRUE(LookupPort<int>("test.killed").has_value());
  isolate.Kill();
  isolate.Ended().Get();
  EXPECT_FALSE(LookupPort<int>("test.killed").has_value());
  const ReceivePort<int> next;
  EXPECT_TRUE(RegisterPort("test.killed", next.send_port()));
}

}  // namespace
}  // namespace isolates
