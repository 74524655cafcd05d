// StopCell: one request counts and is seen whole, and a source is asked to stop (rules S1 and S2).
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>

#include "isolates/detail/isolate_stop.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

// Relacy follows every block of the global operators, but does not know sized deletes.
struct Unfollowed {
  static void* operator new(std::size_t bytes) { return std::malloc(bytes); }
  static void operator delete(void* block) noexcept { std::free(block); }
};
struct ModelRequest : Unfollowed {
  rl::var<int> text;
};
struct ModelSource : Unfollowed {
  RelacyAtomics::Atomic<int> asked{0};
  void request_stop() { asked.store(1, std::memory_order_relaxed); }
};

// Two ask for the stop; one takes the source and looks at the request.
template <class Atomics>
struct Stops : rl::test_suite<Stops<Atomics>, 3> {
  struct Cell : Unfollowed, internal::StopCell<ModelRequest, ModelSource, Atomics> {};
  Cell* cell = nullptr;
  ModelSource* source = nullptr;
  int won[2] = {0, 0};

  void before() { cell = new Cell; }
  void thread(unsigned index) {
    if (index < 2) {
      auto request = std::make_unique<ModelRequest>();
      request->text(RL_INFO) = 1;
      won[index] = cell->Put(std::move(request)) ? 1 : 0;
      return;
    }
    source = &cell->source();
    if (const auto* request = cell->request()) {
      RL_ASSERT(const_cast<ModelRequest*>(request)->text(RL_INFO) == 1);
    }
  }
  void after() {
    RL_ASSERT(won[0] + won[1] == 1);
    RL_ASSERT(source->asked.load(std::memory_order_relaxed) == 1);
    delete cell;
  }
};

// --- broken twins: no total order, so that both sides may miss each other; no publication

template <std::memory_order kLoad, std::memory_order kExchange>
struct WeakOrders {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T load(std::memory_order order) const {
      return model::Atomic<T>::load(order == std::memory_order_seq_cst ? kLoad : order);
    }
    bool compare_exchange_strong(T& expected, T value, std::memory_order,
                                 std::memory_order failure) {
      return model::Atomic<T>::compare_exchange_strong(expected, value, kExchange, failure);
    }
  };
};

TEST(StopCellModel, OneRequestCountsAndTheSourceIsAsked) {
  std::string report;
  EXPECT_TRUE(Simulate<Stops<RelacyAtomics>>(&report, 300'000)) << report;
}
TEST(StopCellModel, FindsAMissingTotalOrder) {
  std::string report;
  EXPECT_FALSE(
      (Simulate<Stops<WeakOrders<std::memory_order_acquire, std::memory_order_acq_rel>>>(&report)));
  EXPECT_NE(report.find("ASSERT"), std::string::npos) << report;
}
TEST(StopCellModel, FindsAMissingPublication) {
  std::string report;
  EXPECT_FALSE(
      (Simulate<Stops<WeakOrders<std::memory_order_seq_cst, std::memory_order_relaxed>>>(&report)));
  EXPECT_NE(report.find("DATA RACE"), std::string::npos) << report;
}

}  // namespace
}  // namespace isolates::model
