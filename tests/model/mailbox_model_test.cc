// Mailbox over a model of moodycamel's contract: messages arrive once and in order, none stays
// behind unannounced, a sleeping owner is woken, and a close divides all sends (rules M1 to M6).
#include <atomic>
#include <string>

#include "isolates/detail/event_node.h"
#include "isolates/detail/parker.h"
#include "src/port/mailbox.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

constexpr int kSenders = 2;

struct Message {
  int sender = 0;
  rl::var<int> number;
};

// What is known of moodycamel's queue: first in first out for each producer, and an enqueue that
// happened before a dequeue is seen by it; one that did not may be seen or not.
class ModelQueue {
 public:
  using Item = Message*;
  class Producer {
   public:
    explicit Producer(ModelQueue&) {}

   private:
    friend class ModelQueue;
    static constexpr unsigned kRoom = 4;
    rl::var<Item> items_[kRoom];
    RelacyAtomics::Atomic<unsigned> end_{0};
    unsigned begin_ = 0;  // the consumer's
  };

  ModelQueue() { alive_(RL_INFO) = 1; }
  void Connect(Producer& producer) { producers_[connected_++] = &producer; }

  void Enqueue(Producer& producer, Item item) {
    RL_ASSERT(alive_(RL_INFO) == 1);
    const unsigned end = producer.end_.load(std::memory_order_relaxed);
    producer.items_[end](RL_INFO) = item;
    producer.end_.store(end + 1, std::memory_order_release);
  }
  bool TryDequeue(Item& item) {
    const unsigned first = rl::rand(kSenders);
    for (unsigned i = 0; i < kSenders; ++i) {
      Producer& producer = *producers_[(first + i) % kSenders];
      if (producer.end_.load(std::memory_order_acquire) == producer.begin_) continue;
      item = producer.items_[producer.begin_++](RL_INFO);
      return true;
    }
    // M3: the mailbox asks only while it knows of a message whose enqueue happened before.
    RL_ASSERT(false);
    return false;
  }
  // The owner frees the queue: an Enqueue that is not ordered before this is a race.
  void Destroy() { alive_(RL_INFO) = 0; }

 private:
  Producer* producers_[kSenders] = {};
  unsigned connected_ = 0;
  rl::var<int> alive_;
};

// A port of an isolate that sleeps in its parker while its list is empty.
template <class Atomics, int kMessagesEach>
struct ModelPort {
  using Box = internal::Mailbox<Atomics, ModelQueue>;
  using Duty = typename Box::Duty;

  ModelQueue queue;
  Box mailbox{queue};
  ModelQueue::Producer producers[kSenders]{ModelQueue::Producer(queue),
                                           ModelQueue::Producer(queue)};
  Message messages[kSenders][kMessagesEach];
  RelacyAtomics::Atomic<int> listed{0};  // the isolate's list: this port is in it
  internal::BasicParker<RelacyAtomics, RelacyFutex> parker;
  int last[kSenders] = {-1, -1};
  int received = 0;

  ModelPort() {
    for (auto& producer : producers) queue.Connect(producer);
  }
  // As SenderHandle::Send. False: refused.
  bool Send(int sender, int number) {
    Message& message = messages[sender][number];
    message.sender = sender;
    message.number(RL_INFO) = number;
    if (!mailbox.Reserve()) return false;
    switch (mailbox.Commit(producers[sender], &message)) {
      case Duty::kList:
        RL_ASSERT(listed.exchange(1, std::memory_order_acq_rel) == 0);  // M4: nobody else lists it
        parker.Unpark();
        break;
      case Duty::kWake:
        parker.Unpark();
        break;
      case Duty::kNone:
        break;
    }
    return true;
  }
  void Count(Message* message) {
    const int number = message->number(RL_INFO);
    RL_ASSERT(number > last[message->sender]);
    last[message->sender] = number;
    ++received;
  }
};

enum class Slip { kNone, kUnlistAfterTheLook, kLookBeforeSetAwaited };

// The owner handles one message in each event, as PortCore::OnEvent.
template <class Atomics, Slip kSlip = Slip::kNone>
struct Listening : rl::test_suite<Listening<Atomics, kSlip>, kSenders + 1> {
  static constexpr int kEach = 2;
  ModelPort<Atomics, kEach> port;

  void thread(unsigned index) {
    if (index < kSenders) {
      for (int i = 0; i < kEach; ++i) RL_ASSERT(port.Send(static_cast<int>(index), i));
      return;
    }
    while (port.received < kSenders * kEach) {
      if (port.listed.exchange(0, std::memory_order_acq_rel) == 0) {
        port.parker.Park();
        continue;
      }
      Message* message = nullptr;
      if (kSlip == Slip::kUnlistAfterTheLook) {
        while (port.mailbox.TryReceive(message)) port.Count(message);
        port.mailbox.Unlist();
        continue;
      }
      port.mailbox.Unlist();
      if (!port.mailbox.TryReceive(message)) continue;
      port.Count(message);
      if (port.mailbox.HasMessage() && port.mailbox.TryList()) {
        RL_ASSERT(port.listed.exchange(1, std::memory_order_acq_rel) == 0);
      }
    }
  }
};

// The owner sleeps in a turn until each message is there, as PortCore::WaitForMessage. The port
// stands in the list meanwhile, so that only `awaited` makes a sender wake it (M5).
template <class Atomics, Slip kSlip = Slip::kNone>
struct Awaiting : rl::test_suite<Awaiting<Atomics, kSlip>, kSenders + 1> {
  ModelPort<Atomics, 1> port;

  void before() {
    RL_ASSERT(port.mailbox.TryList());
    port.listed.store(1, std::memory_order_relaxed);
  }
  void thread(unsigned index) {
    if (index < kSenders) {
      RL_ASSERT(port.Send(static_cast<int>(index), 0));
      return;
    }
    while (port.received < kSenders) {
      if (kSlip == Slip::kLookBeforeSetAwaited) {
        const bool there = port.mailbox.HasMessage();
        port.mailbox.SetAwaited();
        if (!there) port.parker.Park();
      } else {
        port.mailbox.SetAwaited();
        while (!port.mailbox.HasMessage()) port.parker.Park();
      }
      port.mailbox.ClearAwaited();
      Message* message = nullptr;
      while (port.mailbox.TryReceive(message)) port.Count(message);
    }
  }
};

// The owner receives what there is, closes, and frees the queue. What was accepted is received or
// given to the dead letters.
template <class Atomics>
struct Closing : rl::test_suite<Closing<Atomics>, kSenders + 1> {
  static constexpr int kEach = 2;
  ModelPort<Atomics, kEach> port;
  int accepted[kSenders] = {};

  void thread(unsigned index) {
    if (index < kSenders) {
      bool refused = false;
      for (int i = 0; i < kEach; ++i) {
        const bool sent = port.Send(static_cast<int>(index), i);
        RL_ASSERT(!sent || !refused);  // closed is for ever
        refused = !sent;
        accepted[index] += sent ? 1 : 0;
      }
      return;
    }
    Message* message = nullptr;
    if (port.mailbox.TryReceive(message)) port.Count(message);
    port.mailbox.Refuse();
    while (port.mailbox.Settle([] { rl::yield(1, RL_INFO); })) {
      RL_ASSERT(port.mailbox.TryReceive(message));
      port.Count(message);
    }
    port.queue.Destroy();
  }
  void after() { RL_ASSERT(accepted[0] + accepted[1] == port.received); }
};

// --- broken twins
// ---------------------------------------------------------------------------------

// Commit does not publish the enqueue, nor does it tell Close that it is over.
struct RelaxedCommit {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T fetch_add(T value, std::memory_order) {
      return model::Atomic<T>::fetch_add(value, std::memory_order_relaxed);
    }
  };
};

// Flags are set in two steps.
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

// Close looks at the counts without their order.
struct RelaxedLooks {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T load(std::memory_order) const { return model::Atomic<T>::load(std::memory_order_relaxed); }
    T fetch_or(T value, std::memory_order) {
      return model::Atomic<T>::fetch_or(value, std::memory_order_relaxed);
    }
  };
};

TEST(MailboxModel, EveryMessageArrivesOnceAndInOrder) {
  std::string report;
  EXPECT_TRUE(Simulate<Listening<RelacyAtomics>>(&report, 300'000)) << report;
}
TEST(MailboxModel, AnAwaitedMessageWakesTheOwner) {
  std::string report;
  EXPECT_TRUE(Simulate<Awaiting<RelacyAtomics>>(&report, 300'000)) << report;
}
TEST(MailboxModel, CloseDividesAllSends) {
  std::string report;
  EXPECT_TRUE(Simulate<Closing<RelacyAtomics>>(&report, 300'000)) << report;
}
TEST(MailboxModel, FindsACommitThatDoesNotPublish) {
  std::string report;
  EXPECT_FALSE(Simulate<Listening<RelaxedCommit>>(&report));
  EXPECT_FALSE(Simulate<Closing<RelaxedCommit>>(&report));
}
TEST(MailboxModel, FindsFlagsThatLoseAMessage) {
  std::string report;
  EXPECT_FALSE(Simulate<Listening<TwoStepFlags>>(&report));
  EXPECT_FALSE(Simulate<Awaiting<TwoStepFlags>>(&report));
}
TEST(MailboxModel, FindsAnUnlistAfterTheLook) {
  std::string report;
  EXPECT_FALSE((Simulate<Listening<RelacyAtomics, Slip::kUnlistAfterTheLook>>(&report)));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
}
TEST(MailboxModel, FindsALookBeforeTheAnnouncement) {
  std::string report;
  EXPECT_FALSE((Simulate<Awaiting<RelacyAtomics, Slip::kLookBeforeSetAwaited>>(&report)));
  EXPECT_NE(report.find("DEADLOCK"), std::string::npos) << report;
}
TEST(MailboxModel, FindsACloseThatDoesNotWaitInOrder) {
  std::string report;
  EXPECT_FALSE(Simulate<Closing<RelaxedLooks>>(&report));
}

}  // namespace
}  // namespace isolates::model
