// The last sender is gone: the owner hears of it once no sender is left, and has every message that
// they sent (rules S1 to S3, with the mailbox's M4).
#include <atomic>
#include <string>

#include "isolates/detail/parker.h"
#include "src/port/mailbox.h"
#include "src/port/sender_count.h"
#include "tests/model/relacy.h"

namespace isolates::model {
namespace {

constexpr int kSenders = 2;

// Room for one message of each sender.
class ModelQueue {
 public:
  using Item = int;
  using Producer = int;  // the sender's number

  void Enqueue(Producer& producer, Item item) {
    slots_[producer].store(item, std::memory_order_release);
  }
  bool TryDequeue(Item& item) {
    for (auto& slot : slots_) {
      item = slot.exchange(0, std::memory_order_acquire);
      if (item != 0) return true;
    }
    return false;
  }
  ModelQueue() {
    for (auto& slot : slots_) slot.store(0, std::memory_order_relaxed);
  }

 private:
  RelacyAtomics::Atomic<int> slots_[kSenders];
};

enum class Slip { kNone, kDropBeforeSend };

// Each sender sends a message and gives up its SendPort. The owner sleeps until it is told, as in
// PortCore::OnEvent and TryReceive.
template <class Atomics, Slip kSlip = Slip::kNone>
struct Leaving : rl::test_suite<Leaving<Atomics, kSlip>, kSenders + 1> {
  using Box = internal::Mailbox<RelacyAtomics, ModelQueue>;

  ModelQueue queue;
  Box mailbox{queue};
  internal::SenderCount<Atomics> senders;
  internal::BasicParker<RelacyAtomics, RelacyFutex> parker;
  rl::var<int> written[kSenders];  // by a sender after its message, while it has its SendPort

  void before() {
    for (int i = 0; i < kSenders; ++i) senders.Add();
  }
  void Perform(typename Box::Duty duty) {
    if (duty != Box::Duty::kNone) parker.Unpark();
  }
  void Send(unsigned index) {
    int producer = static_cast<int>(index);
    RL_ASSERT(mailbox.Reserve());
    Perform(mailbox.Commit(producer, producer + 1));
    written[index](RL_INFO) = 1;
  }
  void Drop() {
    if (senders.Drop()) Perform(mailbox.Announce());
  }
  void thread(unsigned index) {
    if (index < kSenders) {
      if (kSlip == Slip::kDropBeforeSend) {
        Drop();
        Send(index);
      } else {
        Send(index);
        Drop();
      }
      return;
    }
    int received = 0;
    for (;;) {
      mailbox.Unlist();
      int message = 0;
      while (mailbox.TryReceive(message)) ++received;
      if (senders.AllGone()) break;
      parker.Park();
    }
    int message = 0;
    while (mailbox.TryReceive(message)) ++received;
    RL_ASSERT(received == kSenders);
    for (auto& one : written) RL_ASSERT(one(RL_INFO) == 1);
  }
};

// Broken twin: giving up publishes nothing.
struct RelaxedDrop {
  template <class T>
  struct Atomic : model::Atomic<T> {
    using model::Atomic<T>::Atomic;
    T fetch_sub(T value, std::memory_order) {
      return model::Atomic<T>::fetch_sub(value, std::memory_order_relaxed);
    }
    T fetch_or(T value, std::memory_order) {
      return model::Atomic<T>::fetch_or(value, std::memory_order_relaxed);
    }
  };
};

TEST(SenderCountModel, TheOwnerHearsOfTheLastAndHasAllMessages) {
  std::string report;
  EXPECT_TRUE(Simulate<Leaving<RelacyAtomics>>(&report, 200'000)) << report;
}
TEST(SenderCountModel, FindsADropThatDoesNotPublish) {
  std::string report;
  EXPECT_FALSE(Simulate<Leaving<RelaxedDrop>>(&report));
}
TEST(SenderCountModel, FindsADropBeforeTheMessage) {
  std::string report;
  EXPECT_FALSE((Simulate<Leaving<RelacyAtomics, Slip::kDropBeforeSend>>(&report)));
}

}  // namespace
}  // namespace isolates::model
