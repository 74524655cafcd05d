// Lane: messages come once and in order, a message that is not told is found, closing gives each
// message to one of the two, and a segment that comes back is the sender's alone (rules L1 to L5).
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <type_traits>

#include "isolates/detail/parker.h"
#include "isolates/detail/port_lane.h"
#include "src/port/mailbox.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

// Relacy's atomics are large: a kilobyte for the head of a segment, and for each of its two slots.
constexpr std::size_t kSlot = 1024;
constexpr std::size_t kSlotsOfSegment = 2;
constexpr std::size_t kSegment = (1 + kSlotsOfSegment) * kSlot;
constexpr internal::LaneShape kShape{.offset = kSlot - 64, .stride = kSlot};
static_assert(sizeof(model::Atomic<std::uint64_t>) <= kShape.offset);

// All that the sender builds in one place of memory is one rl::var: built there too early, it races
// with what was there before.
class Memory {
 public:
  rl::var<int>& At(const void* place) {
    std::size_t i = 0;
    while (i < used_ && places_[i] != place) ++i;
    RL_ASSERT(i < kMost);
    if (i == used_) places_[used_++] = place;
    return contents_[i];
  }

 private:
  static constexpr std::size_t kMost = 16;
  std::array<const void*, kMost> places_{};
  std::array<rl::var<int>, kMost> contents_;
  std::size_t used_ = 0;
};

struct NoQueue {
  using Item = int;
  struct Producer {};
  void Enqueue(Producer&, Item) {}
  bool TryDequeue(Item&) { return false; }
};

enum class Slip {
  kNone,
  kNoLightBarrier,
  kNoHeavyBarrier,
  kLookBeforeIgnore,
  kRetractWhateverWasPassed,
  kNoBeginClosing,
  kNoFinishClosing,
};

template <class Atomics, Slip kSlip>
struct Slipped : Atomics {
  static void LightBarrier() {
    if (kSlip != Slip::kNoLightBarrier) Atomics::LightBarrier();
  }
  static void HeavyBarrier() {
    if (kSlip != Slip::kNoHeavyBarrier) Atomics::HeavyBarrier();
  }
};

// A port with one lane, of an isolate that sleeps in its parker.
template <class Atomics>
struct ModelPort {
  using Lane = internal::Lane<Atomics, kSegment>;
  using Place = typename Lane::Place;
  using Duty = internal::MailboxDuty;

  Memory memory;
  NoQueue queue;
  internal::Mailbox<RelacyAtomics, NoQueue> mailbox{queue};
  internal::BasicParker<RelacyAtomics, RelacyFutex> parker;
  RelacyAtomics::Atomic<int> listed{0};  // the isolate's list: this port is in it
  Lane* lane = nullptr;
  int last = 0;  // received

  void Open() { lane = new Lane(kShape); }
  void Free() { delete lane; }

  Place Build(int number) {
    const Place place = lane->Claim();
    memory.At(place.message)(RL_INFO) = number;
    return place;
  }
  // As SendPort::DeliverByLane. False: refused.
  bool Send(int number) {
    const Place place = Build(number);
    return lane->Publish(place) || Announce(place);
  }
  // As Departure::Announce.
  bool Announce(const Place& place) {
    bool closed = false;
    if (mailbox.AnnounceMessage(closed) == Duty::kList) {
      RL_ASSERT(listed.exchange(1, std::memory_order_acq_rel) == 0);
      parker.Unpark();
    }
    return !closed || !lane->Retract(place);
  }
  int Empty(void* message) {
    rl::var<int>& content = memory.At(message);
    const int number = content(RL_INFO);
    content(RL_INFO) = 0;
    return number;
  }
  bool Receive() {
    void* const message = lane->Take();
    if (message == nullptr) return false;
    const int number = Empty(message);
    lane->Taken();
    RL_ASSERT(number > last);
    last = number;
    return true;
  }
};

// --- a stream while the owner looks
// ---------------------------------------------------------------

// Segments change and come back; now and then the owner has two messages in its hands.
template <class Atomics>
struct Streaming : rl::test_suite<Streaming<Atomics>, 2> {
  static constexpr int kMessages = 9;
  ModelPort<Atomics> port;

  void before() {
    port.Open();
    port.lane->Attend();
  }
  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 1; i <= kMessages; ++i) RL_ASSERT(port.Send(i));
      port.lane->Leave();
      return;
    }
    while (port.last < kMessages) {
      void* const first = port.lane->Take();
      if (first == nullptr) {
        rl::yield(1, RL_INFO);
        continue;
      }
      if (rl::rand(2) == 0) {
        void* const second = port.lane->Take();
        if (second != nullptr) {
          RL_ASSERT(port.Empty(second) == port.last + 2);
          RL_ASSERT(port.Empty(first) == port.last + 1);
          port.last += 2;
          port.lane->Taken();
          port.lane->Taken();
          continue;
        }
      }
      RL_ASSERT(port.Empty(first) == ++port.last);
      port.lane->Taken();
    }
    RL_ASSERT(port.lane->Length() == 0);
  }
  void after() {
    RL_ASSERT(port.lane->abandoned() && port.lane->Front() == nullptr && !port.lane->in_use());
    port.Free();
  }
};

// Two are claimed, the second is published first, the first not at all.
template <class Atomics>
struct Skipping : rl::test_suite<Skipping<Atomics>, 2> {
  ModelPort<Atomics> port;

  void before() {
    port.Open();
    port.lane->Attend();
  }
  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 1; i <= 5; i += 2) {
        const auto skipped = port.Build(100);
        RL_ASSERT(port.Send(i));
        port.memory.At(skipped.message)(RL_INFO) = 0;
        RL_ASSERT(port.lane->Skip(skipped));
        RL_ASSERT(port.Send(i + 1));
      }
      return;
    }
    while (port.last < 6) {
      const int before = port.last;
      if (port.Receive()) {
        RL_ASSERT(port.last == before + 1);
      } else {
        rl::yield(1, RL_INFO);
      }
    }
  }
  void after() {
    RL_ASSERT(port.lane->Front() == nullptr && port.lane->Length() == 0);
    port.Free();
  }
};

// --- an owner that sleeps
// ---------------------------------------------------------------------------

// As PortCore: the isolate looks by itself, gives that up before it sleeps, looks once more, and
// attends again after an event.
template <class Atomics, Slip kSlip = Slip::kNone>
struct Sleeping : rl::test_suite<Sleeping<Atomics, kSlip>, 2> {
  using Own = Slipped<Atomics, kSlip>;
  static constexpr int kMessages = 4;
  ModelPort<Own> port;

  void before() {
    port.Open();
    port.lane->Attend();
    RL_ASSERT(port.mailbox.TryList());  // the owner looks: nobody need tell
  }
  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 1; i <= kMessages; ++i) RL_ASSERT(port.Send(i));
      return;
    }
    for (;;) {
      while (port.Receive()) {
      }
      if (port.last == kMessages) return;
      if (kSlip == Slip::kLookBeforeIgnore) {
        const bool more = port.lane->Front() != nullptr;
        port.lane->Ignore();
        port.mailbox.Unlist();
        Own::HeavyBarrier();
        if (!more || !port.mailbox.TryList()) SleepUntilListed();
      } else {
        port.lane->Ignore();
        port.mailbox.Unlist();
        Own::HeavyBarrier();
        if (port.lane->Front() == nullptr || !port.mailbox.TryList()) SleepUntilListed();
      }
      port.lane->Attend();
    }
  }
  void SleepUntilListed() {
    while (port.listed.exchange(0, std::memory_order_acq_rel) == 0) port.parker.Park();
  }
  void after() { port.Free(); }
};

// --- closing
// -----------------------------------------------------------------------------------

// The owner receives some, closes, and receives the rest. What was accepted is received, what was
// refused is the sender's, and what is sent after the closing is refused. What the owner has found
// empty stays so.
template <class Atomics, Slip kSlip = Slip::kNone>
struct Closing : rl::test_suite<Closing<Atomics, kSlip>, 2> {
  using Own = Slipped<Atomics, kSlip>;
  static constexpr int kMessages = 5;
  ModelPort<Own> port;
  RelacyAtomics::Atomic<int> has_closed{0};
  int accepted = 0;
  int received = 0;

  void before() {
    port.Open();
    if (rl::rand(2) == 0) port.lane->Attend();
    RL_ASSERT(port.mailbox.TryList());
  }
  void thread(unsigned index) {
    if (index == 0) {
      // The second is sent while the first is built.
      const auto outer = port.Build(1);
      Finish(port.Build(2), 2);
      Finish(outer, 1);
      for (int i = 3; i <= kMessages && !port.lane->closed(); ++i) {
        const bool too_late = has_closed.load(std::memory_order_acquire) != 0;
        RL_ASSERT(!Finish(port.Build(i), i) || !too_late);
      }
      port.lane->Leave();
      return;
    }
    const unsigned some = rl::rand(4);
    for (unsigned i = 0; i < some; ++i) received += port.Receive() ? 1 : 0;
    if (kSlip != Slip::kNoBeginClosing) port.lane->BeginClosing();
    port.mailbox.Refuse();
    port.lane->Ignore();
    Own::HeavyBarrier();
    if (kSlip != Slip::kNoFinishClosing) port.lane->FinishClosing();
    has_closed.store(1, std::memory_order_release);
    while (port.Receive()) ++received;
  }
  bool Finish(typename ModelPort<Own>::Place place, int number) {
    const bool attended = port.lane->Publish(place);
    if (kSlip == Slip::kRetractWhateverWasPassed) place.number = ~std::uint64_t{0};
    if (attended || port.Announce(place)) {
      ++accepted;
      return true;
    }
    RL_ASSERT(port.memory.At(place.message)(RL_INFO) == number);
    return false;
  }
  void after() {
    RL_ASSERT(received == accepted);
    RL_ASSERT(port.lane->Front() == nullptr);
    port.Free();
  }
};

// --- broken twins
// ---------------------------------------------------------------------------------

// Nothing is published: neither slots, nor links, nor segments that come back.
struct RelaxedStores : RelacyAtomics {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    void store(T value, std::memory_order) {
      model::Atomic<T>::store(value, std::memory_order_relaxed);
    }
  };
};

// The sender takes segments back without seeing that the owner has left them.
struct RelaxedExchange : RelacyAtomics {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T exchange(T value, std::memory_order) {
      return model::Atomic<T>::exchange(value, std::memory_order_relaxed);
    }
  };
};

// The owner gives segments back without saying that it has left them.
struct RelaxedGiveBack : RelacyAtomics {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    bool compare_exchange_strong(T& expected, T value, std::memory_order, std::memory_order) {
      return model::Atomic<T>::compare_exchange_strong(expected, value, std::memory_order_relaxed,
                                                       std::memory_order_relaxed);
    }
  };
};

// While the port closes, the owner takes messages as before.
struct TakeWithoutExchange : RelacyAtomics {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    bool compare_exchange_strong(T& expected, T value, std::memory_order success,
                                 std::memory_order failure) {
      if constexpr (std::is_integral_v<T>) {
        constexpr T kTakenAtTheEnd = 2;
        if (value == expected + kTakenAtTheEnd) return true;
      }
      return model::Atomic<T>::compare_exchange_strong(expected, value, success, failure);
    }
  };
};

// Both exchange in two steps.
struct TwoStepExchange : RelacyAtomics {
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

TEST(LaneModel, MessagesComeOnceAndInOrder) {
  std::string report;
  EXPECT_TRUE(Simulate<Streaming<RelacyAtomics>>(&report, 50'000)) << report;
}
TEST(LaneModel, WhatIsSkippedIsPassed) {
  std::string report;
  EXPECT_TRUE(Simulate<Skipping<RelacyAtomics>>(&report, 40'000)) << report;
}
TEST(LaneModel, AnOwnerThatSleepsMissesNothing) {
  std::string report;
  EXPECT_TRUE(Simulate<Sleeping<RelacyAtomics>>(&report, 120'000)) << report;
}
TEST(LaneModel, ClosingGivesEachMessageToOneOfTheTwo) {
  std::string report;
  EXPECT_TRUE(Simulate<Closing<RelacyAtomics>>(&report, 200'000)) << report;
}
TEST(LaneModel, FindsAMissingLightBarrier) {
  std::string report;
  EXPECT_FALSE((Simulate<Sleeping<RelacyAtomics, Slip::kNoLightBarrier>>(&report)));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
  EXPECT_FALSE((Simulate<Closing<RelacyAtomics, Slip::kNoLightBarrier>>(&report)));
}
TEST(LaneModel, FindsAMissingHeavyBarrier) {
  std::string report;
  EXPECT_FALSE((Simulate<Sleeping<RelacyAtomics, Slip::kNoHeavyBarrier>>(&report)));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
  EXPECT_FALSE((Simulate<Closing<RelacyAtomics, Slip::kNoHeavyBarrier>>(&report)));
}

TEST(LaneModel, FindsALookBeforeTheLaneIsIgnored) {
  std::string report;
  EXPECT_FALSE((Simulate<Sleeping<RelacyAtomics, Slip::kLookBeforeIgnore>>(&report)));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
}
TEST(LaneModel, FindsStoresThatDoNotPublish) {
  std::string report;
  EXPECT_FALSE(Simulate<Streaming<RelaxedStores>>(&report));
  EXPECT_NE(report.find("DATA RACE"), std::string::npos) << report;
}
TEST(LaneModel, FindsSegmentsThatAreTakenBackTooEarly) {
  std::string report;
  EXPECT_FALSE(Simulate<Streaming<RelaxedExchange>>(&report));
  EXPECT_NE(report.find("DATA RACE"), std::string::npos) << report;
}
TEST(LaneModel, FindsSegmentsThatAreGivenBackTooEarly) {
  std::string report;
  EXPECT_FALSE(Simulate<Streaming<RelaxedGiveBack>>(&report));
  EXPECT_NE(report.find("DATA RACE"), std::string::npos) << report;
}
TEST(LaneModel, FindsARetractThatForgetsWhatWasPassed) {
  std::string report;
  EXPECT_FALSE((Simulate<Closing<RelacyAtomics, Slip::kRetractWhateverWasPassed>>(&report)));
}
TEST(LaneModel, FindsACloseThatDoesNotBegin) {
  std::string report;
  EXPECT_FALSE((Simulate<Closing<RelacyAtomics, Slip::kNoBeginClosing>>(&report)));
}
TEST(LaneModel, FindsACloseThatDoesNotFinish) {
  std::string report;
  EXPECT_FALSE((Simulate<Closing<RelacyAtomics, Slip::kNoFinishClosing>>(&report)));
}
TEST(LaneModel, FindsATakeAndARetractThatBothSucceed) {
  std::string report;
  EXPECT_FALSE(Simulate<Closing<TakeWithoutExchange>>(&report));
  EXPECT_FALSE(Simulate<Closing<TwoStepExchange>>(&report));
}

}  // namespace
}  // namespace isolates::model
