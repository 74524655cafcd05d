// The journal: gathers records while the disk is busy with those before them, and hands them over
// together when it is free (group commit). The buffer itself goes to and fro; nothing is copied.

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/support/histogram.h"
#include "benchmarks/support/stopwatch.h"
#include "examples/exchange/stages.h"

namespace exchange {
namespace {

using isolates::bench::Histogram;
using isolates::bench::Nanoseconds;

// Of each of the two buffers: what 30 ms bring at a million a second.
constexpr std::size_t kMostRecords = std::size_t{1} << 15;
constexpr std::uint64_t kCreditEach = 16;
static_assert(kMostRecords > 2 * kWindow);

class Journal {
 public:
  explicit Journal(JournalSetup setup)
      : setup_(std::move(setup)), pending_(2 * kMostRecords), timeline_(setup_.expected) {
    if (setup_.recovered != 0) recovered_.emplace(setup_.path);
    for (auto* const buffer : {&filling_, &spare_}) {
      buffer->resize(kMostRecords * kRecordBytes);  // touches it
      buffer->clear();
    }
  }
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  isolates::Task<> Run() {
    setup_.disk.answer_to.Send(durable_.send_port());
    setup_.connect.Send({records_.send_port(), answer_to_.send_port()});
    credits_ = *co_await answer_to_.Receive();
    durable_.ListenBatch([this](DurableBatch batch, bool) noexcept { TakeDurable(batch); });
    records_.ListenBatch([this](const JournalMessage& message, bool last) noexcept {
      Take(message);
      if (last) EndBatch();
    });
    auto ended = ended_.future();
    co_await ended;
    setup_.disk.in.Send(DiskBatch{});
    StageReport report;
    report.stage = "journal";
    report.hops.push_back(Report("matching_to_durable", from_matching_));
    report.hops.push_back(Report("end_to_end_durable", end_to_end_));
    report.timeline = timeline_.Report();
    report.batches = batches_;
    setup_.report.Send(std::move(report));
  }

 private:
  // Of orders that are on the way to the disk.
  struct Pending {
    std::int64_t taken;
    std::int64_t intended;
  };

  void Take(const JournalMessage& message) {
    if (message.sequence == 0) {
      // The feed has waited until all was durable.
      ended_.Complete();
      return;
    }
    rehearsal_.Pass(message.sequence);
    last_ = message.sequence;
    const JournalRecord record{message.sequence, message.chain, message.order};
    if (last_ <= setup_.recovered) {
      Compare(record);
    } else {
      filling_.resize(filling_.size() + kRecordBytes);
      EncodeRecord(record, filling_.data() + filling_.size() - kRecordBytes);
      pending_[last_ % pending_.size()] = {message.taken, message.intended};
      Flush();
    }
    if (last_ - credited_ >= kCreditEach) SendCredit();
  }
  // The exchange has come to the same state by the orders of the journal: if not, the journal is
  // of another program, and going on would break what was acknowledged.
  void Compare(const JournalRecord& record) {
    if (recovered_->Next() != record) {
      throw std::runtime_error("the journal says otherwise of order " +
                               std::to_string(record.sequence));
    }
    if (last_ == setup_.recovered) {
      durable_sequence_ = last_;
      credits_.Send({last_, Credit::Kind::kDurable});
    }
  }
  void EndBatch() {
    if (last_ != credited_) SendCredit();
  }
  // Room for the window stays: what is on the way must not wait here.
  void SendCredit() {
    if (filling_.size() + kWindow * kRecordBytes > kMostRecords * kRecordBytes) return;
    credited_ = last_;
    credits_.Send({last_, Credit::Kind::kJournaled});
  }
  void Flush() {
    if (at_disk_ || filling_.empty()) return;
    at_disk_ = true;
    ++batches_;
    setup_.disk.in.Send({std::exchange(filling_, std::move(spare_)), last_});
  }
  void TakeDurable(DurableBatch& batch) {
    for (std::uint64_t sequence = durable_sequence_ + 1; sequence <= batch.sequence; ++sequence) {
      if (sequence <= setup_.warm_up) continue;
      const Pending& order = pending_[sequence % pending_.size()];
      if (first_ == 0) first_ = order.intended;
      const auto latency = static_cast<std::uint64_t>(batch.durable - order.intended);
      from_matching_.Record(static_cast<std::uint64_t>(batch.durable - order.taken));
      end_to_end_.Record(latency);
      timeline_.Record(static_cast<std::uint64_t>(order.intended - first_), latency);
    }
    durable_sequence_ = batch.sequence;
    credits_.Send({batch.sequence, Credit::Kind::kDurable});
    spare_ = std::move(batch.records);
    spare_.clear();
    at_disk_ = false;
    Flush();
    if (last_ != credited_) SendCredit();
  }

  const JournalSetup setup_;
  const Rehearsal rehearsal_{3, setup_.warm_up};
  std::optional<JournalReader> recovered_;
  std::vector<std::byte> filling_;
  std::vector<std::byte> spare_;  // if it is not at the disk
  bool at_disk_ = false;
  std::vector<Pending> pending_;
  std::uint64_t last_ = 0;  // order that has come
  std::uint64_t credited_ = 0;
  std::uint64_t durable_sequence_ = 0;
  std::uint64_t batches_ = 0;
  std::int64_t first_ = 0;
  Histogram from_matching_;
  Histogram end_to_end_;
  Timeline timeline_;
  isolates::ReceivePort<JournalMessage> records_{"records"};
  isolates::ReceivePort<DurableBatch> durable_{"durable batches"};
  isolates::ReceivePort<isolates::SendPort<Credit>> answer_to_;
  isolates::SendPort<Credit> credits_;
  isolates::Completer<void> ended_;
};

}  // namespace

isolates::Task<> RunJournal(JournalSetup setup) {
  const auto journal = std::make_unique<Journal>(std::move(setup));
  auto run = journal->Run();
  co_await std::move(run);
}

}  // namespace exchange
