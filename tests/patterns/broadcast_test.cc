// Broadcast: everybody who has subscribed gets the message.

#include "isolates/broadcast.h"

#include <gtest/gtest.h>

#include <string>

#include "isolates/isolates.h"
#include "tests/patterns/scenarios.h"

namespace isolates {
namespace {

using Text = Frozen<std::string>;

TEST(BroadcastTest, EverySubscriberGetsTheSameFrozenValue) {
  ReceivePort<Text> a;
  ReceivePort<Text> b;
  const Broadcast<Text> texts;
  EXPECT_TRUE(texts.Subscribe(a.send_port()));
  EXPECT_FALSE(texts.Subscribe(a.send_port()));
  EXPECT_TRUE(texts.Subscribe(b.send_port()));
  const Text text = Freeze(std::string(1000, 'x'));
  EXPECT_EQ(texts.Send(text).accepted, 2U);
  EXPECT_EQ(a.TryReceive(), text);
  EXPECT_EQ(b.TryReceive(), text);
}

TEST(BroadcastTest, ClosedSubscribersDropOut) {
  ReceivePort<std::string> a;
  ReceivePort<std::string> b;
  const Broadcast<std::string> texts;
  texts.Subscribe(a.send_port());
  texts.Subscribe(b.send_port());
  a.Close();
  EXPECT_EQ(texts.subscribers(), 1U);
  BroadcastResult result = texts.Send("one");
  EXPECT_EQ(result.accepted, 1U);
  EXPECT_EQ(result.closed, 1U);
  result = texts.Send("two");
  EXPECT_EQ(result.accepted, 1U);
  EXPECT_EQ(result.closed, 0U);
  EXPECT_TRUE(texts.Unsubscribe(b.send_port()));
  EXPECT_FALSE(texts.Unsubscribe(b.send_port()));
  EXPECT_EQ(texts.Send("three").accepted, 0U);
}

TEST(BroadcastTest, AnyIsolateMaySubscribeAndSend) {
  ReceivePort<int> port;
  const Broadcast<int> numbers;
  Isolate::Run([](Broadcast<int> to, SendPort<int> out) { to.Subscribe(out); }, numbers,
               port.send_port())
      .Get();
  Isolate::Run([](Broadcast<int> to) { to.Send(3); }, numbers).Get();
  EXPECT_EQ(port.TryReceive(), 3);
}

TEST(BroadcastTest, SubscribersComeWhileOthersSend) { BroadcastToMany(8, 100); }

TEST(BroadcastTest, AnUnconnectedPortIsAStateError) {
  EXPECT_THROW(Broadcast<int>().Subscribe(SendPort<int>()), StateError);
}

}  // namespace
}  // namespace isolates
