// The publisher: what the matching engine says, as a stream of bytes.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "benchmarks/support/histogram.h"
#include "benchmarks/support/stopwatch.h"
#include "examples/exchange/stages.h"

namespace exchange {
namespace {

using isolates::bench::Histogram;
using isolates::bench::Nanoseconds;

constexpr std::size_t kBuffer = std::size_t{1} << 16;
// A credit for so many orders, or for a batch if that is less.
constexpr std::uint64_t kCreditEach = 16;

class Publisher {
 public:
  explicit Publisher(PublisherSetup setup) : setup_(std::move(setup)), timeline_(setup_.expected) {
    buffer_.reserve(kBuffer);
    if (setup_.output.empty()) return;
    fd_ = open(setup_.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), setup_.output);
  }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() {
    if (fd_ >= 0) close(fd_);
  }

  isolates::Task<> Run() {
    setup_.connect.Send({outputs_.send_port(), answer_to_.send_port()});
    credits_ = *co_await answer_to_.Receive();
    outputs_.ListenBatch([this](const OutputMessage& message, bool last) noexcept {
      Take(message);
      if (last) EndBatch();
    });
    auto ended = ended_.future();
    co_await ended;
    StageReport report;
    report.stage = "publisher";
    report.hops.push_back(Report("matching_to_published", from_matching_));
    report.hops.push_back(Report("end_to_end_published", end_to_end_));
    report.timeline = timeline_.Report();
    report.digest = digest_.value();
    report.outputs = count_;
    setup_.report.Send(std::move(report));
  }

 private:
  void Take(const OutputMessage& message) {
    if (message.sequence == 0) {
      Flush();
      ended_.Complete();
      return;
    }
    if (buffer_.size() + kOutputBytes > kBuffer) Flush();
    buffer_.resize(buffer_.size() + kOutputBytes);
    std::byte* const bytes = buffer_.data() + buffer_.size() - kOutputBytes;
    EncodeOutput(message.sequence, message.output, bytes);
    digest_.Add(bytes, kOutputBytes);
    ++count_;
    if (message.output.last == 0) return;
    rehearsal_.Pass(message.sequence);
    published_ = message.sequence;
    if (published_ > setup_.warm_up) Record(message);
    if (published_ - credited_ >= kCreditEach) SendCredit();
  }
  void Record(const OutputMessage& message) {
    const std::int64_t now = Nanoseconds();
    if (first_ == 0) first_ = message.intended;
    const auto latency = static_cast<std::uint64_t>(now - message.intended);
    from_matching_.Record(static_cast<std::uint64_t>(now - message.taken));
    end_to_end_.Record(latency);
    timeline_.Record(static_cast<std::uint64_t>(message.intended - first_), latency);
  }
  void EndBatch() {
    Flush();
    if (published_ != credited_) SendCredit();
  }
  void SendCredit() {
    credited_ = published_;
    credits_.Send({published_, Credit::Kind::kPublished});
  }
  void Flush() {
    if (fd_ >= 0) WriteAll(fd_, buffer_.data(), buffer_.size(), "writing market data");
    buffer_.clear();
  }

  const PublisherSetup setup_;
  const Rehearsal rehearsal_{2, setup_.warm_up};
  int fd_ = -1;
  std::vector<std::byte> buffer_;
  Digest digest_;
  std::uint64_t count_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t credited_ = 0;
  std::int64_t first_ = 0;  // when the first measured order was to be sent
  Histogram from_matching_;
  Histogram end_to_end_;
  Timeline timeline_;
  isolates::ReceivePort<OutputMessage> outputs_{"market data"};
  isolates::ReceivePort<isolates::SendPort<Credit>> answer_to_;
  isolates::SendPort<Credit> credits_;
  isolates::Completer<void> ended_;
};

}  // namespace

isolates::Task<> RunPublisher(PublisherSetup setup) {
  const auto publisher = std::make_unique<Publisher>(std::move(setup));
  auto run = publisher->Run();
  co_await std::move(run);
}

}  // namespace exchange
