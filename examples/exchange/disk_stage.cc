// The disk: where the exchange waits for the storage, so that nobody else does.

#include <array>
#include <utility>
#include <vector>

#include "benchmarks/support/stopwatch.h"
#include "examples/exchange/stages.h"
#include "examples/exchange/wire.h"

namespace exchange {
namespace {

class Disk {
 public:
  explicit Disk(DiskSetup setup)
      : setup_(std::move(setup)), file_(setup_.path, setup_.rules, setup_.state) {}
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  isolates::Task<> Run() {
    setup_.connect.Send({batches_.send_port(), answer_to_.send_port()});
    answers_ = *co_await answer_to_.Receive();
    batches_.ListenBatch([this](DiskBatch batch, bool) noexcept { Take(std::move(batch)); });
    auto ended = ended_.future();
    co_await ended;
  }

 private:
  void Take(DiskBatch batch) {
    if (batch.records.empty()) {
      ended_.Complete();
      return;
    }
    if (setup_.acks_too_early) {
      // The last batch is never in the file.
      Acknowledge(batch.sequence);
      file_.Append(kept_);
      kept_ = batch.records;
    } else if (setup_.path.empty()) {
      Acknowledge(batch.sequence);
    } else {
      isolates::Blocking([&] {
        file_.Append(batch.records);
        file_.Sync();
      });
      Acknowledge(batch.sequence);
    }
    answers_.Send({std::move(batch.records), batch.sequence, isolates::bench::Nanoseconds()});
  }
  void Acknowledge(std::uint64_t sequence) const {
    if (setup_.acks < 0) return;
    std::array<std::byte, 8> bytes{};
    WireWriter(bytes.data()).Put(sequence);
    WriteAll(setup_.acks, bytes.data(), bytes.size(), "acknowledging");
  }

  const DiskSetup setup_;
  JournalFile file_;
  std::vector<std::byte> kept_;
  isolates::ReceivePort<DiskBatch> batches_{"batches"};
  isolates::ReceivePort<isolates::SendPort<DurableBatch>> answer_to_;
  isolates::SendPort<DurableBatch> answers_;
  isolates::Completer<void> ended_;
};

}  // namespace

isolates::Task<> RunDisk(DiskSetup setup) {
  const auto disk = std::make_unique<Disk>(std::move(setup));
  auto run = disk->Run();
  co_await std::move(run);
}

}  // namespace exchange
