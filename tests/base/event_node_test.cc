#include "isolates/detail/event_node.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace isolates::internal {
namespace {

struct Node {
  explicit Node(int node_value, int node_producer = 0)
      : value(node_value), producer(node_producer) {}
  int value;
  int producer;
  Node* next_event = nullptr;
};

std::vector<int> ValuesOf(Node* chain) {
  std::vector<int> values;
  for (; chain != nullptr; chain = chain->next_event) values.push_back(chain->value);
  return values;
}

TEST(EventStackTest, EmptyStackGivesNothing) {
  EventStack<Node> stack;
  EXPECT_EQ(stack.TakeAll(), nullptr);
}

TEST(EventStackTest, TakeAllGivesTheNodesInTheOrderOfThePushes) {
  EventStack<Node> stack;
  Node first(1);
  Node second(2);
  Node third(3);
  stack.Push(&first);
  stack.Push(&second);
  stack.Push(&third);
  EXPECT_EQ(ValuesOf(stack.TakeAll()), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(stack.TakeAll(), nullptr);
  stack.Push(&second);
  EXPECT_EQ(ValuesOf(stack.TakeAll()), std::vector<int>{2});
}

TEST(EventListTest, PopFrontGivesWhatWasAppendedFirst) {
  EventList<Node> list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.PopFront(), nullptr);
  Node first(1);
  Node second(2);
  list.Append(&first);
  list.Append(&second);
  EXPECT_EQ(list.PopFront(), &first);
  list.Append(&first);
  EXPECT_EQ(list.PopFront(), &second);
  EXPECT_EQ(list.PopFront(), &first);
  EXPECT_TRUE(list.empty());
}

TEST(EventListTest, AppendChainKeepsTheOrder) {
  EventStack<Node> stack;
  EventList<Node> list;
  Node zero(0);
  Node one(1);
  Node two(2);
  list.Append(&zero);
  stack.Push(&one);
  stack.Push(&two);
  list.AppendChain(stack.TakeAll());
  list.AppendChain(stack.TakeAll());
  EXPECT_EQ(list.PopFront(), &zero);
  EXPECT_EQ(list.PopFront(), &one);
  EXPECT_EQ(list.PopFront(), &two);
  EXPECT_EQ(list.PopFront(), nullptr);
}

TEST(EventStackTest, EachPushersOrderIsKeptUnderContention) {
  constexpr int kPushers = 3;
  constexpr int kEach = 20000;
  EventStack<Node> stack;
  std::vector<std::vector<Node>> nodes(kPushers);
  for (int p = 0; p < kPushers; ++p) {
    nodes[p].reserve(kEach);
    for (int i = 0; i < kEach; ++i) nodes[p].emplace_back(i, p);
  }
  std::vector<std::thread> pushers;
  for (int p = 0; p < kPushers; ++p) {
    pushers.emplace_back([&, p] {
      for (Node& node : nodes[p]) stack.Push(&node);
    });
  }
  std::vector<int> next(kPushers, 0);
  for (int taken = 0; taken < kPushers * kEach;) {
    Node* chain = stack.TakeAll();
    if (chain == nullptr) std::this_thread::yield();
    while (chain != nullptr) {
      ASSERT_EQ(chain->value, next[chain->producer]++);
      ++taken;
      chain = chain->next_event;
    }
  }
  for (auto& pusher : pushers) pusher.join();
}

}  // namespace
}  // namespace isolates::internal
