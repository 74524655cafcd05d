#include "isolates/trace.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

#include "isolates/detail/stats_segment.h"
#include "isolates/error.h"
#include "src/base/trace_json.h"
#include "src/base/trace_messages.h"
#include "src/base/trace_ring.h"

namespace isolates {

static_assert(DurationHistogram::kBuckets == internal::StatsHistogram::kBuckets);

void DurationHistogram::Record(Duration duration) noexcept {
  const Duration positive = std::max(duration, Duration(0));
  ++buckets_[internal::StatsHistogram::BucketOf(static_cast<std::uint64_t>(positive.count()))];
  ++count_;
  max_ = std::max(max_, positive);
}

Duration DurationHistogram::LowerBound(std::size_t bucket) noexcept {
  return Duration(static_cast<Duration::rep>(internal::StatsHistogram::LowerBound(bucket)));
}

Duration DurationHistogram::Percentile(double share) const noexcept {
  if (count_ == 0) return Duration(0);
  const double wanted = std::clamp(share, 0.0, 1.0) * static_cast<double>(count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (buckets_[i] != 0 && static_cast<double>(seen) >= wanted) {
      return std::min(max_, LowerBound(i + 1));
    }
  }
  return max_;
}

bool Trace::running() noexcept { return internal::Tracing(); }

bool Trace::Write(const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  if (!out) return false;
  Write(out);
  out.close();
  return out.good();
}

#if ISOLATES_INSTRUMENTS

void Trace::Start(const TraceOptions& options) { internal::BeginTrace(options.records_of_thread); }

void Trace::Stop() noexcept { internal::EndTrace(); }

void Trace::Write(std::ostream& out) { internal::WriteTrace(internal::TellTrace(), out); }

MessageLatencies Trace::Latencies() {
  MessageLatencies latencies;
  const internal::TraceStory story = internal::TellTrace();
  for (const internal::TracedMessage& message : story.messages) {
    // A step that seems to end before it began, by clocks of two processors, took no time.
    std::uint64_t last = story.records[message.send].time;
    const std::uint64_t begin = last;
    const auto step = [&](DurationHistogram& to, std::uint64_t time) {
      time = std::max(time, last);
      to.Record(Duration(static_cast<Duration::rep>(time - last)));
      last = time;
    };
    // The receiver may be quicker than its sender's note of the sending.
    const std::uint64_t dequeued = story.records[message.dequeued].time;
    step(latencies.visible, std::min(story.records[message.visible].time, dequeued));
    step(latencies.woken, std::min(message.woken, dequeued));
    step(latencies.dequeued, dequeued);
    step(latencies.started, message.begin);
    step(latencies.handled, message.end);
    latencies.total.Record(Duration(static_cast<Duration::rep>(last - begin)));
  }
  return latencies;
}

namespace {

// A line of text that is put together without the library.
class Line {
 public:
  Line& Add(std::string_view text) noexcept {
    for (const char letter : text) {
      if (length_ < text_.size()) text_[length_++] = letter;
    }
    return *this;
  }
  Line& Add(std::uint64_t number) noexcept {
    std::array<char, 20> digits{};
    std::size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    while (count != 0 && length_ < text_.size()) text_[length_++] = digits[--count];
    return *this;
  }
  void Write(int file) noexcept {
    std::size_t done = 0;
    while (done < length_) {
      const ssize_t wrote = write(file, text_.data() + done, length_ - done);
      if (wrote <= 0) break;
      done += static_cast<std::size_t>(wrote);
    }
    length_ = 0;
  }

 private:
  std::array<char, 256> text_{};
  std::size_t length_ = 0;
};

}  // namespace

void Trace::Dump(int file, std::size_t records_of_thread) noexcept {
  const std::uint64_t trace = internal::CurrentTrace();
  Line line;
  for (internal::TraceRing* ring = internal::FirstRing(); ring != nullptr; ring = ring->next) {
    // acquire, both - pairs with the thread's writes.
    if (ring->trace.load(std::memory_order_acquire) != trace) continue;
    const std::uint64_t head = ring->head.load(std::memory_order_acquire);
    line.Add("thread ").Add(internal::StatsGet(ring->thread)).Add(" records ").Add(head).Add("\n");
    line.Write(file);
    const std::uint64_t most = std::min<std::uint64_t>(records_of_thread, ring->records - 1);
    for (std::uint64_t number = head > most ? head - most : 0; number < head; ++number) {
      internal::TraceRecord record;
      if (!internal::ReadRecord(*ring, number, record)) continue;
      line.Add("  ").Add(record.time).Add(" ").Add(internal::TraceKindName(record.kind));
      line.Add(" isolate ").Add(record.isolate);
      line.Add(" ").Add(record.first).Add(" ").Add(record.second).Add("\n");
      line.Write(file);
    }
  }
}

#else

void Trace::Start(const TraceOptions&) {
  throw StateError("the library was built without instruments, and has no trace");
}
void Trace::Stop() noexcept {}
void Trace::Write(std::ostream& out) { out << "{\"traceEvents\":[]}\n"; }
MessageLatencies Trace::Latencies() { return {}; }
void Trace::Dump(int, std::size_t) noexcept {}

#endif

}  // namespace isolates
