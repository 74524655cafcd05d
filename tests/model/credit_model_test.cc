// Credit: never more is taken than there is, no waiter is left asleep, and a close wakes everybody
// (rules C1 to C5).
#include <atomic>
#include <string>

#include "isolates/detail/parker.h"
#include "src/port/credit.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

struct ModelMutex {
  void lock() { mutex_.lock(RL_INFO); }
  void unlock() { mutex_.unlock(RL_INFO); }
  rl::mutex mutex_;
};

struct ModelWaiter {
  internal::CreditNeed need;
  ModelWaiter* next_waiter = nullptr;
  RelacyAtomics::Atomic<internal::CreditVerdict> verdict{internal::CreditVerdict::kWaits};
  internal::BasicParker<RelacyAtomics, RelacyFutex> parker;
  void AddRef() {}
  void Release() {}
  void Notify() { parker.Unpark(); }
};

// Two senders share room for one message. Each waits for it, uses it, and gives it back.
template <class Atomics>
struct Sharing : rl::test_suite<Sharing<Atomics>, 2> {
  using Box = internal::Credit<Atomics, ModelMutex, ModelWaiter>;
  Box credit{1, Box::kMostBytes};
  ModelWaiter waiters[2];
  rl::var<int> room;  // used by whoever has taken it: two at once race

  void before() { room(RL_INFO) = 0; }
  void thread(unsigned index) {
    ModelWaiter& waiter = waiters[index];
    waiter.need = credit.NeedOf(1);
    if (credit.TakeOrWait(waiter) == Box::Answer::kFull) {
      while (waiter.verdict.load(std::memory_order_acquire) == internal::CreditVerdict::kWaits) {
        waiter.parker.Park();
      }
    }
    room(RL_INFO) = room(RL_INFO) + 1;
    credit.Give(waiter.need);
  }
};

// The port closes while one sender has the room and another waits for it.
template <class Atomics>
struct Closing : rl::test_suite<Closing<Atomics>, 2> {
  using Box = internal::Credit<Atomics, ModelMutex, ModelWaiter>;
  Box credit{1, Box::kMostBytes};
  ModelWaiter waiter;

  void before() { RL_ASSERT(credit.TryTake(credit.NeedOf(1)) == Box::Answer::kTaken); }
  void thread(unsigned index) {
    if (index == 1) {
      credit.Close();
      return;
    }
    waiter.need = credit.NeedOf(1);
    if (credit.TakeOrWait(waiter) != Box::Answer::kFull) return;
    while (waiter.verdict.load(std::memory_order_acquire) == internal::CreditVerdict::kWaits) {
      waiter.parker.Park();
    }
  }
};

// Broken twin: giving does not publish that the room is free.
struct RelaxedGive {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T fetch_sub(T value, std::memory_order) {
      return model::Atomic<T>::fetch_sub(value, std::memory_order_relaxed);
    }
  };
};

// Broken twin: the bit that tells of a waiter is set in two steps, so a Give between them is lost.
struct TwoStepExchange {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    bool compare_exchange_weak(T& expected, T value, std::memory_order, std::memory_order) {
      if (model::Atomic<T>::load(std::memory_order_acquire) != expected) return false;
      model::Atomic<T>::store(value, std::memory_order_release);
      return true;
    }
  };
};

TEST(CreditModel, RoomIsUsedByOneAndNobodyWaitsForEver) {
  std::string report;
  EXPECT_TRUE(Simulate<Sharing<RelacyAtomics>>(&report, 50'000)) << report;
}
TEST(CreditModel, ACloseWakesWhoWaits) {
  std::string report;
  EXPECT_TRUE(Simulate<Closing<RelacyAtomics>>(&report, 50'000)) << report;
}
TEST(CreditModel, FindsAGiveThatDoesNotPublish) {
  std::string report;
  EXPECT_FALSE(Simulate<Sharing<RelaxedGive>>(&report));
}
TEST(CreditModel, FindsAWaiterThatIsAnnouncedInTwoSteps) {
  std::string report;
  EXPECT_FALSE(Simulate<Sharing<TwoStepExchange>>(&report));
}

}  // namespace
}  // namespace isolates::model
