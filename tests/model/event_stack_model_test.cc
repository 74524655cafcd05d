// EventStack: every node arrives once, whole, and in the order of its pusher (rules E1 to E3).
#include <atomic>
#include <string>

#include "isolates/detail/event_node.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

constexpr int kPushers = 2;
constexpr int kNodesEach = 2;

struct Node {
  Node* next_event = nullptr;
  rl::var<int> number;  // written by the pusher: a race is reported if the owner may not read it
  int pusher = 0;
  int taken = 0;  // how often
};

template <class Atomics>
struct PushAndTake : rl::test_suite<PushAndTake<Atomics>, kPushers + 1> {
  internal::EventStack<Node, Atomics> stack;
  Node nodes[kPushers][kNodesEach];
  int last[kPushers] = {-1, -1};

  void Take() {
    for (Node* node = stack.TakeAll(); node != nullptr;) {
      Node* const next = node->next_event;
      const int number = node->number(RL_INFO);
      RL_ASSERT(number > last[node->pusher]);
      last[node->pusher] = number;
      RL_ASSERT(++node->taken == 1);
      node = next;
    }
  }
  void thread(unsigned index) {
    if (index == kPushers) {
      Take();
      Take();
      return;
    }
    for (int i = 0; i < kNodesEach; ++i) {
      Node& node = nodes[index][i];
      node.pusher = static_cast<int>(index);
      node.number(RL_INFO) = i;
      stack.Push(&node);
    }
  }
  void after() {
    Take();
    for (auto& of_pusher : nodes) {
      for (Node& node : of_pusher) RL_ASSERT(node.taken == 1);
    }
  }
};

// --- broken twins
// ---------------------------------------------------------------------------------

// Push does not publish the node.
struct RelaxedPush {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    bool compare_exchange_weak(T& expected, T value, std::memory_order, std::memory_order failure) {
      return model::Atomic<T>::compare_exchange_weak(expected, value, std::memory_order_relaxed,
                                                     failure);
    }
  };
};

// TakeAll empties the stack in two steps.
struct TwoStepTake {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T exchange(T value, std::memory_order) {
      const T before = model::Atomic<T>::load(std::memory_order_acquire);
      model::Atomic<T>::store(value, std::memory_order_release);
      return before;
    }
  };
};

TEST(EventStackModel, EveryNodeArrivesOnceAndInOrder) {
  std::string report;
  EXPECT_TRUE(Simulate<PushAndTake<RelacyAtomics>>(&report, 300'000)) << report;
}
TEST(EventStackModel, FindsAPushThatDoesNotPublish) {
  std::string report;
  EXPECT_FALSE(Simulate<PushAndTake<RelaxedPush>>(&report));
  EXPECT_NE(report.find("DATA RACE"), std::string::npos) << report;
}
TEST(EventStackModel, FindsATakeInTwoSteps) {
  std::string report;
  EXPECT_FALSE(Simulate<PushAndTake<TwoStepTake>>(&report));
  EXPECT_NE(report.find("ASSERT"), std::string::npos) << report;
}

}  // namespace
}  // namespace isolates::model
