// Names for ports.

#include "isolates/port_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

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

}  // namespace
}  // namespace isolates
