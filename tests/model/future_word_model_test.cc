// FutureWord: the result is seen whole, and a consumer is told exactly once (rules F1 to F4).
#include <atomic>
#include <string>

#include "isolates/detail/future_word.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

// What both suites share: the result, and whom to tell, as FutureState has them. `told` counts the
// events that each isolate got.
template <class Atomics, class Futex>
struct ModelFuture {
  internal::FutureWord<Atomics, Futex> word;
  rl::var<int> result;
  rl::var<int> target;  // an isolate's number
  RelacyAtomics::Atomic<int> told[2];

  ModelFuture() {
    for (auto& count : told) count.store(0, std::memory_order_relaxed);
  }
  void Produce() {
    result(RL_INFO) = 1;
    if (word.Finish()) told[target(RL_INFO)].fetch_add(1, std::memory_order_relaxed);
  }
  bool Register(int isolate) {
    target(RL_INFO) = isolate;
    return word.Register();
  }
  int Told() const {
    return told[0].load(std::memory_order_relaxed) + told[1].load(std::memory_order_relaxed);
  }
};

// The consumer registers in one isolate, moves to another and registers there.
template <class Atomics>
struct Registers : rl::test_suite<Registers<Atomics>, 2> {
  ModelFuture<Atomics, RelacyFutex> future;
  int expected[2] = {0, 0};

  void thread(unsigned index) {
    if (index == 0) {
      future.Produce();
      return;
    }
    if (!future.Register(0)) {
      RL_ASSERT(future.result(RL_INFO) == 1);
    } else if (!future.word.TakeBack()) {
      RL_ASSERT(future.result(RL_INFO) == 1);
      expected[0] = 1;
    } else if (!future.Register(1)) {
      RL_ASSERT(future.result(RL_INFO) == 1);
    } else {
      expected[1] = 1;
    }
  }
  void after() {
    for (int i = 0; i < 2; ++i) {
      RL_ASSERT(future.told[i].load(std::memory_order_relaxed) == expected[i]);
    }
  }
};

// The consumer sleeps on the word; first with a deadline, then for as long as it takes.
template <class Atomics, class Futex>
struct Sleeps : rl::test_suite<Sleeps<Atomics, Futex>, 2> {
  ModelFuture<Atomics, Futex> future;

  void thread(unsigned index) {
    if (index == 0) {
      future.Produce();
      return;
    }
    future.word.Block(TimePoint::min());
    future.word.Block(TimePoint::max());
    RL_ASSERT(future.word.done());
    RL_ASSERT(future.result(RL_INFO) == 1);
  }
  void after() { RL_ASSERT(future.Told() == 0); }
};

// --- broken twins
// ---------------------------------------------------------------------------------

template <std::memory_order kOrder>
struct WeakFlags {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T fetch_or(T value, std::memory_order) { return model::Atomic<T>::fetch_or(value, kOrder); }
  };
};

// Bits are set in two steps.
struct TwoStepFlags {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T fetch_or(T value, std::memory_order) {
      const T before = model::Atomic<T>::load(std::memory_order_acquire);
      model::Atomic<T>::store(before | value, std::memory_order_release);
      return before;
    }
  };
};

struct DeafFutex : RelacyFutex {
  template <class Word>
  static void WakeAll(Word&) {}
};

TEST(FutureWordModel, AConsumerIsToldOnceAndSeesTheResult) {
  std::string report;
  EXPECT_TRUE(Simulate<Registers<RelacyAtomics>>(&report, 300'000)) << report;
}
TEST(FutureWordModel, ASleepingThreadIsWoken) {
  std::string report;
  EXPECT_TRUE((Simulate<Sleeps<RelacyAtomics, RelacyFutex>>(&report, 300'000))) << report;
}
TEST(FutureWordModel, FindsWeakOrders) {
  std::string report;
  EXPECT_FALSE(Simulate<Registers<WeakFlags<std::memory_order_release>>>(&report));
  EXPECT_NE(report.find("DATA RACE"), std::string::npos) << report;
  EXPECT_FALSE(Simulate<Registers<WeakFlags<std::memory_order_acquire>>>(&report));
  EXPECT_NE(report.find("DATA RACE"), std::string::npos) << report;
}
TEST(FutureWordModel, FindsARegistrationInTwoSteps) {
  std::string report;
  EXPECT_FALSE(Simulate<Registers<TwoStepFlags>>(&report));
}
TEST(FutureWordModel, FindsAMissingWake) {
  std::string report;
  EXPECT_FALSE((Simulate<Sleeps<RelacyAtomics, DeafFutex>>(&report)));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
}

}  // namespace
}  // namespace isolates::model
