// The segment, and who has which entry of it.
//
// Threads take entries of isolates and ports several at a time and keep some that they were given
// back, so that starting and ending isolates on one thread takes no lock.

#include "isolates/detail/instruments.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <utility>

namespace isolates::internal {

#if ISOLATES_INSTRUMENTS

constinit std::atomic<StatsSegment*> stats_segment{nullptr};
constinit StatsThread stats_nobody{};
thread_local constinit ThreadMeter* ThreadMeter::this_meter_ = nullptr;

namespace {

// Numbers of entries that nobody has.
template <std::size_t kCapacity>
class FreeEntries {
 public:
  // 0: none is left. `table`: tells how many were ever taken.
  std::uint32_t Take(StatsTable& table) noexcept {
    // relaxed - a hint: who misses one that is given back now is counted with others.
    if (left_.load(std::memory_order_relaxed) == 0) return 0;
    const std::lock_guard lock(mutex_);
    const std::size_t left = left_.load(std::memory_order_relaxed);  // relaxed - under the lock
    if (left == 0) return 0;
    left_.store(left - 1, std::memory_order_relaxed);
    if (count_ != 0) return free_[--count_];
    StatsPut(table.used, ++used_);
    return used_;
  }
  void Put(std::uint32_t number) noexcept {
    const std::lock_guard lock(mutex_);
    free_[count_++] = number;
    // relaxed - under the lock
    left_.store(left_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

 private:
  std::mutex mutex_;  // held for some instructions
  std::atomic<std::size_t> left_{kCapacity};
  std::uint32_t used_ = 0;
  std::size_t count_ = 0;
  std::array<std::uint32_t, kCapacity> free_{};
};

struct Registry {
  FreeEntries<kStatsThreads> threads;
  FreeEntries<kStatsIsolates> isolates;
  FreeEntries<kStatsPorts> ports;
};
constinit Registry registry;

std::once_flag segment_made;
// Of the file, as long as it is there; const after the segment was made.
constinit std::array<char, 256> segment_path{};

// Of this process; a child that was forked has the same handlers of exit.
void RemoveFile() noexcept {
  // relaxed - this thread or one before it has made the segment.
  const StatsSegment* const segment = stats_segment.load(std::memory_order_relaxed);
  if (StatsGet(segment->header.pid) == static_cast<std::uint64_t>(getpid())) {
    unlink(segment_path.data());
  }
}

// What a process has left that died with this path. A file of anybody else stays.
void RemoveFormerSegment() noexcept {
  const int opened = open(segment_path.data(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (opened < 0) return;
  std::uint64_t magic = 0;
  const bool former = read(opened, &magic, sizeof(magic)) == sizeof(magic) && magic == kStatsMagic;
  close(opened);
  if (former) unlink(segment_path.data());
}

std::string_view FileByEnvironment() noexcept {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): read once, as programs do that set none meanwhile
  const char* const value = std::getenv("ISOLATES_STATS");
  if (value == nullptr || std::string_view(value) == "0") return {};
  return std::string_view(value) == "1" ? kDefaultStatsFile : std::string_view(value);
}

// The path with the number of this process in place of PID. False: it is too long.
bool PutPath(std::string_view file) noexcept {
  std::array<char, 24> pid{};
  std::size_t digits = 0;
  for (auto number = static_cast<unsigned>(getpid()); number != 0; number /= 10) {
    pid[digits++] = static_cast<char>('0' + number % 10);
  }
  std::size_t length = 0;
  constexpr std::string_view kPid = "PID";
  const std::size_t at = file.rfind(kPid);
  for (std::size_t i = 0; i < file.size(); ++i) {
    if (length + pid.size() >= segment_path.size()) return false;
    if (i == at) {
      while (digits != 0) segment_path[length++] = pid[--digits];
      i += kPid.size() - 1;
    } else {
      segment_path[length++] = file[i];
    }
  }
  segment_path[length] = 0;
  return true;
}

void* MapFile(std::string_view file) noexcept {
  if (file.empty() || !PutPath(file)) return MAP_FAILED;
  RemoveFormerSegment();
  constexpr int kMode = 0600;
  const int opened =
      open(segment_path.data(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kMode);
  void* mapped = MAP_FAILED;
  if (opened >= 0) {
    if (ftruncate(opened, sizeof(StatsSegment)) == 0) {
      mapped = mmap(nullptr, sizeof(StatsSegment), PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
    }
    close(opened);
  }
  if (mapped == MAP_FAILED) {
    if (opened >= 0) unlink(segment_path.data());
    segment_path[0] = 0;
  }
  return mapped;
}

template <class Entries>
void Describe(StatsTable& table, const StatsSegment& segment, const Entries& entries) noexcept {
  const auto* const begin = reinterpret_cast<const std::byte*>(&segment);
  const auto* const first = reinterpret_cast<const std::byte*>(entries.data());
  StatsPut(table.offset, static_cast<std::uint64_t>(first - begin));
  StatsPut(table.stride, sizeof(entries[0]));
  StatsPut(table.capacity, entries.size());
}

std::uint64_t WallClock() noexcept {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

void MakeSegment(std::string_view file) noexcept {
  void* mapped = MapFile(file);
  if (mapped == MAP_FAILED) {
    mapped = mmap(nullptr, sizeof(StatsSegment), PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (mapped == MAP_FAILED) return;
  // What is mapped is zero, as a segment is to be. No constructor, which would touch all of it.
  auto* const segment = std::launder(static_cast<StatsSegment*>(mapped));
  StatsHeader& header = segment->header;
  StatsPut(header.version, kStatsVersion);
  StatsPut(header.bytes, sizeof(StatsSegment));
  StatsPut(header.pid, static_cast<std::uint64_t>(getpid()));
  StatsPut(header.started, WallClock());
  StatsPut(header.started_time, StatsNow());
  // acquire - pairs with ConfigureRuntime.
  const bool own_clock = program_clock.load(std::memory_order_acquire) != nullptr;
  StatsPut(header.clock, own_clock ? 1 : 0);
  header.program.Put(program_invocation_short_name);
  Describe(header.threads, *segment, segment->threads);
  Describe(header.isolates, *segment, segment->isolates);
  Describe(header.ports, *segment, segment->ports);
  Describe(header.histograms, *segment, segment->histograms);
  // Each isolate has the histograms of its own entry's number, if there are such.
  StatsPut(header.histograms.used, kStatsOwnHistograms);
  // release, both - whoever sees it sees the rest.
  header.magic.store(kStatsMagic, std::memory_order_release);
  stats_segment.store(segment, std::memory_order_release);
  if (segment_path[0] != 0) std::atexit(&RemoveFile);
}

StatsSegment* Segment() noexcept {
  // acquire - pairs with MakeSegment.
  StatsSegment* segment = stats_segment.load(std::memory_order_acquire);
  if (segment != nullptr) return segment;
  StartStats("");
  return stats_segment.load(std::memory_order_acquire);  // acquire - as above
}

// Who it is comes first, then the generation (S2).
void MakeOdd(StatsWord& generation) noexcept {
  // release - pairs with readers: who it is.
  generation.store(StatsGet(generation) + 1, std::memory_order_release);
}
void MakeEven(StatsWord& generation) noexcept {
  // release - pairs with readers: its last counts.
  generation.store(StatsGet(generation) + 1, std::memory_order_release);
}

// All words of an entry but the generation, which is the first.
template <class Entry>
void Clear(Entry& entry) noexcept {
  auto* const words = reinterpret_cast<StatsWord*>(&entry);
  for (std::size_t i = 1; i < sizeof(Entry) / sizeof(StatsWord); ++i) StatsPut(words[i], 0);
}

// One entry more in a table that is full.
void CountBeyond(StatsWord& beyond) noexcept {
  beyond.fetch_add(1, std::memory_order_relaxed);  // relaxed - a counter
}

// Several at once, for what follows.
constexpr int kAtOnce = 8;
template <class Entries>
std::uint32_t TakeEntry(Entries& entries, StatsTable& table, StatsStock* stock) noexcept {
  if (stock == nullptr) return entries.Take(table);
  if (const std::uint32_t number = stock->Take()) return number;
  std::array<std::uint32_t, kAtOnce> taken{};
  std::size_t count = 0;
  while (count < taken.size() && (taken[count] = entries.Take(table)) != 0) ++count;
  if (count == 0) return 0;
  // The first is used first.
  while (count > 1) stock->Put(taken[--count]);
  return taken[0];
}
template <class Entries>
void GiveBackEntry(Entries& entries, StatsStock* stock, std::uint32_t number) noexcept {
  if (stock == nullptr || !stock->Put(number)) entries.Put(number);
}

}  // namespace

void StartStats(std::string_view file) noexcept {
  std::call_once(segment_made, [&] { MakeSegment(file.empty() ? FileByEnvironment() : file); });
}

void EndStats() noexcept {
  // acquire - pairs with MakeSegment.
  if (StatsSegment* const segment = stats_segment.load(std::memory_order_acquire)) {
    StatsPut(segment->header.ended, 1);
  }
}

const StatsHeader* LocalStats() noexcept {
  // acquire - pairs with MakeSegment.
  const StatsSegment* const segment = stats_segment.load(std::memory_order_acquire);
  return segment != nullptr ? &segment->header : nullptr;
}

void ThreadMeter::Begin(std::string_view name, int worker) noexcept {
  if (entry_ == nullptr) {
    if (StatsSegment* const segment = Segment()) {
      number_ = registry.threads.Take(segment->header.threads);
      if (number_ != 0) {
        entry_ = &segment->threads[number_ - 1];
        Clear(*entry_);
      } else {
        CountBeyond(segment->header.threads_beyond);
      }
    }
    if (entry_ == nullptr) {
      // Kept: isolates that it ran may still point to it.
      if (private_ == nullptr) private_ = new (std::nothrow) StatsThread{};
      entry_ = private_ != nullptr ? private_ : &stats_nobody;
    }
    StatsPut(entry_->id, static_cast<std::uint64_t>(gettid()));
    StatsPut(entry_->worker, static_cast<std::uint64_t>(worker));
    entry_->name.Put(name);
    if (number_ != 0) MakeOdd(entry_->generation);
    this_meter_ = this;
    return;
  }
  entry_->name.Put(name);
}

void ThreadMeter::End() noexcept {
  if (entry_ == nullptr) return;
  this_meter_ = nullptr;
  while (const std::uint32_t number = isolates_.Take()) registry.isolates.Put(number);
  while (const std::uint32_t number = ports_.Take()) registry.ports.Put(number);
  if (number_ != 0) {
    MakeEven(entry_->generation);
    registry.threads.Put(number_);
  }
  entry_ = nullptr;
  number_ = 0;
}

void IsolateMeter::Begin(ThreadMeter& thread, const MeteredIsolate& isolate) noexcept {
  thread.Ensure();
  entry_ = &thread.entry_->others;
  StatsSegment* const segment = Segment();
  if (segment == nullptr) return;
  const std::uint32_t number =
      TakeEntry(registry.isolates, segment->header.isolates, &thread.isolates_);
  if (number == 0) {
    CountBeyond(segment->header.isolates_beyond);
    return;
  }
  StatsIsolate& entry = segment->isolates[number - 1];
  Clear(entry);
  if (number <= kStatsOwnHistograms) {
    segment->histograms[number - 1].waiting.Clear();
    segment->histograms[number - 1].handling.Clear();
    StatsPut(entry.histograms, number);
  }
  StatsPut(entry.id, isolate.id);
  entry.name.Put(isolate.name);
  StatsPut(entry.flags, isolate.flags);
  StatsPut(entry.born, StatsNow());
  MakeOdd(entry.generation);
  entry_ = &entry;
}

void IsolateMeter::End(std::uint64_t id, std::uint64_t reason) noexcept {
  WriteSent();
  if (Tracing()) TraceEvent(TraceKind::kExit, id, reason);
  StatsIsolate& entry = *std::exchange(entry_, &stats_nobody.others);
  if (StatsGet(entry.id) == 0) return;
  StatsPut(entry.turn_began, 0);
  MakeEven(entry.generation);
  // relaxed - whoever has an entry has seen the segment.
  StatsSegment& segment = *stats_segment.load(std::memory_order_relaxed);
  const auto number = static_cast<std::uint32_t>(&entry - segment.isolates.data()) + 1;
  ThreadMeter* const thread = ThreadMeter::OfThisThread();
  GiveBackEntry(registry.isolates, thread != nullptr ? &thread->isolates_ : nullptr, number);
}

void PortMeter::Begin(IsolateMeter& host, std::uint64_t id, std::uint64_t isolate,
                      std::string_view name, bool bounded) noexcept {
  StatsSegment* const segment = Segment();
  if (segment == nullptr) return;
  StatsAdd(host.entry_->ports, 1);
  ThreadMeter* const thread = ThreadMeter::OfThisThread();
  number_ = TakeEntry(registry.ports, segment->header.ports,
                      thread != nullptr ? &thread->ports_ : nullptr);
  if (number_ == 0) {
    CountBeyond(segment->header.ports_beyond);
    return;
  }
  StatsPort& port = entry();
  Clear(port);
  StatsPut(port.id, id);
  StatsPut(port.isolate, isolate);
  port.name.Put(name);
  StatsPut(port.flags, bounded ? kStatsPortBounded : 0);
  MakeOdd(port.generation);
}

void PortMeter::Close() noexcept {
  if (number_ == 0) return;
  StatsPut(entry().flags, StatsGet(entry().flags) | kStatsPortClosed);
  StatsPut(entry().depth, 0);
}

void PortMeter::GiveBack() noexcept {
  MakeEven(entry().generation);
  ThreadMeter* const thread = ThreadMeter::OfThisThread();
  GiveBackEntry(registry.ports, thread != nullptr ? &thread->ports_ : nullptr, number_);
}

#else

const StatsHeader* LocalStats() noexcept { return nullptr; }
void StartStats(std::string_view) noexcept {}
void EndStats() noexcept {}

#endif

}  // namespace isolates::internal
