// What a worker thread's turns cost, by isolate. See isolates/perf_counters.h.

#ifndef ISOLATES_SRC_RUNTIME_PERF_ACCOUNT_H_
#define ISOLATES_SRC_RUNTIME_PERF_ACCOUNT_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "isolates/detail/main_heap.h"

namespace isolates::internal {

// The events, in the order of PerfCounts' members.
inline constexpr std::size_t kPerfEvents = 8;
using PerfValues = std::array<std::uint64_t, kPerfEvents>;

// The counters of the thread that opened them.
class PerfEvents {
 public:
  PerfEvents() = default;
  PerfEvents(const PerfEvents&) = delete;
  PerfEvents& operator=(const PerfEvents&) = delete;
  ~PerfEvents();

  // The thread that is counted. What cannot be counted stays zero.
  void Open() noexcept;
  // The same thread.
  void Read(PerfValues& values) const noexcept;
  // errno of each event that is not counted; 0: it is.
  const std::array<int, kPerfEvents>& errors() const noexcept { return errors_; }

 private:
  // Events that are read together.
  struct Group {
    int leader = -1;
    std::size_t size = 0;
    std::array<std::size_t, kPerfEvents> events{};
  };
  void ReadGroup(const Group& group, PerfValues& values) const noexcept;

  std::array<int, kPerfEvents> files_{-1, -1, -1, -1, -1, -1, -1, -1};
  std::array<int, kPerfEvents> errors_{};
  Group hardware_;
  Group software_;
};

// Of one worker. Made by it; others read it.
class PerfAccount : public MainHeapObject {
 public:
  struct Charged {
    std::string name;
    PerfValues values{};
  };

  PerfAccount() { events_.Open(); }
  // The worker.
  void Charge(std::uint64_t isolate, std::string_view name, const PerfValues& before) noexcept;
  const PerfEvents& events() const noexcept { return events_; }
  // Any thread. What isolates that have ended were charged becomes one entry, number 0.
  template <class Ended>
  std::map<std::uint64_t, Charged> Read(Ended ended) {
    const std::lock_guard lock(mutex_);
    for (auto at = charged_.begin(); at != charged_.end();) {
      if (at->first == 0 || !ended(at->first)) {
        ++at;
        continue;
      }
      Charged& sum = charged_[0];
      for (std::size_t i = 0; i < kPerfEvents; ++i) sum.values[i] += at->second.values[i];
      at = charged_.erase(at);
    }
    return charged_;
  }

 private:
  PerfEvents events_;
  std::mutex mutex_;  // guards what follows
  std::map<std::uint64_t, Charged> charged_;
};

// CountPerf's switch. relaxed - a turn that misses a change is charged, or not.
extern constinit std::atomic<bool> perf_on;

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_PERF_ACCOUNT_H_
