// ReadyQueue: each isolate is taken once, by one worker, with all that was done to it before; those
// of one thread in their order (rules R1 and R2).
#include <atomic>
#include <string>

#include "src/runtime/ready_queue.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

constexpr int kNodes = 3;

struct Node {
  Node* next_event = nullptr;
  int number = 0;
  rl::var<int> work;  // two users at once race
};

// One thread makes ready, two workers take.
template <class Atomics>
struct Taking : rl::test_suite<Taking<Atomics>, 3> {
  internal::ReadyQueue<Node, Atomics> queue;
  Node nodes[kNodes];
  RelacyAtomics::Atomic<int> taken{0};

  void Work(Node* node, int& last) {
    if (node == nullptr) return;
    RL_ASSERT(node->number > last);
    last = node->number;
    node->work(RL_INFO) = node->work(RL_INFO) + 1;
    taken.fetch_add(1, std::memory_order_relaxed);
  }
  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 0; i < kNodes; ++i) {
        nodes[i].number = i + 1;
        nodes[i].work(RL_INFO) = 0;
        queue.Push(&nodes[i]);
      }
      return;
    }
    int last = 0;
    for (int i = 0; i < 2; ++i) Work(queue.TryPop(), last);
  }
  void after() {
    int last = 0;
    for (Node* node = queue.TryPop(); node != nullptr; node = queue.TryPop()) Work(node, last);
    RL_ASSERT(taken.load(std::memory_order_relaxed) == kNodes);
    for (Node& node : nodes) RL_ASSERT(node.work(RL_INFO) == 1);
  }
};

// Broken twin: whoever comes meanwhile takes, too.
struct NoExclusion {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T exchange(T value, std::memory_order order) {
      const T before = model::Atomic<T>::exchange(value, order);
      if constexpr (std::is_same_v<T, bool>) return false;
      return before;
    }
  };
};

// Broken twin: the next worker does not see what this one has done to the list.
struct RelaxedStore {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    void store(T value, std::memory_order) {
      model::Atomic<T>::store(value, std::memory_order_relaxed);
    }
  };
};

TEST(ReadyQueueModel, EachIsTakenOnce) {
  std::string report;
  EXPECT_TRUE(Simulate<Taking<RelacyAtomics>>(&report, 100'000)) << report;
}
TEST(ReadyQueueModel, FindsTwoWorkersAtOnce) {
  std::string report;
  EXPECT_FALSE(Simulate<Taking<NoExclusion>>(&report));
}
TEST(ReadyQueueModel, FindsAListThatIsNotPublished) {
  std::string report;
  EXPECT_FALSE(Simulate<Taking<RelaxedStore>>(&report));
}

}  // namespace
}  // namespace isolates::model
