// EnvelopePool: no block belongs to two at once, and what was done with it before is visible to who
// gets it (rules B1 and B2).
#include <atomic>
#include <string>

#include "src/port/envelope_pool.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

constexpr int kBlocks = 4;

struct Block : internal::FreeBlock {
  rl::var<int> user;  // two users at once race
};

// The owner keeps the blocks of messages that it has received; two senders take them.
template <class Atomics>
struct Reusing : rl::test_suite<Reusing<Atomics>, 3> {
  internal::EnvelopePool<Atomics, 2, 3> pool;
  Block blocks[kBlocks];
  RelacyAtomics::Atomic<int> taken[kBlocks];
  int refused = 0;

  void before() {
    for (auto& count : taken) count.store(0, std::memory_order_relaxed);
  }
  void Count(internal::FreeBlock* chain) {
    for (; chain != nullptr; chain = chain->next) {
      auto& block = static_cast<Block&>(*chain);
      block.user(RL_INFO) = block.user(RL_INFO) + 1;
      RL_ASSERT(taken[&block - blocks].fetch_add(1, std::memory_order_relaxed) == 0);
    }
  }
  void thread(unsigned index) {
    if (index == 0) {
      for (Block& block : blocks) {
        block.user(RL_INFO) = 0;
        if (!pool.Keep(&block)) Count(Alone(block));
      }
      return;
    }
    for (int i = 0; i < 2; ++i) {
      internal::FreeBlock* const chain = pool.TakeAll();
      RL_ASSERT(chain == nullptr || chain->next == nullptr || chain->next->next == nullptr);
      Count(chain);
    }
  }
  static internal::FreeBlock* Alone(Block& block) {
    block.next = nullptr;
    return &block;
  }
  void after() {
    Count(pool.TakeAll());
    Count(pool.TakeKept());
    for (auto& count : taken) RL_ASSERT(count.load(std::memory_order_relaxed) == 1);
  }
};

// Broken twin: the slot is emptied in two steps.
struct TwoStepExchange {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T exchange(T value, std::memory_order) {
      const T before = model::Atomic<T>::load(std::memory_order_acquire);
      model::Atomic<T>::store(value, std::memory_order_relaxed);
      return before;
    }
  };
};

// Broken twin: the chain is not published.
struct RelaxedStore {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    void store(T value, std::memory_order) {
      model::Atomic<T>::store(value, std::memory_order_relaxed);
    }
  };
};

TEST(EnvelopePoolModel, EachBlockHasOneUser) {
  std::string report;
  EXPECT_TRUE(Simulate<Reusing<RelacyAtomics>>(&report, 100'000)) << report;
}
TEST(EnvelopePoolModel, FindsATakeInTwoSteps) {
  std::string report;
  EXPECT_FALSE(Simulate<Reusing<TwoStepExchange>>(&report));
}
TEST(EnvelopePoolModel, FindsAChainThatIsNotPublished) {
  std::string report;
  EXPECT_FALSE(Simulate<Reusing<RelaxedStore>>(&report));
}

}  // namespace
}  // namespace isolates::model
