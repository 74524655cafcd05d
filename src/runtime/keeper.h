// The keeper: one thread for what needs time to pass. See README.md in this folder.

#ifndef ISOLATES_SRC_RUNTIME_KEEPER_H_
#define ISOLATES_SRC_RUNTIME_KEEPER_H_

#include <atomic>
#include <functional>
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
  // `look` is called every few milliseconds while it returns true, beginning after Watch.
  Keeper(std::shared_ptr<Clock> clock, std::function<bool()> look);

  const Clock& clock() const noexcept { return *clock_; }
  // Any thread. Takes over a reference. Timers fire in the order of their times, then of this call.
  // The thread starts at the first of these two. Both throw if it cannot.
  void Start();
  void AddTimer(TimerNode* timer);
  // Any thread: gives the reference back if the timer has not fired. A timer that has is on its way
  // to its isolate.
  void RemoveTimer(TimerNode& timer) noexcept;
  // Any thread, cheap when it watches already.
  // Start was called before.
  void Watch() noexcept;
  // Ends the thread. Timers that have not fired never will.
  void Stop();

 private:
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
  TimerQueue timers_;
  std::thread thread_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_KEEPER_H_
