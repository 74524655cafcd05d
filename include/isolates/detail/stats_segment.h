// The counters of a running program, as they lie in a segment of shared memory.
//
// A viewer maps the segment read-only and reads it while the program runs; it needs this header
// and nothing else of the library. The segment is a StatsHeader, which says where each table begins
// and how long its entries are, and the tables: threads, isolates, ports, histograms.
//
// Rules
//   S1. Each word is a std::atomic<std::uint64_t> without a lock. What belongs to an entry in use
//       is written by one thread at a time: a thread's entry by the thread, an isolate's and its
//       histograms' by the thread that runs the isolate, a port's by the thread that runs the
//       port's isolate. So counting is a load and a store, never a read-modify-write. Words of one
//       entry are not consistent with each other at every moment.
//   S2. An entry's generation is odd while it is in use. Whoever takes the entry clears it, writes
//       who it is, and makes the generation odd last; whoever gives it back makes it even and
//       leaves the counters to be read until the entry is taken again. So a reader looks at the
//       generation, reads, looks again; if both were the same, the name and the counters belong
//       together.
//   S3. Entries are taken from the front of a table: those from StatsTable::used on were never
//       used.
//   S4. What finds its table full is counted by the entry of the thread that runs it, in `others`.
//   S5. Times are nanoseconds of CLOCK_MONOTONIC, or of the program's own clock (RuntimeOptions::
//       clock, or a simulation's): StatsHeader::clock.

#ifndef ISOLATES_DETAIL_STATS_SEGMENT_H_
#define ISOLATES_DETAIL_STATS_SEGMENT_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isolates::internal {

using StatsWord = std::atomic<std::uint64_t>;
static_assert(StatsWord::is_always_lock_free && sizeof(StatsWord) == sizeof(std::uint64_t));

inline constexpr std::uint64_t kStatsMagic = 0x3153544154534f53;  // "SOSTATS1", little endian
inline constexpr std::uint64_t kStatsVersion = 1;                 // of this layout

// Of the owner of the word (S1). relaxed, all - counters; nothing is published by them.
inline void StatsAdd(StatsWord& word, std::uint64_t amount) noexcept {
  word.store(word.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}
inline void StatsPut(StatsWord& word, std::uint64_t value) noexcept {
  word.store(value, std::memory_order_relaxed);
}
inline void StatsRaise(StatsWord& word, std::uint64_t value) noexcept {
  if (value > word.load(std::memory_order_relaxed)) word.store(value, std::memory_order_relaxed);
}
inline std::uint64_t StatsGet(const StatsWord& word) noexcept {
  return word.load(std::memory_order_relaxed);
}

// A text in words, ended by a zero byte; the rest of a long one is cut off.
template <std::size_t kWords>
struct StatsText {
  static constexpr std::size_t kMostBytes = 8 * kWords - 1;

  void Put(std::string_view text) noexcept {
    std::array<std::uint64_t, kWords> copy{};
    text.copy(reinterpret_cast<char*>(copy.data()), kMostBytes);
    for (std::size_t i = 0; i < kWords; ++i) StatsPut(words[i], copy[i]);
  }
  std::string Get() const {
    std::array<std::uint64_t, kWords> copy{};
    for (std::size_t i = 0; i < kWords; ++i) copy[i] = StatsGet(words[i]);
    const std::string_view text(reinterpret_cast<const char*>(copy.data()), sizeof(copy));
    return std::string(text.substr(0, text.find('\0')));
  }

  std::array<StatsWord, kWords> words;
};

// How often which durations occurred. Log-linear: 16 ns wide up to 64 ns, then four buckets for
// each power of two, up to 137 s, where the last one takes all. So a bucket is at most a quarter as
// wide as its lower bound.
struct alignas(64) StatsHistogram {
  static constexpr std::size_t kBuckets = 128;

  static constexpr std::size_t BucketOf(std::uint64_t nanoseconds) noexcept {
    const std::uint64_t value = nanoseconds >> 4;
    if (value < 4) return static_cast<std::size_t>(value);
    const auto width = static_cast<std::size_t>(std::bit_width(value));
    const std::size_t bucket = 4 * (width - 2) + static_cast<std::size_t>(value >> (width - 3) & 3);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  // The least duration of a bucket; that of kBuckets is the end of the last one.
  static constexpr std::uint64_t LowerBound(std::size_t bucket) noexcept {
    if (bucket < 4) return 16 * bucket;
    return (4 + bucket % 4) << (bucket / 4 - 1) << 4;
  }

  void Record(std::uint64_t nanoseconds) noexcept {
    const std::size_t bucket = BucketOf(nanoseconds);
    const std::uint64_t before = StatsGet(buckets[bucket]);
    StatsPut(buckets[bucket], before + 1);
    StatsRaise(max, nanoseconds);
    if (before == 0) Widen(bucket);
  }
  void Clear() noexcept {
    for (std::size_t i = kBuckets - StatsGet(begin_from_end); i < StatsGet(end); ++i) {
      StatsPut(buckets[i], 0);
    }
    for (StatsWord* word : {&max, &end, &begin_from_end}) StatsPut(*word, 0);
  }
  std::uint64_t Count() const noexcept {
    std::uint64_t count = 0;
    for (const StatsWord& bucket : buckets) count += StatsGet(bucket);
    return count;
  }

  StatsWord max;             // the longest of all durations
  StatsWord end;             // no bucket from here on is used
  StatsWord begin_from_end;  // nor one before kBuckets minus this
  std::array<StatsWord, 5> unused;
  std::array<StatsWord, kBuckets> buckets;

 private:
  void Widen(std::size_t bucket) noexcept {
    StatsRaise(end, bucket + 1);
    StatsRaise(begin_from_end, kBuckets - bucket);
  }
};

// Of an isolate, or of all that share the entry. The sums are StatsIsolate::waiting and handling.
struct StatsHistograms {
  StatsHistogram waiting;   // from ready to the begin of a turn
  StatsHistogram handling;  // of turns, without what they waited
};

// What an isolate is, in StatsIsolate::flags.
inline constexpr std::uint64_t kStatsLight = 1;      // it has no heap of its own
inline constexpr std::uint64_t kStatsAttached = 2;   // it is a plain thread
inline constexpr std::uint64_t kStatsDedicated = 4;  // it has a processor of its own
inline constexpr std::uint64_t kStatsUrgent = 8;
inline constexpr std::uint64_t kStatsHosted = 16;  // a loop of the program runs it

struct alignas(64) StatsIsolate {
  // Who it is (S2).
  StatsWord generation;
  StatsWord id;  // 0: `others`
  StatsText<6> name;

  StatsWord flags;
  StatsWord thread;      // entry of the thread that ran it last, from 1
  StatsWord histograms;  // entry of its histograms, from 1; 0: it shares those of its thread
  StatsWord born;        // time
  StatsWord heap_live;   // bytes in blocks that live, when they were looked at
  StatsWord heap_committed;
  StatsWord heap_time;  // when that was; 0: never
  StatsWord ports;      // entries of ports that it has opened, ever

  StatsWord turn_began;  // time; 0: it is in no turn
  StatsWord turns;
  StatsWord events;
  StatsWord handling;  // ns in turns, without what they waited
  StatsWord waiting;   // ns from ready to the begin of turns
  StatsWord lingered;  // ns in turns in which it looked for messages and there were none
  StatsWord sent;      // messages that were accepted
  StatsWord received;

  StatsWord parks;       // sleeps in a turn
  StatsWord parked;      // ns that they took
  StatsWord wakes;       // times it was idle and made ready, or asleep in a turn and woken
  StatsWord last_waker;  // id of the isolate that did; 0: a plain thread, or time
  std::array<StatsWord, 4> unused;
};
static_assert(sizeof(StatsIsolate) == 256);

inline constexpr std::uint64_t kStatsPortClosed = 1;  // in StatsPort::flags
inline constexpr std::uint64_t kStatsPortBounded = 2;

struct alignas(64) StatsPort {
  StatsWord generation;
  StatsWord id;       // 0: `others`
  StatsWord isolate;  // id of the isolate that it belongs to
  StatsText<5> name;  // may be empty

  StatsWord flags;
  StatsWord received;  // messages
  StatsWord batches;   // events in which they were handled
  StatsWord depth;     // messages that wait, when the receiver last looked; at most 16 messages old
  StatsWord depth_max;
  std::array<StatsWord, 3> unused;
};
static_assert(sizeof(StatsPort) == 128);

// What a thread is at, in StatsThread::state.
inline constexpr std::uint64_t kStatsOutside = 0;  // in code of the program, or nothing is known
inline constexpr std::uint64_t kStatsRuns = 1;     // it runs a turn
inline constexpr std::uint64_t kStatsSearches = 2;
inline constexpr std::uint64_t kStatsParked = 3;  // it sleeps
inline constexpr std::uint64_t kStatsSpare = 4;   // a worker without a place

struct alignas(64) StatsThread {
  StatsWord generation;
  StatsWord id;      // of the system (gettid)
  StatsWord worker;  // number of the worker, from 1; 0: a plain thread
  StatsText<5> name;

  StatsWord state;
  StatsWord isolate;     // id of the isolate whose turn it runs; 0: none
  StatsWord turn_began;  // time; 0: it runs no turn
  StatsWord place;       // of the worker, from 1; 0: none
  StatsWord turns;
  StatsWord busy;   // ns in turns, lingering included
  StatsWord idle;   // ns in which it looked for work, slept, or was a spare
  StatsWord parks;  // sleeps without work

  StatsWord wakes;       // of them: ended by another thread
  StatsWord steals;      // turns of isolates that stood in the queue of another place
  StatsWord taken_over;  // places that it was given
  std::array<StatsWord, 5> unused;

  // Isolates and ports that have no entries (S4).
  StatsIsolate others;
  StatsPort other_ports;
  StatsHistograms histograms;
};

// Where the entries of one kind are.
struct StatsTable {
  StatsWord offset;    // from the begin of the segment, bytes
  StatsWord stride;    // from one to the next, bytes
  StatsWord capacity;  // entries
  StatsWord used;      // entries that were ever taken (S3)
};

struct alignas(4096) StatsHeader {
  StatsWord magic;  // kStatsMagic, written when all else is there
  StatsWord version;
  StatsWord bytes;  // of the whole segment
  StatsWord pid;
  StatsWord started;       // CLOCK_REALTIME, ns since 1970
  StatsWord started_time;  // the same moment, as the times of the segment
  StatsWord clock;         // 0: CLOCK_MONOTONIC; 1: the program's own
  StatsWord ended;         // 1: the runtime has stopped
  StatsText<16> program;   // its name

  StatsTable threads;     // of StatsThread
  StatsTable isolates;    // of StatsIsolate
  StatsTable ports;       // of StatsPort
  StatsTable histograms;  // of StatsHistograms

  // How many found their table full (written with read-modify-writes; that is rare).
  StatsWord threads_beyond;  // they are not counted at all
  StatsWord isolates_beyond;
  StatsWord ports_beyond;
};
static_assert(sizeof(StatsHeader) == 4096);

// How many there are of each in this version.
inline constexpr std::size_t kStatsThreads = 256;
inline constexpr std::size_t kStatsIsolates = 4096;
inline constexpr std::size_t kStatsPorts = 4096;
inline constexpr std::size_t kStatsOwnHistograms = 1024;

// The whole, as this version lays it out. Anonymous memory and a fresh file are zero: no entry is
// in use.
struct StatsSegment {
  StatsHeader header;
  std::array<StatsThread, kStatsThreads> threads;
  std::array<StatsIsolate, kStatsIsolates> isolates;
  std::array<StatsPort, kStatsPorts> ports;
  std::array<StatsHistograms, kStatsOwnHistograms> histograms;
};

// An entry by its number from 1, for readers: they go by what the header says, not by the sizes
// that they were compiled with.
template <class Entry>
const Entry& StatsEntry(const StatsHeader& header, const StatsTable& table, std::size_t number) {
  const auto* const begin = reinterpret_cast<const std::byte*>(&header);
  return *reinterpret_cast<const Entry*>(begin + StatsGet(table.offset) +
                                         (number - 1) * StatsGet(table.stride));
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_STATS_SEGMENT_H_
