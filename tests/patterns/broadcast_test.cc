// Broadcast: everybody who has subscribed gets the message.

#include "isolates/broadcast.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

TEST(BroadcastTest, CopiesAreTheSameBroadcastAndAMovedOneIsEmpty) {
  ReceivePort<int> port;
  Broadcast<int> numbers;
  const Broadcast<int> copy(numbers);
  EXPECT_EQ(copy, numbers);
  EXPECT_FALSE(copy == Broadcast<int>());
  copy.Subscribe(port.send_port());
  EXPECT_EQ(numbers.Send(1).accepted, 1U);
  const Broadcast<int> moved(std::move(numbers));
  EXPECT_EQ(moved.Send(2).accepted, 1U);
  EXPECT_THROW(numbers.Send(3), StateError);  // NOLINT(bugprone-use-after-move): says so
  EXPECT_EQ(port.TryReceive(), 1);
  EXPECT_EQ(port.TryReceive(), 2);
}

TEST(BroadcastTest, WhatMayNotBeSentGoesToNobody) {
  ReceivePort<std::string_view> a;
  ReceivePort<std::string_view> b;
  const Broadcast<std::string_view> views;
  views.Subscribe(a.send_port());
  views.Subscribe(b.send_port());
  const char local[] = "on this stack";
  EXPECT_THROW(views.Send(std::string_view(local)), TransferError);
  EXPECT_EQ(views.Send("constant").accepted, 2U);
  EXPECT_EQ(a.TryReceive(), "constant");
  EXPECT_EQ(b.TryReceive(), "constant");
}

TEST(BroadcastTest, ManySubscribersComeAndGo) {
  const Broadcast<int> numbers;
  ReceivePort<int> stays;
  numbers.Subscribe(stays.send_port());
  for (int round = 0; round < 5; ++round) {
    std::vector<ReceivePort<int>> ports(40);
    for (const auto& port : ports) numbers.Subscribe(port.send_port());
    EXPECT_EQ(numbers.subscribers(), 41U);
    EXPECT_EQ(numbers.Send(round).accepted, 41U);
    ports.resize(20);
    const BroadcastResult result = numbers.Send(round);
    EXPECT_EQ(result.accepted, 21U);
    EXPECT_EQ(result.closed, 20U);
  }
  EXPECT_EQ(numbers.subscribers(), 1U);
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(stays.TryReceive(), round);
    EXPECT_EQ(stays.TryReceive(), round);
  }
}

}  // namespace
}  // namespace isolates
