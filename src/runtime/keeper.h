// The keeper: one thread for what needs time to pass. See README.md in this folder.

#ifndef ISOLATES_SRC_RUNTIME_KEEPER_H_
#define ISOLATES_SRC_RUNTIME_KEEPER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "isolates/clock.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/parker.h"
#include "src/isolate/timer_node.h"

namespace isolates::internal {

class Keeper : public MainHeapObject {
 public:
  // `look` is called every few milliseconds while it returns true, beginning after Watch.
  Keeper(std::shared_ptr<Clock> clock, std::function<bool()> look);

  const Clock& clock() const noexcept { return *clock_; }
  // Any thread. Takes over a reference. Timers fire in the order of their times, then of this call.
  void AddTimer(TimerNode* timer);
  // Any thread, cheap when it watches already.
  void Watch();
  // Ends the thread. Timers that have not fired never will.
  void Stop();

 private:
  struct Entry {
    TimePoint when;
    std::uint64_t order;
    TimerNode* timer;
    bool operator<(const Entry& other) const noexcept {
      return when != other.when ? when > other.when : order > other.order;  // earliest on top
    }
  };

  void StartThread();
  void Loop();
  // Fires what is due. The next time to look, by the machine's clock; TimePoint::max() if there is
  // none.
  TimePoint FireTimers();

  const std::shared_ptr<Clock> clock_;
  const bool manual_;
  const std::function<bool()> look_;
  Parker parker_;
  std::atomic<bool> watching_{false};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // guards what follows
  std::priority_queue<Entry, std::vector<Entry, MainAllocator<Entry>>> timers_;
  std::uint64_t next_order_ = 0;
  std::thread thread_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_KEEPER_H_
