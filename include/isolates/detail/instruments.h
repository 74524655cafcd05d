// What the library counts of itself, and where. Everything that counts does so through the meters
// here: one in each thread's context, in each isolate, in each port. They write to entries of the
// segment (stats_segment.h). Where the library is built without instruments
// (--//bazel:instruments=none) they are empty and do nothing.
//
// A message costs its sender a decrement, and its receiver nothing: receivers count messages
// anyway, and what has come is written down after an event, or after 64 messages at most.

#ifndef ISOLATES_DETAIL_INSTRUMENTS_H_
#define ISOLATES_DETAIL_INSTRUMENTS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "isolates/detail/instruments_level.h"
#include "isolates/detail/instruments_trace.h"
#include "isolates/detail/probe.h"
#include "isolates/detail/stats_clock.h"
#include "isolates/detail/stats_segment.h"

namespace isolates::internal {

// Any thread. The segment of this process; nullptr: nothing has been counted yet, or nothing is.
const StatsHeader* LocalStats() noexcept;

// Makes the segment, if nobody has: when the runtime starts. `file`: where others can map it; ""
// stands for what ISOLATES_STATS in the environment says (a path; "1": kDefaultStatsFile), by
// default memory of this process alone. The file goes at the end of the program. Without memory,
// or where the file cannot be made, there is none, or none that others see.
inline constexpr std::string_view kDefaultStatsFile = "/dev/shm/isolates.PID";
void StartStats(std::string_view file) noexcept;
// The runtime has stopped.
void EndStats() noexcept;

// What an isolate is, where its meter is to know it.
struct MeteredIsolate {
  std::uint64_t id;
  std::string_view name;
  std::uint64_t flags;
};

#if ISOLATES_INSTRUMENTS

// Entries of isolates and ports that a thread has taken and not used, by number.
class StatsStock {
 public:
  // 0: there is none.
  std::uint32_t Take() noexcept { return count_ != 0 ? kept_[--count_] : 0; }
  // False: it is full.
  bool Put(std::uint32_t number) noexcept {
    if (count_ == kMost) return false;
    kept_[count_++] = number;
    return true;
  }

 private:
  static constexpr std::uint32_t kMost = 16;
  std::array<std::uint32_t, kMost> kept_{};
  std::uint32_t count_ = 0;
};

// Of one thread. Used by it alone.
class ThreadMeter {
 public:
  ThreadMeter() = default;
  ThreadMeter(const ThreadMeter&) = delete;
  ThreadMeter& operator=(const ThreadMeter&) = delete;

  // `worker`: its number; 0: a plain thread. Again: only the name changes.
  void Begin(std::string_view name, int worker) noexcept;
  void Ensure() noexcept {
    if (entry_ == nullptr) Begin("thread", 0);
  }
  // The thread ends.
  void End() noexcept;
  // Of the calling thread, nullptr: it has not begun.
  static ThreadMeter* OfThisThread() noexcept { return this_meter_; }

  // After Begin.
  StatsThread& entry() noexcept { return *entry_; }
  std::uint32_t number() const noexcept { return number_; }

  void Stole() noexcept { StatsAdd(entry_->steals, 1); }
  void TookOver(int place) noexcept {
    StatsPut(entry_->place, static_cast<std::uint64_t>(place) + 1);
    StatsAdd(entry_->taken_over, 1);
  }
  void BecameSpare() noexcept { StatsPut(entry_->place, 0); }
  // Around a time in which it has nothing to do.
  std::uint64_t BeginIdle(std::uint64_t state) noexcept {
    StatsPut(entry_->state, state);
    return StatsNow();
  }
  void EndIdle(std::uint64_t begin) noexcept {
    StatsAdd(entry_->idle, StatsNow() - begin);
    StatsPut(entry_->state, kStatsOutside);
  }
  // In it, around a sleep; `woken`: by another thread.
  void Parks() noexcept { StatsPut(entry_->state, kStatsParked); }
  void Parked(bool woken) noexcept {
    StatsAdd(entry_->parks, 1);
    StatsAdd(entry_->wakes, woken ? 1 : 0);
    StatsPut(entry_->state, kStatsSearches);
  }

 private:
  friend class IsolateMeter;
  friend class PortMeter;

  static thread_local constinit ThreadMeter* this_meter_;

  StatsThread* entry_ = nullptr;
  StatsThread* private_ = nullptr;  // its own, which others do not see, once it has needed one
  std::uint32_t number_ = 0;        // of the entry; 0: it is its own
  StatsStock isolates_;
  StatsStock ports_;
};

// Where those count who have no entry, and nobody reads it.
extern constinit StatsThread stats_nobody;

// Of one isolate. Used by whoever has the isolate, unless something else is said.
class IsolateMeter {
 public:
  // Before its first turn. Without an entry for it, it is counted with others.
  void Begin(ThreadMeter& thread, const MeteredIsolate& isolate) noexcept;
  // It has ended, for that reason.
  void End(std::uint64_t id, std::uint64_t reason) noexcept;

  // Whoever has made it ready, and has it for that moment. `waker`: id of an isolate, or 0 for
  // others, or kNobody: it was not idle before.
  static constexpr std::uint64_t kNobody = ~std::uint64_t{0};
  void MadeReady(std::uint64_t waker, std::uint64_t id) noexcept {
    since_ = StatsNow();
    if (waker != kNobody) {
      WokenBy(waker, id);
    } else if (Tracing()) [[unlikely]] {
      TraceEvent(TraceKind::kStart, 0, id);
    }
  }
  // Any thread: it woke the isolate in a turn.
  void WokenBy(std::uint64_t waker, std::uint64_t id) noexcept {
    waker_.store(waker, std::memory_order_relaxed);  // relaxed - for reports
    ISOLATES_PROBE2(wake, id, waker);
    if (Tracing()) [[unlikely]]
      TraceEvent(TraceKind::kWake, waker, id);
  }

  void BeginTurn(ThreadMeter& thread, std::uint64_t id, bool was_ready) noexcept {
    thread.Ensure();
    StatsThread& of_thread = *thread.entry_;
    if (StatsGet(entry_->id) == 0) entry_ = &of_thread.others;
    StatsIsolate& entry = *entry_;
    const std::uint64_t now = StatsNow();
    if (was_ready) {
      const std::uint64_t waiting = now > since_ ? now - since_ : 0;
      StatsAdd(entry.waiting, waiting);
      Histograms(entry, of_thread).waiting.Record(waiting);
    }
    if (waker_.load(std::memory_order_relaxed) != kNobody) CountWake();  // relaxed - its owner's
    since_ = now;
    StatsPut(entry.turn_began, now);
    StatsAdd(entry.turns, 1);
    StatsPut(entry.thread, thread.number_);
    StatsPut(of_thread.turn_began, now);
    StatsPut(of_thread.isolate, id);
    StatsAdd(of_thread.turns, 1);
    StatsPut(of_thread.state, kStatsRuns);
    if (Tracing()) [[unlikely]] {
      TraceTurn(*entry_, id);
      WriteSent();
    }
  }
  void EndTurn(ThreadMeter& thread) noexcept {
    StatsThread& of_thread = *thread.entry_;
    StatsIsolate& entry = *entry_;
    const std::uint64_t now = StatsNow();
    const std::uint64_t handling = now > since_ ? now - since_ : 0;
    StatsAdd(entry.handling, handling);
    Histograms(entry, of_thread).handling.Record(handling);
    WriteSent();
    StatsPut(entry.turn_began, 0);
    // (0: a turn inside of this one has ended, of a loop that the program runs in it.)
    const std::uint64_t began = StatsGet(of_thread.turn_began);
    if (began != 0 && now > began) StatsAdd(of_thread.busy, now - began);
    StatsPut(of_thread.turn_began, 0);
    if (Tracing()) [[unlikely]]
      TraceEvent(TraceKind::kTurnEnd, StatsGet(of_thread.isolate));
    StatsPut(of_thread.isolate, 0);
    StatsPut(of_thread.state, kStatsOutside);
    since_ = now;  // if it stays ready
  }
  void CountEvent() noexcept { StatsAdd(entry_->events, 1); }
  // Between turns: it is time to look at the isolate's heap.
  bool WantsHeap() const noexcept {
    const std::uint64_t last = StatsGet(entry_->heap_time);
    return since_ - (last != 0 ? last : StatsGet(entry_->born)) >= kHeapInterval &&
           StatsGet(entry_->id) != 0;
  }
  void PutHeap(std::size_t live, std::size_t committed) noexcept {
    StatsPut(entry_->heap_live, live);
    StatsPut(entry_->heap_committed, committed);
    StatsPut(entry_->heap_time, since_);
  }
  // In a turn: it has looked for messages for so long, and there were none.
  void Lingered(Duration time) noexcept {
    if (time.count() <= 0) return;
    StatsAdd(entry_->lingered, static_cast<std::uint64_t>(time.count()));
    since_ += static_cast<std::uint64_t>(time.count());
  }
  // Around a sleep in a turn.
  std::uint64_t Parks(std::uint64_t id) noexcept {
    WriteSent();
    if (Tracing()) [[unlikely]]
      TraceEvent(TraceKind::kPark, id);
    return StatsNow();
  }
  void Parked(std::uint64_t id, std::uint64_t begin, bool woken) noexcept {
    const std::uint64_t time = StatsNow() - begin;
    StatsAdd(entry_->parks, 1);
    StatsAdd(entry_->parked, time);
    since_ += time;
    if (woken) CountWake();
    if (Tracing()) [[unlikely]]
      TraceEvent(TraceKind::kUnpark, id);
  }

  // The isolate sends a message. True, now and then, and always while there is a trace: WriteSent
  // is to follow, and the message may be traced.
  bool CountSend() noexcept { return --sends_left_ == 0; }
  void WriteSent() noexcept {
    StatsAdd(entry_->sent, std::uint64_t{sends_at_once_} - sends_left_);
    sends_at_once_ = sends_left_ = Tracing() ? 1 : kSendsAtOnce;
  }
  // It was refused after all.
  void UncountSend() noexcept { ++sends_left_; }

 private:
  friend class PortMeter;

  static constexpr std::uint32_t kSendsAtOnce = 256;
  static constexpr std::uint64_t kHeapInterval = 10'000'000;  // ns

  static StatsHistograms& Histograms(const StatsIsolate& entry, StatsThread& thread) noexcept;
  // relaxed, all - for reports.
  void CountWake() noexcept {
    StatsAdd(entry_->wakes, 1);
    StatsPut(entry_->last_waker, waker_.load(std::memory_order_relaxed));
    waker_.store(kNobody, std::memory_order_relaxed);
  }

  StatsIsolate* entry_ = &stats_nobody.others;
  // Messages that it may send before they are written down, and how many those are.
  std::uint32_t sends_left_ = 1;
  std::uint32_t sends_at_once_ = 1;
  std::uint64_t since_ = 0;  // ready since; in a turn: its begin, later by what it has waited
  std::atomic<std::uint64_t> waker_{kNobody};  // not yet counted
};

// Of one port. Used by the thread of the port's isolate.
class PortMeter {
 public:
  PortMeter() = default;
  PortMeter(const PortMeter&) = delete;
  PortMeter& operator=(const PortMeter&) = delete;
  // Any thread: the last that knew the port.
  ~PortMeter() {
    if (number_ != 0) GiveBack();
  }

  void Begin(IsolateMeter& host, std::uint64_t id, std::uint64_t isolate, std::string_view name,
             bool bounded) noexcept;
  void Close() noexcept;
  // `received`: messages, ever. True: some were not written yet.
  bool WriteReceived(IsolateMeter& host, std::uint64_t received) noexcept {
    const std::uint32_t fresh = static_cast<std::uint32_t>(received) - written_;
    if (fresh == 0) return false;
    written_ += fresh;
    StatsAdd(host.entry_->received, fresh);
    StatsAdd(entry().received, fresh);
    return true;
  }
  // An event is over. `depth`: tells how many messages wait; asked now and then while there were
  // none at the last look.
  template <class Depth>
  void EndEvent(IsolateMeter& host, std::uint64_t received, Depth depth) noexcept {
    WriteReceived(host, received);
    StatsPort& port = entry();
    StatsAdd(port.batches, 1);
    if (StatsGet(port.batches) % kLook == 0 || StatsGet(port.depth) != 0) {
      const std::uint64_t now = depth();
      StatsPut(port.depth, now);
      StatsRaise(port.depth_max, now);
    }
  }
  // It was found empty.
  void Empty() noexcept {
    if (number_ != 0) StatsPut(entry().depth, 0);
  }

 private:
  static constexpr std::uint64_t kLook = 16;

  StatsPort& entry() const noexcept;
  void GiveBack() noexcept;

  std::uint32_t number_ = 0;   // of its entry; 0: it is counted with others
  std::uint32_t written_ = 0;  // of the messages that were received, the low bits
};

// The segment, or nullptr.
extern constinit std::atomic<StatsSegment*> stats_segment;

inline StatsHistograms& IsolateMeter::Histograms(const StatsIsolate& entry,
                                                 StatsThread& thread) noexcept {
  const std::uint64_t number = StatsGet(entry.histograms);
  if (number == 0) return thread.histograms;
  // relaxed - whoever has an entry has seen the segment.
  return stats_segment.load(std::memory_order_relaxed)->histograms[number - 1];
}

inline StatsPort& PortMeter::entry() const noexcept {
  if (number_ != 0) {
    // relaxed - as above.
    return stats_segment.load(std::memory_order_relaxed)->ports[number_ - 1];
  }
  ThreadMeter* const thread = ThreadMeter::OfThisThread();
  return thread != nullptr ? thread->entry().other_ports : stats_nobody.other_ports;
}

#else  // nothing is counted

class ThreadMeter {
 public:
  void Begin(std::string_view, int) noexcept {}
  void Ensure() noexcept {}
  void End() noexcept {}
  void Stole() noexcept {}
  void TookOver(int) noexcept {}
  void BecameSpare() noexcept {}
  std::uint64_t BeginIdle(std::uint64_t) noexcept { return 0; }
  void EndIdle(std::uint64_t) noexcept {}
  void Parks() noexcept {}
  void Parked(bool) noexcept {}
};

class IsolateMeter {
 public:
  void Begin(ThreadMeter&, const MeteredIsolate&) noexcept {}
  void End(std::uint64_t, std::uint64_t) noexcept {}
  static constexpr std::uint64_t kNobody = 0;
  void MadeReady(std::uint64_t, std::uint64_t) noexcept {}
  void WokenBy(std::uint64_t, std::uint64_t) noexcept {}
  void BeginTurn(ThreadMeter&, std::uint64_t, bool) noexcept {}
  void EndTurn(ThreadMeter&) noexcept {}
  void CountEvent() noexcept {}
  bool WantsHeap() const noexcept { return false; }
  void PutHeap(std::size_t, std::size_t) noexcept {}
  void Lingered(Duration) noexcept {}
  std::uint64_t Parks(std::uint64_t) noexcept { return 0; }
  void Parked(std::uint64_t, std::uint64_t, bool) noexcept {}
  bool CountSend() noexcept { return false; }
  void WriteSent() noexcept {}
  void UncountSend() noexcept {}
};

class PortMeter {
 public:
  void Begin(IsolateMeter&, std::uint64_t, std::uint64_t, std::string_view, bool) noexcept {}
  void Close() noexcept {}
  bool WriteReceived(IsolateMeter&, std::uint64_t) noexcept { return false; }
  template <class Depth>
  void EndEvent(IsolateMeter&, std::uint64_t, Depth) noexcept {}
  void Empty() noexcept {}
};

#endif  // ISOLATES_INSTRUMENTS

// The id of the isolate whose turn this thread runs, or 0.
inline std::uint64_t MeteredIsolateHere() noexcept {
#if ISOLATES_INSTRUMENTS
  ThreadMeter* const thread = ThreadMeter::OfThisThread();
  return thread != nullptr ? StatsGet(thread->entry().isolate) : 0;
#else
  return 0;
#endif
}

// While alive, the thread has nothing to do.
class MeteredIdle {
 public:
  MeteredIdle(ThreadMeter& thread, std::uint64_t state) noexcept
      : thread_(thread), begin_(thread.BeginIdle(state)) {}
  MeteredIdle(const MeteredIdle&) = delete;
  MeteredIdle& operator=(const MeteredIdle&) = delete;
  ~MeteredIdle() { thread_.EndIdle(begin_); }

 private:
  ThreadMeter& thread_;
  const std::uint64_t begin_;
};

// While alive, the thread runs a turn of the isolate.
class MeteredTurn {
 public:
  MeteredTurn(IsolateMeter& isolate, ThreadMeter& thread, std::uint64_t id, bool was_ready) noexcept
      : isolate_(isolate), thread_(thread) {
    isolate_.BeginTurn(thread_, id, was_ready);
  }
  MeteredTurn(const MeteredTurn&) = delete;
  MeteredTurn& operator=(const MeteredTurn&) = delete;
  ~MeteredTurn() { isolate_.EndTurn(thread_); }

 private:
  IsolateMeter& isolate_;
  ThreadMeter& thread_;
};

// Around a sleep in a turn. `State`: tells whether the isolate was notified.
template <class State>
class MeteredPark {
 public:
  MeteredPark(IsolateMeter& isolate, std::uint64_t id, const State& state) noexcept
      : isolate_(isolate), id_(id), state_(state), begin_(isolate.Parks(id)) {}
  MeteredPark(const MeteredPark&) = delete;
  MeteredPark& operator=(const MeteredPark&) = delete;
  ~MeteredPark() { isolate_.Parked(id_, begin_, state_.notified()); }

 private:
  IsolateMeter& isolate_;
  const std::uint64_t id_;
  const State& state_;
  const std::uint64_t begin_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_INSTRUMENTS_H_
