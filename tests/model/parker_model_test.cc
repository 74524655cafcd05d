// BasicParker: no wake-up is lost, and what a waker did before is seen (rules P1 to P3).
#include <atomic>
#include <cstdint>
#include <string>

#include "isolates/detail/parker.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

// Two threads each set a flag and wake the owner, which sleeps until it has seen both. The flags
// are read relaxed: that the owner sees them rests on the parker alone.
template <class Atomics, class Futex>
struct TwoWakers : rl::test_suite<TwoWakers<Atomics, Futex>, 3> {
  internal::BasicParker<Atomics, Futex> parker;
  RelacyAtomics::Atomic<int> flags[2];
  rl::var<int> values[2];

  void before() {
    for (int i = 0; i < 2; ++i) {
      flags[i].store(0, std::memory_order_relaxed);
      values[i](RL_INFO) = 0;
    }
  }
  void thread(unsigned index) {
    if (index != 0) {
      values[index - 1](RL_INFO) = 1;
      flags[index - 1].store(1, std::memory_order_relaxed);
      parker.Unpark();
      return;
    }
    while (flags[0].load(std::memory_order_relaxed) == 0 ||
           flags[1].load(std::memory_order_relaxed) == 0) {
      parker.Park();
    }
  }
};

// One waker. The owner gives up waiting now and then; the token must not get lost by that.
template <class Atomics, class Futex>
struct TimedPark : rl::test_suite<TimedPark<Atomics, Futex>, 2> {
  internal::BasicParker<Atomics, Futex> parker;
  rl::var<int> value;

  void before() { value(RL_INFO) = 0; }
  void thread(unsigned index) {
    if (index != 0) {
      value(RL_INFO) = 1;
      parker.Unpark();
      return;
    }
    if (!parker.Park(TimePoint::min())) RL_ASSERT(parker.Park());
    RL_ASSERT(value(RL_INFO) == 1);
  }
};

// --- broken twins
// ---------------------------------------------------------------------------------

// Unpark does not publish.
struct RelaxedUnpark {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T exchange(T value, std::memory_order order) {
      if (order == std::memory_order_release) order = std::memory_order_relaxed;
      return model::Atomic<T>::exchange(value, order);
    }
  };
};

// After the failed attempt to sleep, the token is taken by a store: what the parker did at first.
struct StoreForToken {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    bool compare_exchange_strong(T& expected, T value, std::memory_order success,
                                 std::memory_order) {
      failed = !model::Atomic<T>::compare_exchange_strong(expected, value, success,
                                                          std::memory_order_acquire);
      return !failed;
    }
    T exchange(T value, std::memory_order order) {
      if (order == std::memory_order_acquire && failed) {
        failed = false;
        model::Atomic<T>::store(value, std::memory_order_relaxed);
        return value;
      }
      return model::Atomic<T>::exchange(value, order);
    }
    bool failed = false;  // the owner only
  };
};

struct DeafFutex : RelacyFutex {
  template <class Word>
  static void WakeOne(Word&) {}
};

TEST(ParkerModel, NoWakeUpIsLost) {
  std::string report;
  EXPECT_TRUE((Simulate<TwoWakers<RelacyAtomics, RelacyFutex>>(&report, 200'000))) << report;
}
TEST(ParkerModel, DeadlineLosesNoToken) {
  std::string report;
  EXPECT_TRUE((Simulate<TimedPark<RelacyAtomics, RelacyFutex>>(&report, 100'000))) << report;
}
TEST(ParkerModel, FindsAnUnparkThatDoesNotPublish) {
  std::string report;
  EXPECT_FALSE((Simulate<TimedPark<RelaxedUnpark, RelacyFutex>>(&report)));
  EXPECT_NE(report.find("DATA RACE"), std::string::npos) << report;
}
TEST(ParkerModel, FindsAStoreThatWipesOutAToken) {
  std::string report;
  EXPECT_FALSE((Simulate<TwoWakers<StoreForToken, RelacyFutex>>(&report, 200'000)));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
}
TEST(ParkerModel, FindsAMissingWake) {
  std::string report;
  EXPECT_FALSE((Simulate<TwoWakers<RelacyAtomics, DeafFutex>>(&report)));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
}

}  // namespace
}  // namespace isolates::model
