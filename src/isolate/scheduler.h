// Scheduler: what the isolate room needs from the runtime. The runtime implements it; isolates do
// not know workers.

#ifndef ISOLATES_SRC_ISOLATE_SCHEDULER_H_
#define ISOLATES_SRC_ISOLATE_SCHEDULER_H_

#include "isolates/clock.h"
#include "isolates/detail/cpu.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/parker.h"
#include "isolates/idle_strategy.h"

namespace isolates::internal {

class IsolateCore;
class TimerNode;
struct ThreadContext;

class Scheduler {
 public:
  // Any thread. The isolate has something to do and is on nobody's list: a worker will call
  // RunTurn. The scheduler takes a reference. False if the runtime is shut down.
  virtual bool Schedule(IsolateCore& core) noexcept = 0;
  // Before the isolate is scheduled for the first time: it gets a thread and a processor of its own
  // until it ends. `cpu`: a number or LaunchOptions::kAnyProcessor. Throws LimitError, StateError.
  virtual void Dedicate(IsolateCore& core, int cpu, std::shared_ptr<const IdleStrategy> idle) = 0;
  // The dedicated isolate that runs on this thread is ending: its processor is free for the next
  // one before anybody is told of the end.
  virtual void EndDedication() noexcept = 0;
  // The calling thread is about to sleep, perhaps for long: its processor is free for others until
  // EndBlocking. Throws LimitError on a worker if no further thread may be started.
  virtual void BeginBlocking() = 0;
  virtual void EndBlocking() noexcept = 0;
  // The isolate sleeps in its turn, having announced it, until UnparkInTurn or the deadline; it may
  // return early. `parker`: its thread's.
  virtual void ParkInTurn(IsolateCore&, Parker& parker, TimePoint deadline) {
    parker.Park(deadline);
  }
  // Any thread.
  virtual void UnparkInTurn(IsolateCore&, Parker& parker) noexcept { parker.Unpark(); }
  // The running turn takes long and waits for nothing: where ready isolates wait for its worker,
  // they may run beside it from now on.
  virtual void LetOthersRun() noexcept = 0;
  // Any thread: somebody waits without a deadline, and another reason to go on is gone
  // (BlockedWait).
  virtual void WaitsForEver() noexcept {}
  // Whoever asks may read what any isolate owns: there is one thread at a time.
  virtual bool OneThreadAtATime() const noexcept { return false; }
  // By which a thread waits that has no strategy of its own.
  virtual const IdleStrategy& idle_strategy() const noexcept = 0;
  // More threads want to run than there are processors. A hint.
  virtual bool Crowded() const noexcept = 0;
  // Isolates are ready and nobody has taken them up yet. A hint.
  virtual bool OthersWait() const noexcept = 0;
  // The calling thread, in a turn that has nothing to do: it may stay for a while and look whether
  // something comes. False: the thread is wanted for something else. A hint.
  virtual bool MayLinger() const noexcept = 0;
  // Any thread. Pushes the timer's event to its isolate when the time has come. Takes over a
  // reference.
  virtual void AddTimer(TimerNode* timer) = 0;
  // Any thread. Gives that reference back, unless the timer is on its way to its isolate already.
  virtual void RemoveTimer(TimerNode& timer) noexcept = 0;
  virtual const Clock& clock() const noexcept = 0;
  // True: what the library leaves open is decided by Choose.
  virtual bool Chooses() const noexcept { return false; }
  // If Chooses(): a number below `count`.
  virtual std::size_t Choose(std::size_t) noexcept { return 0; }
  // An isolate came to life, or ended. The scheduler holds a reference in between: an isolate that
  // waits to be resumed lives although nobody else has a handle.
  virtual void IsolateStarted(IsolateCore& core) = 0;
  virtual void IsolateEnded(IsolateCore& core) noexcept = 0;

 protected:
  ~Scheduler() = default;
};

// Of the calling thread: the runtime, which starts at the first call, or the simulation that the
// thread works for. Defined by the runtime room.
Scheduler& GetScheduler();

// A wait of the calling thread by its idle strategy.
//   IdleWait wait;
//   while (!ready()) {
//     if (wait.LookAgain(ready)) continue;
//     ... announce the sleep, look once more, sleep until wait.sleep_until() at most ...
//   }
class IdleWait {
 public:
  IdleWait();
  IdleWait(const IdleWait&) = delete;
  IdleWait& operator=(const IdleWait&) = delete;
  ~IdleWait();  // the strategy learns how long it was

  // Makes one step, in which it looks several times whether `ready()`. True: look again. False:
  // sleep.
  template <class Ready>
  bool LookAgain(Ready ready) {
    switch (NextStep()) {
      case IdleStrategy::Step::Kind::kLook:
        // Between two questions for the time, which costs as much as some looks.
        for (int i = 0; i < kLooks && !ready(); ++i) CpuPause();
        return true;
      case IdleStrategy::Step::Kind::kYield:
        Yield();
        return true;
      case IdleStrategy::Step::Kind::kSleep:
        break;
    }
    return false;
  }
  TimePoint sleep_until() const noexcept { return sleep_until_; }
  // At the last step.
  Duration waited() const noexcept { return waited_; }
  // A wait that was cut off tells nothing of how long waits are.
  void Forget() noexcept { learn_ = false; }

 private:
  static constexpr int kLooks = 16;
  static constexpr TimePoint kNever = TimePoint::min();

  IdleStrategy::Step::Kind NextStep() noexcept;
  static void Yield() noexcept;

  ThreadContext& context_;
  // When the second step was made: short waits do not ask for the time, which costs as much as a
  // message between two processors.
  TimePoint begin_ = kNever;
  Duration waited_{0};
  bool first_ = true;
  TimePoint sleep_until_ = TimePoint::max();
  bool learn_ = true;
};

// A wait in code of isolates or plain threads: the same, and the processor is given free for others
// before the thread sleeps, or when others wait for it.
class BlockingRegion {
 public:
  BlockingRegion() = default;
  BlockingRegion(const BlockingRegion&) = delete;
  BlockingRegion& operator=(const BlockingRegion&) = delete;
  ~BlockingRegion();

  // As IdleWait's. Throws LimitError (see Scheduler::BeginBlocking).
  template <class Ready>
  bool LookAgain(Ready ready) {
    EnterIfOthersWait();
    return wait_.LookAgain(ready);
  }
  TimePoint sleep_until() const noexcept { return wait_.sleep_until(); }
  // From here on the thread may sleep.
  void Enter();

 private:
  void EnterIfOthersWait();

  IdleWait wait_;
  int others_wait_ = 0;  // for so many steps
  bool entered_ = false;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_ISOLATE_SCHEDULER_H_
