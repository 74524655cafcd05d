// SendToAll: one frozen value for many ports.

#include "isolates/send_to_all.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "isolates/frozen.h"
#include "isolates/port.h"

namespace isolates {
namespace {

using Text = Frozen<std::string>;

static_assert(!Freezable<SendPort<int>>);

TEST(SendToAllTest, EveryPortGetsTheSameValue) {
  std::array<ReceivePort<Text>, 3> ports;
  std::vector<SendPort<Text>> senders;
  for (const auto& port : ports) senders.push_back(port.send_port());
  const Text text = Freeze(std::string(1000, 'x'));
  EXPECT_EQ(SendToAll(senders, text), 3U);
  for (auto& port : ports) {
    const auto received = port.TryReceive();
    ASSERT_TRUE(received.has_value());
    EXPECT_EQ(*received, text);
    EXPECT_EQ(&received->get(), &text.get());
  }
}

TEST(SendToAllTest, ClosedPortsAreNotCounted) {
  ReceivePort<Text> open;
  ReceivePort<Text> closed;
  const std::array<SendPort<Text>, 2> senders{closed.send_port(), open.send_port()};
  closed.Close();
  EXPECT_EQ(SendToAll(senders, Freeze(std::string("text"))), 1U);
  EXPECT_TRUE(open.TryReceive().has_value());
  EXPECT_EQ(SendToAll(std::vector<SendPort<Text>>(), Freeze(std::string("text"))), 0U);
}

TEST(SendToAllTest, AnUnconnectedPortIsNoticedBeforeAnythingIsSent) {
  ReceivePort<Text> port;
  const std::vector<SendPort<Text>> senders{port.send_port(), SendPort<Text>()};
  EXPECT_THROW((void)SendToAll(senders, Freeze(std::string("text"))), StateError);
  EXPECT_FALSE(port.TryReceive().has_value());
}

}  // namespace
}  // namespace isolates
