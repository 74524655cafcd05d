// The keeper: one thread for what needs time to pass. See README.md in this folder.

#ifndef ISOLATES_SRC_RUNTIME_KEEPER_H_
#define ISOLATES_SRC_RUNTIME_KEEPER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "isolates/clock.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/parker.h"
#include "src/isolate/timer_node.h"
#include "src/runtime/timer_queue.h"

namespace isolates::internal {

class Keeper : public MainHeapObject {
 public:
  // `look` is called every few milliseconds while it returns true, beginning after Watch;
  // `look_seldom` about every second, a second after LookLater for the first time; `observe` at
  // each round, and at the latest after the time that it says, of a clock that runs by itself.
  Keeper(std::shared_ptr<Clock> clock, std::function<bool()> look,
         std::function<bool()> look_seldom, std::function<Duration()> observe);

  const Clock& clock() const noexcept { return *clock_; }
  // Any thread. Takes over a reference. Timers fire in the order of their times, then of this call.
  // The thread starts at the first of these two. Both throw if it cannot.
  void Start();
  void AddTimer(TimerNode* timer);
  // Any thread: gives the reference back if the timer has not fired. A timer that has is on its way
  // to its isolate.
  void RemoveTimer(TimerNode& timer) noexcept;
  // Any thread: how many timers each isolate has, by its id.
  std::map<std::uint64_t, int> CountTimers();
  bool HasTimers();
  // Any thread, cheap when it watches already.
  // Start was called before.
  void Watch() noexcept;
  // The same.
  void LookLater() noexcept;
  // One round more. Any thread, and handlers of signals.
  void Wake() noexcept { parker_.Unpark(); }
  // Ends the thread. Timers that have not fired never will.
  void Stop();

 private:
  void StartThread();
  void Loop();
  // Fires what is due. The next time to look, by the machine's clock; TimePoint::max() if there is
  // none.
  TimePoint FireTimers();
  // Calls look_seldom_ if it is time. The next time to do so; TimePoint::max() if there is none.
  TimePoint LookSeldom();
  // The same for observe_.
  TimePoint Observe();

  const std::shared_ptr<Clock> clock_;
  const bool manual_;
  const std::function<bool()> look_;
  const std::function<bool()> look_seldom_;
  const std::function<Duration()> observe_;
  Parker parker_;
  std::atomic<bool> watching_{false};
  std::atomic<bool> look_later_{false};
  TimePoint look_at_ = TimePoint::max();  // the keeper's thread
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // guards what follows
  TimerQueue timers_;
  std::thread thread_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_KEEPER_H_
