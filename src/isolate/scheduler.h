// Scheduler: what the isolate room needs from the runtime. The runtime implements it; isolates do
// not know workers.

#ifndef ISOLATES_SRC_ISOLATE_SCHEDULER_H_
#define ISOLATES_SRC_ISOLATE_SCHEDULER_H_

#include "isolates/clock.h"
#include "isolates/detail/heap.h"

namespace isolates::internal {

class IsolateCore;
class TimerNode;

class Scheduler {
 public:
  // Any thread. The isolate has something to do and is on nobody's list: a worker will call
  // RunTurn. The scheduler takes a reference. False if the runtime is shut down.
  virtual bool Schedule(IsolateCore& core) noexcept = 0;
  // The calling thread is about to sleep, perhaps for long: its processor is free for others until
  // EndBlocking. Throws LimitError on a worker if no further thread may be started.
  virtual void BeginBlocking() = 0;
  virtual void EndBlocking() noexcept = 0;
  // The running turn takes long and waits for nothing: where ready isolates wait for its worker,
  // they may run beside it from now on.
  virtual void LetOthersRun() noexcept = 0;
  // How long a thread that waits should spin before it sleeps; zero where spinning would take the
  // processor from the one it waits for.
  virtual Duration SpinWindow() const noexcept = 0;
  // Any thread. Pushes the timer's event to its isolate when the time has come. Takes over a
  // reference.
  virtual void AddTimer(TimerNode* timer) = 0;
  // Any thread. Gives that reference back, unless the timer is on its way to its isolate already.
  virtual void RemoveTimer(TimerNode& timer) noexcept = 0;
  virtual const Clock& clock() const noexcept = 0;
  // An isolate came to life, or ended. The scheduler holds a reference in between: an isolate that
  // waits to be resumed lives although nobody else has a handle.
  virtual void IsolateStarted(IsolateCore& core) = 0;
  virtual void IsolateEnded(IsolateCore& core) noexcept = 0;

 protected:
  ~Scheduler() = default;
};

// Defined by the runtime room. Starts the runtime at the first call.
Scheduler& GetScheduler();

// A wait of the calling thread: spin for a while, then sleep with the processor given free.
class BlockingRegion {
 public:
  BlockingRegion() noexcept;
  BlockingRegion(const BlockingRegion&) = delete;
  BlockingRegion& operator=(const BlockingRegion&) = delete;
  ~BlockingRegion();

  // True while spinning is worth it.
  bool Spin() noexcept;
  // From here on the thread may sleep.
  void Enter();

 private:
  TimePoint spin_until_;
  bool entered_ = false;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_ISOLATE_SCHEDULER_H_
