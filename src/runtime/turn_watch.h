// TurnWatch: finds turns that last too long. The keeper's thread looks; workers write nothing for
// it but what they write anyway: a number that changes at each begin and end of a turn, and whose
// turn it is.

#ifndef ISOLATES_SRC_RUNTIME_TURN_WATCH_H_
#define ISOLATES_SRC_RUNTIME_TURN_WATCH_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "isolates/detail/main_heap.h"
#include "isolates/detail/ref.h"
#include "isolates/turn_watch.h"
#include "src/isolate/core.h"
#include "src/runtime/place.h"

namespace isolates::internal {

class TurnWatch : public MainHeapObject {
 public:
  // What a look asks of the runtime.
  struct Source {
    std::function<std::vector<Worker*>()> workers;
    std::function<Ref<IsolateCore>(std::uint64_t id)> live;  // nullptr: it has ended
  };
  explicit TurnWatch(Source source) : source_(std::move(source)) {}

  // Any thread. An empty function: nothing is watched.
  void Set(Duration limit, std::function<void(const StuckTurn&)> told);
  // The keeper's thread. How long until the next look; kForever: not before it is set again.
  Duration Look(TimePoint now);
  // Looks that have been made, for tests.
  std::uint64_t looks() const noexcept {
    return looks_.load(std::memory_order_relaxed);  // relaxed - a counter
  }

 private:
  struct Rule {
    Duration limit;
    std::function<void(const StuckTurn&)> told;
  };
  // A turn as a look found it.
  struct Sight {
    std::uint64_t turn = 0;              // Worker::turns; even: none
    std::optional<std::uint64_t> steps;  // IsolateCore::progress
    TimePoint since;                     // when they were found first
    bool told = false;
  };

  void LookAt(const Worker& worker, Sight& sight, const Rule& rule, TimePoint now);
  void Tell(const Worker& worker, const IsolateCore& core, const Sight& sight, const Rule& rule,
            TimePoint now);

  const Source source_;
  std::atomic<bool> on_{false};
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<const Rule> rule_;
  // The keeper's thread.
  std::vector<Sight, MainAllocator<Sight>> sights_;  // by the workers' numbers
  std::atomic<std::uint64_t> looks_{0};
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_TURN_WATCH_H_
