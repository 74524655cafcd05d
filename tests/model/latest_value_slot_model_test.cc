// LatestValueSlot: each value has one owner, the newest is never left unannounced, and a close
// divides all sends (rules L1 to L5).
#include <atomic>
#include <string>

#include "isolates/detail/latest_value_slot.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

constexpr int kSenders = 2;
constexpr int kEach = 2;

struct alignas(16) Value {
  rl::var<int> number;
  rl::var<int> ended;  // destroyed: written by whoever owns the value then
};

// The owner closes, or looks now and then as PortHost does: only at a port that is listed.
template <class Atomics, bool kClose, bool kUnlistLate = false>
struct Conflating : rl::test_suite<Conflating<Atomics, kClose, kUnlistLate>, kSenders + 1> {
  using Slot = internal::LatestValueSlot<Atomics, Value>;
  using Duty = typename Slot::Duty;

  Slot slot;
  Value values[kSenders][kEach];
  RelacyAtomics::Atomic<int> listed{0};
  RelacyAtomics::Atomic<int> gone{0};  // values that somebody destroyed or that were refused

  void before() {
    for (auto& row : values) {
      for (Value& value : row) value.ended(RL_INFO) = 0;
    }
  }
  void Destroy(Value* value) {
    RL_ASSERT(value->ended(RL_INFO) == 0);
    value->ended(RL_INFO) = value->number(RL_INFO);
    gone.fetch_add(1, std::memory_order_relaxed);
  }
  void thread(unsigned index) {
    if (index < kSenders) {
      for (int i = 0; i < kEach; ++i) {
        Value* value = &values[index][i];
        value->number(RL_INFO) = i + 1;
        const auto published = slot.Publish(value);
        if (!published.accepted) {
          Destroy(value);
          continue;
        }
        if (published.duty == Duty::kList) {
          RL_ASSERT(listed.exchange(1, std::memory_order_acq_rel) == 0);
        }
        if (published.replaced != nullptr) Destroy(published.replaced);
      }
      return;
    }
    if (kClose) {
      if (Value* value = slot.Take()) Destroy(value);
      if (Value* value = slot.Close()) Destroy(value);
      return;
    }
    for (int look = 0; look < 3; ++look) {
      if (listed.exchange(0, std::memory_order_acq_rel) == 0) continue;
      if (!kUnlistLate) slot.Unlist();
      if (Value* value = slot.Take()) Destroy(value);
      if (kUnlistLate) slot.Unlist();
    }
  }
  // All have ended: a value that nobody has taken must be announced (L4).
  void after() {
    const bool left = slot.HasValue();
    RL_ASSERT(gone.load(std::memory_order_relaxed) + (left ? 1 : 0) == kSenders * kEach);
    RL_ASSERT(!left || listed.load(std::memory_order_relaxed) == 1);
  }
};

// Nothing is published, nothing is acquired.
struct RelaxedPublish {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    bool compare_exchange_weak(T& expected, T value, std::memory_order, std::memory_order) {
      return model::Atomic<T>::compare_exchange_weak(expected, value, std::memory_order_relaxed,
                                                     std::memory_order_relaxed);
    }
  };
};

TEST(LatestValueSlotModel, EachValueHasOneOwnerAndACloseDividesAllSends) {
  std::string report;
  EXPECT_TRUE((Simulate<Conflating<RelacyAtomics, true>>(&report, 100'000))) << report;
}
TEST(LatestValueSlotModel, NoValueStaysBehindUnannounced) {
  std::string report;
  EXPECT_TRUE((Simulate<Conflating<RelacyAtomics, false>>(&report, 100'000))) << report;
}
TEST(LatestValueSlotModel, FindsAnUnlistAfterTheLook) {
  std::string report;
  EXPECT_FALSE((Simulate<Conflating<RelacyAtomics, false, true>>(&report)));
}
TEST(LatestValueSlotModel, FindsAPublishWithoutOrder) {
  std::string report;
  EXPECT_FALSE((Simulate<Conflating<RelaxedPublish, true>>(&report)));
}

}  // namespace
}  // namespace isolates::model
