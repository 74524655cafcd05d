#include "src/base/stats_copy.h"

#include <algorithm>
#include <cmath>

namespace isolates::internal {
namespace {

// acquire - so that the look at the generation that follows comes after it (rule S2).
std::uint64_t Read(const StatsWord& word) noexcept { return word.load(std::memory_order_acquire); }

template <std::size_t kWords>
std::string ReadText(const StatsText<kWords>& text) {
  std::string read = text.Get();
  // It goes to terminals: a damaged one has no say there.
  std::replace_if(
      read.begin(), read.end(), [](unsigned char letter) { return letter < ' ' || letter == 127; },
      '?');
  return read;
}

HistogramCopy ReadHistogram(const StatsHistogram& from) {
  HistogramCopy copy;
  copy.max = Read(from.max);
  for (std::size_t i = 0; i < copy.buckets.size(); ++i) {
    copy.buckets[i] = Read(from.buckets[i]);
    copy.count += copy.buckets[i];
  }
  return copy;
}

HistogramsCopy ReadHistograms(const StatsHistograms& from) {
  HistogramsCopy copy{ReadHistogram(from.waiting), ReadHistogram(from.handling)};
  for (HistogramCopy* const one : {&copy.waiting, &copy.handling}) {
    // Who has a histogram of its own knows better.
    for (std::size_t i = 0; i < one->buckets.size(); ++i) {
      one->sum +=
          one->buckets[i] * (StatsHistogram::LowerBound(i) + StatsHistogram::LowerBound(i + 1)) / 2;
    }
  }
  return copy;
}

IsolateCopy ReadEntry(const StatsHeader& header, const StatsIsolate& from) {
  IsolateCopy copy;
  copy.id = Read(from.id);
  copy.name = ReadText(from.name);
  copy.flags = Read(from.flags);
  copy.thread = Read(from.thread);
  copy.born = Read(from.born);
  copy.heap_live = Read(from.heap_live);
  copy.heap_committed = Read(from.heap_committed);
  copy.heap_time = Read(from.heap_time);
  copy.turn_began = Read(from.turn_began);
  copy.turns = Read(from.turns);
  copy.events = Read(from.events);
  copy.handling = Read(from.handling);
  copy.waiting = Read(from.waiting);
  copy.lingered = Read(from.lingered);
  copy.sent = Read(from.sent);
  copy.received = Read(from.received);
  copy.parks = Read(from.parks);
  copy.parked = Read(from.parked);
  copy.wakes = Read(from.wakes);
  copy.last_waker = Read(from.last_waker);
  const std::uint64_t own = Read(from.histograms);
  if (own != 0 && own <= Read(header.histograms.capacity)) {
    copy.histograms = ReadHistograms(
        StatsEntry<StatsHistograms>(header, header.histograms, static_cast<std::size_t>(own)));
    copy.histograms->waiting.sum = copy.waiting;
    copy.histograms->handling.sum = copy.handling;
  }
  return copy;
}

PortCopy ReadEntry(const StatsHeader&, const StatsPort& from) {
  PortCopy copy;
  copy.id = Read(from.id);
  copy.isolate = Read(from.isolate);
  copy.name = ReadText(from.name);
  copy.flags = Read(from.flags);
  copy.received = Read(from.received);
  copy.batches = Read(from.batches);
  copy.depth = Read(from.depth);
  copy.depth_max = Read(from.depth_max);
  return copy;
}

ThreadCopy ReadEntry(const StatsHeader& header, const StatsThread& from) {
  ThreadCopy copy;
  copy.id = Read(from.id);
  copy.worker = Read(from.worker);
  copy.name = ReadText(from.name);
  copy.state = Read(from.state);
  copy.isolate = Read(from.isolate);
  copy.turn_began = Read(from.turn_began);
  copy.place = Read(from.place);
  copy.turns = Read(from.turns);
  copy.busy = Read(from.busy);
  copy.idle = Read(from.idle);
  copy.parks = Read(from.parks);
  copy.wakes = Read(from.wakes);
  copy.steals = Read(from.steals);
  copy.taken_over = Read(from.taken_over);
  copy.others = ReadEntry(header, from.others);
  copy.other_ports = ReadEntry(header, from.other_ports);
  copy.histograms = ReadHistograms(from.histograms);
  return copy;
}

// Calls add(number, copy) for each entry that is in use.
template <class Entry, class Add>
void ReadTable(const StatsHeader& header, const StatsTable& table, Add add) {
  const std::uint64_t used = std::min(Read(table.used), Read(table.capacity));
  for (std::size_t number = 1; number <= used; ++number) {
    const auto& entry = StatsEntry<Entry>(header, table, number);
    const std::uint64_t generation = Read(entry.generation);
    if (generation % 2 == 0) continue;
    auto copy = ReadEntry(header, entry);
    if (Read(entry.generation) == generation) add(number, std::move(copy));
  }
}

bool Fits(const StatsTable& table, std::size_t least_stride, std::size_t bytes) {
  const std::uint64_t offset = Read(table.offset);
  const std::uint64_t stride = Read(table.stride);
  const std::uint64_t capacity = Read(table.capacity);
  constexpr std::uint64_t kAlign = alignof(StatsIsolate);  // the same for all
  return offset % kAlign == 0 && stride % kAlign == 0 && stride >= least_stride &&
         offset <= bytes && capacity <= (bytes - offset) / stride;
}

}  // namespace

std::uint64_t HistogramCopy::Quantile(double share) const noexcept {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    seen += buckets[i];
    if (seen < wanted || seen == 0) continue;
    return i + 1 == buckets.size() ? max : std::min(max, StatsHistogram::LowerBound(i + 1));
  }
  return 0;
}

HistogramCopy HistogramCopy::Since(const HistogramCopy& earlier) const noexcept {
  HistogramCopy since = *this;
  // Of another isolate, which had the entry before.
  if (earlier.count > count || earlier.sum > sum) return since;
  since.sum -= earlier.sum;
  since.count = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    since.buckets[i] -= std::min(earlier.buckets[i], buckets[i]);
    since.count += since.buckets[i];
  }
  return since;
}

std::string RefuseStats(const StatsHeader& header, std::size_t bytes) {
  if (bytes < sizeof(StatsHeader)) return "it is too short to hold counters of isolates";
  if (Read(header.magic) != kStatsMagic) return "it does not hold counters of isolates";
  if (const std::uint64_t version = Read(header.version); version != kStatsVersion) {
    return "its counters have layout " + std::to_string(version) + ", and only layout " +
           std::to_string(kStatsVersion) + " can be read";
  }
  if (Read(header.bytes) > bytes || !Fits(header.threads, sizeof(StatsThread), bytes) ||
      !Fits(header.isolates, sizeof(StatsIsolate), bytes) ||
      !Fits(header.ports, sizeof(StatsPort), bytes) ||
      !Fits(header.histograms, sizeof(StatsHistograms), bytes)) {
    return "it is cut short or damaged";
  }
  return "";
}

StatsCopy CopyStats(const StatsHeader& header) {
  StatsCopy copy;
  copy.pid = Read(header.pid);
  copy.started = Read(header.started);
  copy.started_time = Read(header.started_time);
  copy.clock = Read(header.clock);
  copy.ended = Read(header.ended) != 0;
  copy.program = ReadText(header.program);
  copy.threads_beyond = Read(header.threads_beyond);
  copy.isolates_beyond = Read(header.isolates_beyond);
  copy.ports_beyond = Read(header.ports_beyond);
  ReadTable<StatsThread>(header, header.threads, [&](std::size_t number, ThreadCopy thread) {
    thread.number = number;
    copy.threads.push_back(std::move(thread));
  });
  ReadTable<StatsIsolate>(header, header.isolates, [&](std::size_t, IsolateCopy isolate) {
    copy.isolates.push_back(std::move(isolate));
  });
  ReadTable<StatsPort>(header, header.ports,
                       [&](std::size_t, PortCopy port) { copy.ports.push_back(std::move(port)); });
  return copy;
}

}  // namespace isolates::internal
