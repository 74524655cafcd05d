#include "src/base/trace_ring.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <new>

#include "isolates/detail/stats_clock.h"

namespace isolates::internal {

#if ISOLATES_INSTRUMENTS

constinit std::atomic<bool> trace_on{false};
constinit std::atomic<std::uint64_t> LaneMeter::next_id_{1};

namespace {

// Counts traces; a ring whose number is another one is empty.
constinit std::atomic<std::uint64_t> current_trace{0};
constinit std::atomic<std::size_t> ring_records{0};
constinit std::atomic<TraceRing*> rings{nullptr};

// Names of isolates, of which some may have ended when the trace is read. Never shrinks; beyond,
// isolates are told by their numbers.
//
//   id     whoever finds it 0, by compare-exchange       everybody
//   name   the same, afterwards                          everybody; a torn name garbles a report
struct TracedNames {
  static constexpr std::size_t kPlaces = 8192;
  static constexpr std::size_t kTries = 16;
  struct Place {
    StatsWord id;
    StatsText<6> name;
  };
  static std::size_t FirstOf(std::uint64_t id) noexcept {
    return static_cast<std::size_t>(id * 0x9e3779b97f4a7c15U >> 51) % kPlaces;
  }
  std::array<Place, kPlaces> places;
};
constinit std::atomic<TracedNames*> traced_names{nullptr};

void NoteName(const StatsIsolate& entry, std::uint64_t id) noexcept {
  // acquire - pairs with BeginTrace.
  TracedNames* const names = traced_names.load(std::memory_order_acquire);
  if (names == nullptr || StatsGet(entry.id) != id) return;
  const std::size_t first = TracedNames::FirstOf(id);
  for (std::size_t i = 0; i < TracedNames::kTries; ++i) {
    TracedNames::Place& place = names->places[(first + i) % TracedNames::kPlaces];
    std::uint64_t found = StatsGet(place.id);
    if (found == id) return;
    // relaxed, both - text of reports only.
    if (found != 0 || !place.id.compare_exchange_strong(found, id, std::memory_order_relaxed,
                                                        std::memory_order_relaxed)) {
      if (found == id) return;
      continue;
    }
    for (std::size_t j = 0; j < place.name.words.size(); ++j) {
      StatsPut(place.name.words[j], StatsGet(entry.name.words[j]));
    }
    return;
  }
}

void* MapZero(std::size_t bytes) noexcept {
  void* const mapped =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mapped == MAP_FAILED ? nullptr : mapped;
}

TraceRing* ClaimRing(std::size_t records, std::uint64_t trace) noexcept {
  // acquire - pairs with the publication below.
  for (TraceRing* ring = rings.load(std::memory_order_acquire); ring != nullptr;
       ring = ring->next) {
    if (ring->records != records || StatsGet(ring->trace) == trace) continue;
    bool owned = false;
    // acquire - pairs with ~RingOfThread.
    if (ring->owned.compare_exchange_strong(owned, true, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
      return ring;
    }
  }
  // Zero is what each of its words is to begin with.
  auto* const ring =
      static_cast<TraceRing*>(MapZero(TraceRing::kHead + records * sizeof(TraceWords)));
  if (ring == nullptr) return nullptr;
  ring->records = records;
  ring->owned.store(true, std::memory_order_relaxed);  // relaxed - not yet shared
  ring->next = rings.load(std::memory_order_relaxed);  // relaxed - first guess
  // release - pairs with every walk over the list.
  while (!rings.compare_exchange_weak(ring->next, ring, std::memory_order_release,
                                      std::memory_order_relaxed)) {
  }
  return ring;
}

struct RingOfThread {
  TraceRing* ring = nullptr;
  ~RingOfThread() {
    // release - pairs with ClaimRing.
    if (ring != nullptr) ring->owned.store(false, std::memory_order_release);
    ring = nullptr;
  }
};
thread_local RingOfThread ring_of_thread;

// The ring of this thread, for the trace that is on; nullptr: no memory.
TraceRing* RingForTrace() noexcept {
  // acquire - pairs with BeginTrace: the number of records.
  const std::uint64_t trace = current_trace.load(std::memory_order_acquire);
  TraceRing*& ring = ring_of_thread.ring;
  if (ring != nullptr && StatsGet(ring->trace) == trace) return ring;
  const std::size_t records = ring_records.load(std::memory_order_relaxed);  // relaxed - as above
  if (ring != nullptr && ring->records != records) {
    ring->owned.store(false, std::memory_order_release);  // release - pairs with ClaimRing
    ring = nullptr;
  }
  if (ring == nullptr) ring = ClaimRing(records, trace);
  if (ring == nullptr) return nullptr;
  std::array<char, 32> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  ring->name.Put(name.data());
  StatsPut(ring->thread, static_cast<std::uint64_t>(gettid()));
  StatsPut(ring->head, 0);
  // release - pairs with readers: the rest.
  ring->trace.store(trace, std::memory_order_release);
  return ring;
}

// In a simulation much happens at one time: each record is a nanosecond later than the one before,
// so that their order is told by the time.
constinit std::atomic<std::uint64_t> last_simulated{0};

std::uint64_t SimulatedTime() noexcept {
  const std::uint64_t now = StatsNow();
  // relaxed, all - a number generator.
  std::uint64_t last = last_simulated.load(std::memory_order_relaxed);
  while (!last_simulated.compare_exchange_weak(
      last, std::max(last + 1, now), std::memory_order_relaxed, std::memory_order_relaxed)) {
  }
  return std::max(last + 1, now);
}

}  // namespace

void TraceEvent(TraceKind kind, std::uint64_t isolate, std::uint64_t first,
                std::uint64_t second) noexcept {
  TraceRing* const ring = RingForTrace();
  if (ring == nullptr) return;
  const std::uint64_t head = StatsGet(ring->head);
  TraceWords& slot = ring->slots()[head & (ring->records - 1)];
  const bool simulated = thread_clock != nullptr;
  const std::uint64_t other_clock = simulated ? TraceWords::kOtherClock : 0;
  StatsPut(slot.words[0], simulated ? SimulatedTime() : StatsNow());
  StatsPut(slot.words[1], std::uint64_t{static_cast<std::uint8_t>(kind)} << TraceWords::kKindShift |
                              other_clock | (isolate & TraceWords::kIsolateMask));
  StatsPut(slot.words[2], first);
  StatsPut(slot.words[3], second);
  // release - pairs with ReadRecord: the record.
  ring->head.store(head + 1, std::memory_order_release);
}

void TraceTurn(const StatsIsolate& entry, std::uint64_t id) noexcept {
  NoteName(entry, id);
  TraceEvent(TraceKind::kTurnBegin, id);
}

TraceRing* FirstRing() noexcept {
  return rings.load(std::memory_order_acquire);  // acquire - pairs with ClaimRing
}

std::uint64_t CurrentTrace() noexcept {
  return current_trace.load(std::memory_order_acquire);  // acquire - pairs with BeginTrace
}

bool ReadRecord(TraceRing& ring, std::uint64_t number, TraceRecord& record) noexcept {
  const TraceWords& slot = ring.slots()[number & (ring.records - 1)];
  // acquire, all - the look at head below comes after them.
  std::array<std::uint64_t, 4> words{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = slot.words[i].load(std::memory_order_acquire);
  }
  // The record at head may be half written.
  if (number + ring.records <= StatsGet(ring.head)) return false;
  record.time = words[0];
  record.kind = static_cast<TraceKind>(words[1] >> TraceWords::kKindShift);
  record.other_clock = (words[1] & TraceWords::kOtherClock) != 0;
  record.isolate = words[1] & TraceWords::kIsolateMask;
  record.first = words[2];
  record.second = words[3];
  return true;
}

void BeginTrace(std::size_t records_of_thread) {
  constexpr std::size_t kFewest = 64;
  constexpr std::size_t kMost = std::size_t{1} << 24;
  trace_on.store(false, std::memory_order_relaxed);               // relaxed - see Tracing
  if (traced_names.load(std::memory_order_relaxed) == nullptr) {  // relaxed - set here alone
    auto* const names = static_cast<TracedNames*>(MapZero(sizeof(TracedNames)));
    if (names == nullptr) throw std::bad_alloc();
    // release - pairs with NoteName: it is zero.
    traced_names.store(names, std::memory_order_release);
  }
  last_simulated.store(0, std::memory_order_relaxed);  // relaxed - as in SimulatedTime
  // relaxed - published by what follows.
  ring_records.store(std::bit_ceil(std::clamp(records_of_thread, kFewest, kMost)),
                     std::memory_order_relaxed);
  // release - pairs with RingForTrace.
  current_trace.fetch_add(1, std::memory_order_release);
  trace_on.store(true, std::memory_order_relaxed);  // relaxed - see Tracing
}

void EndTrace() noexcept {
  trace_on.store(false, std::memory_order_relaxed);  // relaxed - see Tracing
}

std::vector<TracedThread> CollectTrace() {
  std::vector<TracedThread> threads;
  const std::uint64_t trace = CurrentTrace();
  for (TraceRing* ring = FirstRing(); ring != nullptr; ring = ring->next) {
    // acquire, both - pairs with RingForTrace and TraceEvent.
    if (ring->trace.load(std::memory_order_acquire) != trace) continue;
    const std::uint64_t head = ring->head.load(std::memory_order_acquire);
    TracedThread thread;
    thread.thread = StatsGet(ring->thread);
    thread.name = ring->name.Get();
    // One less than there are: the oldest may just be overwritten.
    const std::uint64_t from = head >= ring->records ? head - ring->records + 1 : 0;
    thread.overwritten = from != 0;
    for (std::uint64_t number = from; number < head; ++number) {
      TraceRecord record;
      if (ReadRecord(*ring, number, record)) {
        thread.records.push_back(record);
      } else {
        thread.records.clear();  // older ones have been overwritten as well
        thread.overwritten = true;
      }
    }
    if (!thread.records.empty()) threads.push_back(std::move(thread));
  }
  return threads;
}

std::string TracedName(std::uint64_t isolate) {
  // acquire - pairs with BeginTrace.
  const TracedNames* const names = traced_names.load(std::memory_order_acquire);
  if (names == nullptr) return {};
  const std::size_t first = TracedNames::FirstOf(isolate);
  for (std::size_t i = 0; i < TracedNames::kTries; ++i) {
    const TracedNames::Place& place = names->places[(first + i) % TracedNames::kPlaces];
    if (StatsGet(place.id) == isolate) return place.name.Get();
    if (StatsGet(place.id) == 0) break;
  }
  return {};
}

#endif

}  // namespace isolates::internal
