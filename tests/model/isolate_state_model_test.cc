// IsolateState: never two owners, no event left behind, no sleeper left asleep (rules I1 to I4).
// Two threads play workers that take the isolate from a ready queue, the others push events.
#include <atomic>
#include <string>

#include "isolates/detail/event_node.h"
#include "isolates/detail/parker.h"
#include "src/isolate/isolate_state.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

struct Node {
  Node* next_event = nullptr;
  rl::var<int> content;
  int handled = 0;
  int discarded = 0;
};

enum class Slip {
  kNone,
  kNotifyBeforePush,
  kSleepWithoutLook,
  kForgetWhileBlocked,
  kForgetAfterClaim
};

// What all suites share: an isolate with one inbox.
template <class Atomics>
struct ModelIsolate {
  using State = internal::IsolateState<Atomics>;
  State state;
  internal::EventStack<Node, RelacyAtomics> inbox;
  rl::var<int> owner;  // written in every turn: two owners race

  void Handle() {
    for (Node* node = inbox.TakeAll(); node != nullptr;) {
      Node* const next = node->next_event;
      RL_ASSERT(node->content(RL_INFO) == 1);
      ++node->handled;
      node = next;
    }
  }
  void Discard() {
    for (Node* node = inbox.TakeAll(); node != nullptr;) {
      Node* const next = node->next_event;
      RL_ASSERT(node->content(RL_INFO) == 1);
      ++node->discarded;
      node = next;
    }
  }
  template <class Slipped>
  typename State::Duty Push(Node& node, Slipped) {
    node.content(RL_INFO) = 1;
    if (Slipped::value == Slip::kNotifyBeforePush) {
      const auto duty = state.Notify();
      inbox.Push(&node);
      return duty;
    }
    inbox.Push(&node);
    return state.Notify();
  }
};
template <Slip kSlip>
struct Slipped {
  static constexpr Slip value = kSlip;
};

// Threads 0 and 1 are workers, 2 and 3 each push an event. Whoever owes it puts the isolate into
// the ready queue, which has room for it once (I1) and wakes both workers.
template <class Atomics, Slip kSlip = Slip::kNone>
struct Turns : rl::test_suite<Turns<Atomics, kSlip>, 4> {
  using Isolate = ModelIsolate<Atomics>;
  Isolate isolate;
  RelacyAtomics::Atomic<int> ready{1};  // born active: in the ready queue
  RelacyAtomics::Atomic<int> unhandled{2};
  internal::BasicParker<RelacyAtomics, RelacyFutex> parkers[2];
  Node nodes[2];

  void before() { isolate.owner(RL_INFO) = 0; }
  void Schedule() {
    RL_ASSERT(ready.exchange(1, std::memory_order_acq_rel) == 0);
    for (auto& parker : parkers) parker.Unpark();
  }
  int Handled() const { return nodes[0].handled + nodes[1].handled; }

  void RunTurn() {
    isolate.owner(RL_INFO) = isolate.owner(RL_INFO) + 1;
    const int before_turn = Handled();
    isolate.state.BeginTurn();
    isolate.Handle();
    const int handled = Handled() - before_turn;
    if (!isolate.state.TryIdle()) Schedule();
    if (handled == 0) return;
    if (unhandled.fetch_sub(handled, std::memory_order_acq_rel) == handled) {
      for (auto& parker : parkers) parker.Unpark();
    }
  }
  void thread(unsigned index) {
    if (index >= 2) {
      const auto duty = isolate.Push(nodes[index - 2], Slipped<kSlip>{});
      if (duty == Isolate::State::Duty::kSchedule) Schedule();
      return;
    }
    while (unhandled.load(std::memory_order_acquire) != 0) {
      if (ready.exchange(0, std::memory_order_acq_rel) == 1) {
        RunTurn();
      } else {
        parkers[index].Park();
      }
    }
  }
};

// The owner sleeps in a turn until it has both events; threads 0 and 1 push one each. Thread 3
// looks what the isolate is at: where it says that nothing came since its owner looked, that is so.
template <class Atomics, Slip kSlip = Slip::kNone>
struct Blocked : rl::test_suite<Blocked<Atomics, kSlip>, 4> {
  using Isolate = ModelIsolate<Atomics>;
  Isolate isolate;
  internal::BasicParker<RelacyAtomics, RelacyFutex> parker;
  Node nodes[2];
  RelacyAtomics::Atomic<int> pushed{0};
  RelacyAtomics::Atomic<int> handled{0};

  void before() { isolate.owner(RL_INFO) = 0; }
  bool Ready() {
    isolate.Handle();
    const int count = nodes[0].handled + nodes[1].handled;
    handled.store(count, std::memory_order_relaxed);
    return count == 2;
  }
  void thread(unsigned index) {
    if (index < 2) {
      const auto duty = isolate.Push(nodes[index], Slipped<Slip::kNone>{});
      RL_ASSERT(duty == Isolate::State::Duty::kUnpark || duty == Isolate::State::Duty::kNone);
      if (duty == Isolate::State::Duty::kUnpark) parker.Unpark();
      pushed.fetch_add(1, std::memory_order_acq_rel);
      return;
    }
    if (index == 3) {
      const int before = pushed.load(std::memory_order_acquire);
      if (isolate.state.activity() != Isolate::State::Activity::kWaits) return;
      RL_ASSERT(handled.load(std::memory_order_relaxed) >= before);
      return;
    }
    isolate.state.BeginTurn();
    while (!Ready()) {
      if (kSlip == Slip::kForgetWhileBlocked) {
        isolate.state.SetBlocked();
        isolate.state.BeginTurn();
        if (!Ready()) parker.Park();
        isolate.state.ClearBlocked();
        continue;
      }
      if (isolate.state.BeginTurn()) continue;
      isolate.state.SetBlocked();
      if (kSlip == Slip::kSleepWithoutLook || !isolate.state.notified()) parker.Park();
      isolate.state.ClearBlocked();
    }
  }
};

// Thread 0 is a worker, 1 looks at the isolate while it sleeps, 2 pushes an event.
template <class Atomics, Slip kSlip = Slip::kNone>
struct Looks : rl::test_suite<Looks<Atomics, kSlip>, 3> {
  using Isolate = ModelIsolate<Atomics>;
  Isolate isolate;
  RelacyAtomics::Atomic<int> ready{1};
  internal::BasicParker<RelacyAtomics, RelacyFutex> parker;
  Node node;

  void before() { isolate.owner(RL_INFO) = 0; }
  void Schedule() {
    RL_ASSERT(ready.exchange(1, std::memory_order_acq_rel) == 0);
    parker.Unpark();
  }
  void thread(unsigned index) {
    if (index == 1) {
      if (!isolate.state.TryClaim()) return;
      RL_ASSERT(isolate.owner(RL_INFO) > 0);
      if (!isolate.state.TryIdle() && kSlip != Slip::kForgetAfterClaim) Schedule();
      return;
    }
    if (index == 2) {
      const auto duty = isolate.Push(node, Slipped<Slip::kNone>{});
      if (duty == Isolate::State::Duty::kSchedule) Schedule();
      return;
    }
    while (node.handled == 0) {
      if (ready.exchange(0, std::memory_order_acq_rel) == 0) {
        parker.Park();
        continue;
      }
      isolate.owner(RL_INFO) = isolate.owner(RL_INFO) + 1;
      isolate.state.BeginTurn();
      isolate.Handle();
      if (!isolate.state.TryIdle()) Schedule();
    }
  }
};

// The owner dies after one turn, while two threads push. Each event is handled or discarded, once.
template <class Atomics>
struct Dies : rl::test_suite<Dies<Atomics>, 3> {
  using Isolate = ModelIsolate<Atomics>;
  Isolate isolate;
  Node nodes[2];

  void before() { isolate.owner(RL_INFO) = 0; }
  void thread(unsigned index) {
    if (index != 2) {
      const auto duty = isolate.Push(nodes[index], Slipped<Slip::kNone>{});
      RL_ASSERT(duty == Isolate::State::Duty::kDiscard || duty == Isolate::State::Duty::kNone);
      if (duty == Isolate::State::Duty::kDiscard) isolate.Discard();
      return;
    }
    isolate.state.BeginTurn();
    isolate.Handle();
    isolate.state.Die();
    isolate.Discard();
  }
  void after() {
    for (const Node& node : nodes) RL_ASSERT(node.handled + node.discarded == 1);
  }
};

// --- broken twins
// ---------------------------------------------------------------------------------

// TryIdle clears the word without looking whether something came.
struct BlindIdle {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    bool compare_exchange_strong(T& expected, T value, std::memory_order, std::memory_order) {
      if (model::Atomic<T>::load(std::memory_order_acquire) != expected) return false;
      model::Atomic<T>::store(value, std::memory_order_release);
      return true;
    }
  };
};

// TryIdle does not publish what the owner did.
struct RelaxedIdle {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    bool compare_exchange_strong(T& expected, T value, std::memory_order,
                                 std::memory_order failure) {
      return model::Atomic<T>::compare_exchange_strong(expected, value, std::memory_order_relaxed,
                                                       failure);
    }
  };
};

// TryClaim does not see what the owner did.
struct RelaxedClaim {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    bool compare_exchange_strong(T& expected, T value, std::memory_order success,
                                 std::memory_order failure) {
      if (success == std::memory_order_acquire) success = std::memory_order_relaxed;
      return model::Atomic<T>::compare_exchange_strong(expected, value, success, failure);
    }
  };
};

// Notify sets its bits in two steps.
struct TwoStepNotify {
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

TEST(IsolateStateModel, OneOwnerAndNoEventLeftBehind) {
  std::string report;
  EXPECT_TRUE(Simulate<Turns<RelacyAtomics>>(&report, 300'000)) << report;
}
TEST(IsolateStateModel, AnOwnerThatSleepsInATurnIsWoken) {
  std::string report;
  EXPECT_TRUE(Simulate<Blocked<RelacyAtomics>>(&report, 300'000)) << report;
}
TEST(IsolateStateModel, EventsOfADeadIsolateAreDiscardedOnce) {
  std::string report;
  EXPECT_TRUE(Simulate<Dies<RelacyAtomics>>(&report, 300'000)) << report;
}
TEST(IsolateStateModel, WhoLooksAtASleepingIsolateHasItAlone) {
  std::string report;
  EXPECT_TRUE(Simulate<Looks<RelacyAtomics>>(&report, 300'000)) << report;
}
TEST(IsolateStateModel, FindsALookThatForgetsWhatCame) {
  std::string report;
  EXPECT_FALSE((Simulate<Looks<RelacyAtomics, Slip::kForgetAfterClaim>>(&report)));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
}
TEST(IsolateStateModel, FindsALookThatDoesNotSeeTheOwner) {
  std::string report;
  EXPECT_FALSE(Simulate<Looks<RelaxedClaim>>(&report));
  EXPECT_NE(report.find("DATA RACE"), std::string::npos) << report;
}
TEST(IsolateStateModel, FindsANotificationBeforeThePush) {
  std::string report;
  EXPECT_FALSE((Simulate<Turns<RelacyAtomics, Slip::kNotifyBeforePush>>(&report)));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
}
TEST(IsolateStateModel, FindsASleepWithoutALookAfterTheAnnouncement) {
  std::string report;
  EXPECT_FALSE((Simulate<Blocked<RelacyAtomics, Slip::kSleepWithoutLook>>(&report)));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
}
TEST(IsolateStateModel, FindsAnOwnerThatSaysItWaitsBeforeItHasLooked) {
  std::string report;
  EXPECT_FALSE((Simulate<Blocked<RelacyAtomics, Slip::kForgetWhileBlocked>>(&report)));
  EXPECT_NE(report.find("handled.load"), std::string::npos) << report;
}
TEST(IsolateStateModel, FindsAnIdleThatOverlooksANotification) {
  std::string report;
  EXPECT_FALSE(Simulate<Turns<BlindIdle>>(&report));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
}
TEST(IsolateStateModel, FindsAnIdleThatDoesNotPublish) {
  std::string report;
  EXPECT_FALSE(Simulate<Turns<RelaxedIdle>>(&report));
  EXPECT_NE(report.find("DATA RACE"), std::string::npos) << report;
}
TEST(IsolateStateModel, FindsANotificationInTwoSteps) {
  std::string report;
  EXPECT_FALSE(Simulate<Turns<TwoStepNotify>>(&report));
  EXPECT_FALSE(Simulate<Dies<TwoStepNotify>>(&report));
}

}  // namespace
}  // namespace isolates::model
