// A trace of what isolates do: turns, messages, wake-ups, sleeps. Off until it is asked for; then
// each thread writes what happens on it to a ring of its own, where the newest records take the
// place of the oldest. The trace is read afterwards, or from time to time: as a file that Perfetto
// (https://ui.perfetto.dev) or chrome://tracing shows, as histograms of where the time of messages
// went, or as text when the program is about to die.
//
// A library that was built without instruments (--config=no-instruments) has no trace: Start throws
// StateError, everything else finds nothing.

#ifndef ISOLATES_TRACE_H_
#define ISOLATES_TRACE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>

#include "isolates/clock.h"

namespace isolates {

// Options of Trace::Start.
struct TraceOptions {
  // What each thread keeps: its newest records, of 32 bytes each. Rounded up to a power of two. A
  // message takes about six records, of its sender's and of its receiver's thread.
  std::size_t records_of_thread = std::size_t{1} << 16;
};

// How often which durations occurred; buckets are at most a quarter as wide as their lower bound.
class DurationHistogram {
 public:
  // How many there are.
  static constexpr std::size_t kBuckets = 128;

  // One more.
  void Record(Duration duration) noexcept;
  std::uint64_t count() const noexcept { return count_; }
  Duration max() const noexcept { return max_; }
  // The upper bound of the bucket in which that share (0 to 1) of all durations lies; 0 of none.
  Duration Percentile(double share) const noexcept;
  const std::array<std::uint64_t, kBuckets>& buckets() const noexcept { return buckets_; }
  // The shortest duration that counts in that bucket.
  static Duration LowerBound(std::size_t bucket) noexcept;

 private:
  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  Duration max_{0};
};

// Where the time of messages went. Each message that is in the trace from its sending to its
// receipt counts once in each.
struct MessageLatencies {
  DurationHistogram visible;   // from Send until its receiver could find it
  DurationHistogram woken;     // until its receiver ran, 0 if it did already
  DurationHistogram dequeued;  // until it was taken out of the port
  DurationHistogram started;   // until its handler began
  DurationHistogram handled;   // until that was done: a listener returned; others received the next
                               // message, slept, or ended their turn
  DurationHistogram total;     // all of it
};

// The trace of the process: there is one.
class Trace {
 public:
  // Begins a trace; what was recorded before is forgotten. Messages that are on their way at this
  // moment are not in it. Throws std::bad_alloc. All functions: any thread.
  static void Start(const TraceOptions& options = {});
  // What was recorded stays.
  static void Stop() noexcept;
  // Between Start and Stop.
  static bool running() noexcept;

  // In Chrome's JSON format: threads and isolates are tracks, messages are arrows from where they
  // were sent to where they were handled. While the trace runs, threads go on recording. What the
  // ring of one thread has lost is left out of all, so that no arrow is wrong.
  static void Write(std::ostream& out);
  // False: the file could not be written.
  static bool Write(const std::string& path);

  // Of the messages that are in the trace now.
  static MessageLatencies Latencies();

  // The newest records of each thread as text, a line each, oldest first, for a handler of fatal
  // signals: neither locks nor allocates, and calls nothing but write(2). Threads that run
  // meanwhile may garble a line.
  static void Dump(int file, std::size_t records_of_thread = 64) noexcept;
};

}  // namespace isolates

#endif  // ISOLATES_TRACE_H_
