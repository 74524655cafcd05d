// IsolateCore: one isolate. It owns a heap while it lives, an inbox that other threads fill, and a
// list of events; it runs turns when asked and knows no workers.
//
// Protocol of the state word
//   bit         set by                                   cleared by
//   kNotified   Wake and Push, any thread                the owner, at the start of a turn, and
//                                                        before it sleeps in one
//   kActive     whoever wakes an isolate that sleeps,    the owner, at the end of a turn, when
//               or looks at it (DescribeLife)            nothing is left to do
//   kBlocked    the owner, before it sleeps in a turn    the owner, after it
//   kDead       the owner, when the isolate has ended    never
//
// Rules
//   I1. kActive means that exactly one party has the isolate: a ready queue, or the thread that
//   runs it, or looks at it.
//       Whoever turns it from 0 to 1 puts the isolate into a ready queue, or back to sleep. So an
//       isolate never runs on two threads at once.
//   I2. A waker first makes the event visible, then sets kNotified. The owner clears kNotified,
//   then looks
//       for events; it clears kActive only by a compare-exchange that fails if kNotified came back.
//       All are RMWs on one word, so no event is left behind.
//   I3. A waker that finds kBlocked unparks the thread that runs the isolate.
//   I4. A waker that finds kDead discards what it pushed.

#ifndef ISOLATES_SRC_ISOLATE_CORE_H_
#define ISOLATES_SRC_ISOLATE_CORE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "isolates/capability.h"
#include "isolates/detail/computation.h"
#include "isolates/detail/coroutine_frames.h"
#include "isolates/detail/event_node.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/isolate_control.h"
#include "isolates/detail/isolate_locals.h"
#include "isolates/detail/isolate_stop.h"
#include "isolates/detail/port_host.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/error.h"
#include "isolates/exit_info.h"
#include "isolates/live_isolate.h"
#include "isolates/stop_token.h"
#include "src/isolate/blocked_wait.h"
#include "src/isolate/isolate_state.h"
#include "src/isolate/loop_signal.h"
#include "src/isolate/thread_context.h"

namespace isolates::internal {

class IsolateCore;
class Scheduler;
class Worker;

// A member of the scheduler's list of live isolates.
struct LiveLink : RingNode {
  explicit LiveLink(IsolateCore& owner) noexcept : core(owner) {}
  IsolateCore& core;
};

class IsolateCore final : public LocalsHost {
 public:
  IsolateCore(LaunchOptions options, std::unique_ptr<Computation> computation);
  ~IsolateCore() override;

  const std::string& name() const noexcept { return name_; }
  bool dead() const noexcept { return state_.dead(); }

  // --- any thread
  // ---------------------------------------------------------------------------------
  void Push(EventNode* node) noexcept override;
  void Wake() noexcept override;
  // Events that pass all others and that a pause does not hold back.
  void PushControl(EventNode* node) noexcept;
  // Says that the isolate is to end, and why: what its stop tokens show. The first one counts.
  void RequestStop(ExitReason cause, std::string_view reason);
  // The same, and ends it at its next event or library call. Where there is no memory for cause and
  // reason it is ended without them: kKilled.
  void RequestKill(ExitReason cause, std::string_view reason) noexcept;
  IsolateStop& stop() noexcept { return stop_; }
  // How it ended. Only once it is dead, or will never run: the runtime has stopped.
  ExitInfo exit_info() const noexcept;
  // The isolate's thread, at its end: "killed: no longer needed".
  std::string DescribeEnd() const;

  // --- the thread that has the isolate (I1)
  // -------------------------------------------------------
  enum class TurnEnd { kIdle, kMoreToDo, kEnded };
  // Events and messages handled in one turn before another isolate gets the worker.
  static constexpr int kTurnCredit = 64;
  // Handles what there is to do, up to a fair share. `context`: the calling thread.
  TurnEnd RunTurn(ThreadContext& context, int credit = kTurnCredit);
  // True if the isolate may go on on another worker: it builds no parcel and is bound to no thread.
  bool may_move() const noexcept {
    return (!builds_parcel_ || let_move_) && !attached_ && !dedicated_;
  }
  // Before it is ready for the first time: it runs on this worker only.
  void Dedicate(Worker& worker) noexcept {
    dedicated_ = true;
    worker_ = &worker;
  }
  // It passes ready isolates that are not urgent.
  bool urgent() const noexcept { return urgent_; }
  // Whoever has it, between turns: gives up building a parcel that can be dropped as a whole.
  void LetMove() noexcept;
  IsolateCore* next_event = nullptr;  // in a list of ready isolates
  // Where the isolate ran last, or where it should run first: a hint for the scheduler.
  std::atomic<int> place_hint{-1};
  LiveLink live{*this};  // in the scheduler's list of live isolates
  // The worker that ran the isolate last; the scheduler's.
  Worker* worker() const noexcept { return worker_; }
  void set_worker(Worker* worker) noexcept { worker_ = worker; }
  // The worker whose memory the isolate's heap is warm in; nullptr before its first turn.
  WorkerHeaps* home() const noexcept { return home_; }

  // --- the isolate's thread, in its code
  // ----------------------------------------------------------
  void Requeue(EventNode* node) noexcept override { local_.Append(node); }
  void AddKeepAlive(int change) noexcept override {
    // relaxed - written by the owner alone; others read it for reports.
    keep_alive_.store(keep_alive() + change, std::memory_order_relaxed);
  }
  bool Wait(const WaitSubject& subject, bool (*ready)(const void*), const void* argument,
            TimePoint deadline) override;
  void CheckStopNow() override;
  bool InTurn() const noexcept override { return in_turn_; }
  bool MayAttend() const noexcept override { return loop_ == nullptr && !Chooses(); }
  bool Chooses() const noexcept override;
  std::size_t Choose(std::size_t count) noexcept override;
  Heap* heap() const noexcept override { return heap_; }
  // Unwinds the current code and ends the isolate; the message is handed over last.
  void CheckExit() const;
  [[noreturn]] void Exit(std::unique_ptr<FinalMessage> message);
  bool ending() const noexcept { return ending_; }
  TaskScope& tasks() noexcept { return tasks_; }
  const TaskScope& tasks() const noexcept { return tasks_; }

  // --- control, in a turn
  // -------------------------------------------------------------------------
  void Pause(const Capability& capability);
  void Resume(const Capability& capability);
  void EndBeforeNextEvent() noexcept { end_before_next_event_ = true; }
  // Sends the notice when the isolate would handle an event.
  void NotifyBeforeNextEvent(ExitListener notice) {
    before_next_event_.push_back(std::move(notice));
  }
  // One for each port.
  void AddMonitor(std::unique_ptr<ExitMonitor> monitor) noexcept;
  void RemoveMonitor(std::uint64_t port_id) noexcept;
  // The rights that a full handle has. const.
  const Capability& pause_right() const noexcept { return pause_right_; }
  const Capability& terminate_right() const noexcept { return terminate_right_; }
  std::vector<ExitListener>& exit_listeners() noexcept { return exit_listeners_; }
  std::vector<SendPort<RemoteError>>& error_listeners() noexcept { return error_listeners_; }
  void set_errors_fatal(bool fatal) noexcept { errors_fatal_ = fatal; }
  // The isolate's thread, in its code: `child` is killed when this isolate has ended. Room first,
  // which may throw std::bad_alloc.
  void MakeRoomForChild();
  void AddChild(IsolateCore& child) noexcept;

  // --- isolates that are plain threads
  // ------------------------------------------------------------ The isolate that is the calling
  // thread from now on until the thread ends.
  static IsolateCore& Attach(std::string_view name);
  // Runs turns until nothing keeps the isolate alive; rethrows an uncaught error.
  // `computation`: what main was called for, or nullptr.
  void RunUntilDone(std::unique_ptr<Computation> computation);
  // Ends it; its ports close.
  void Detach() noexcept;
  bool attached() const noexcept { return attached_ != nullptr; }

  // --- isolates whose turns the program runs (EventLoop)
  // How their thread, or whoever runs them, is told; nullptr: there is no such loop.
  LoopSignal* loop() const noexcept { return loop_.get(); }
  // Before it is ready for the first time, or the thread that it is.
  LoopSignal& EnsureLoop();
  // Handles one event; false if there was none. The caller holds loop()->running, or is the thread.
  bool HandleOneEvent();

  // Any thread: the isolate and what keeps it alive, for reports. `timers`: those that the
  // scheduler has for it.
  LiveIsolate DescribeLife(const BlockedWait::Snapshot& waits, int timers);
  // Any thread: what it is at, and how often it has gone on until then. If both are the same in two
  // looks, and it was not running, then it was not running in between.
  struct Progress {
    IsolateState<StdAtomics>::Activity activity;
    std::uint64_t steps;
  };
  Progress progress() const noexcept {
    const auto activity = state_.activity();
    // relaxed - ordered by the look at the state.
    return {activity, steps_.load(std::memory_order_relaxed)};
  }
  // Any thread: its code waits in the library. A hint.
  bool waits_in_turn() const noexcept {
    return waits_in_turn_.load(std::memory_order_relaxed);  // relaxed - nothing is published by it
  }
  // A thread of the program runs it, and may do so whenever it likes.
  bool hosted() const noexcept { return hosted_; }

 private:
  class CodeScope;

  // From here on it is counted.
  void BeginMeter(ThreadContext& context) noexcept;
  int keep_alive() const noexcept { return keep_alive_.load(std::memory_order_relaxed); }
  // Whoever turned kActive from 0 to 1, unless it has the isolate itself.
  void BecomeReady() noexcept;
  // The owner: it goes on.
  void CountStep() noexcept {
    // relaxed, both - written by the owner alone; see progress.
    steps_.store(steps_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  // Whoever may read what the owner writes: adds what keeps the isolate alive.
  void DescribeOwned(LiveIsolate& life, int timers) const;
  // The owner, between events: there are events that it may handle.
  bool MoreToDo() noexcept {
    TakeInbox();
    return !local_.empty() && pauses_.empty();
  }
  // Without memory for a heap the isolate ends by that error, before its code has run.
  void AcquireHeap(ThreadContext& context) noexcept;
  void ReleaseHeap() noexcept;
  // Handles the commands that are there, also in an event. False: there were none. One that finds
  // no memory is an uncaught error of the isolate.
  bool HandleControl() noexcept;
  bool HandleCommands(EventNode* chain) noexcept;  // true
  // The same between two events, where a kill takes effect.
  void HandleControlBetweenEvents() noexcept;
  void NotifyOfNextEvent() noexcept;
  void HandleEvents(int credit);
  // An attached isolate: handles events in its own thread. Throws what was not caught.
  void Pump(int credit);
  // An attached isolate: while its thread is not here, its loop is told of events.
  class Presence;
  void TakeInbox() noexcept;
  void Deliver(EventNode* node);
  void HandleUncaught(const std::exception_ptr& error) noexcept;
  // True if a listener's port has accepted it.
  bool NotifyErrorListeners(const RemoteError& error) noexcept;
  // What was said when the isolate was told to end, if that is what ended it.
  std::string_view EndMessage() const noexcept;
  // The event that runs is the last. The first reason counts.
  void BeginEnd(ExitReason reason) noexcept;
  // The same for a stop that was requested.
  void BeginRequestedEnd() noexcept;
  void EndChildren() noexcept;
  void TellMonitors() noexcept;
  bool FinishedForGood();
  // Unwinds and discards all of the isolate's code but its IsolateLocals.
  void EndCode() noexcept;
  void End() noexcept;
  void DiscardEvents() noexcept;
  // True in destructors of code that is unwound: nothing may be thrown into them.
  bool Unwinding() const noexcept;
  void PumpUntil(const WaitSubject& subject, bool (*ready)(const void*), const void* argument,
                 TimePoint deadline, BlockedWait& wait);
  // Nothing is to do: stays with the ports that are attended, as long as the thread's idle strategy
  // says and nobody else needs the thread. True if something came.
  bool Linger() noexcept;
  // Around a wait in a turn.
  class WaitsInTurn {
   public:
    explicit WaitsInTurn(std::atomic<bool>& flag) noexcept : flag_(flag) { Put(true); }
    WaitsInTurn(const WaitsInTurn&) = delete;
    WaitsInTurn& operator=(const WaitsInTurn&) = delete;
    ~WaitsInTurn() { Put(false); }

   private:
    void Put(bool waits) noexcept {
      flag_.store(waits, std::memory_order_relaxed);
    }  // relaxed - a hint

    std::atomic<bool>& flag_;
  };
  // Around a sleep: see WaitSubject::sleeps.
  class Sleeping {
   public:
    Sleeping(const WaitSubject& subject, const void* argument) noexcept
        : subject_(subject), argument_(argument) {
      if (subject_.sleeps != nullptr) subject_.sleeps(argument_, true);
    }
    Sleeping(const Sleeping&) = delete;
    Sleeping& operator=(const Sleeping&) = delete;
    ~Sleeping() {
      if (subject_.sleeps != nullptr) subject_.sleeps(argument_, false);
    }

   private:
    const WaitSubject& subject_;
    const void* argument_;
  };

  Scheduler& scheduler_;  // of the thread that made it
  const Capability pause_right_ = Capability::Create();
  const Capability terminate_right_ = Capability::Create();
  std::string name_;  // const after construction
  IsolateState<StdAtomics> state_;
  std::atomic<Parker*> parker_{nullptr};  // of the thread that runs or hosts the isolate; see Wake
  IsolateStop stop_;
  std::atomic<bool> kill_requested_{false};
  std::atomic<int> keep_alive_{0};          // written by the owner
  std::atomic<std::uint64_t> steps_{0};     // the same
  std::atomic<bool> waits_in_turn_{false};  // the same
  EventStack<EventNode> inbox_;
  EventStack<EventNode> control_;

  // Owner only from here on.
  std::unique_ptr<Computation> computation_;
  Heap* heap_ = nullptr;  // nullptr with has_heap_: the main heap
  WorkerHeaps* home_ = nullptr;
  Worker* worker_ = nullptr;
  ThreadContext* attached_ = nullptr;  // the plain thread that this isolate is
  EventList<EventNode> local_;
  TaskScope tasks_;
  std::vector<Capability> pauses_;
  std::vector<ExitListener> exit_listeners_;
  std::vector<SendPort<RemoteError>> error_listeners_;
  std::unique_ptr<ExitMonitor> monitors_;  // the first; each owns the next
  std::vector<ExitListener, MainAllocator<ExitListener>> before_next_event_;
  std::vector<Ref<IsolateCore>, MainAllocator<Ref<IsolateCore>>> children_;  // some have ended
  std::size_t prune_children_at_ = 8;
  ExitReason exit_reason_ = ExitReason::kFinished;
  std::unique_ptr<FinalMessage> final_message_;
  std::unique_ptr<const RemoteError> error_;
  std::exception_ptr attached_error_;  // what ended an attached isolate, for its caller
  std::unique_ptr<LoopSignal> loop_;
  bool builds_parcel_ = false;
  bool light_ = false;
  bool urgent_ = false;  // const after construction
  bool hosted_ = false;  // the same
  bool dedicated_ = false;
  bool let_move_ = false;
  bool has_heap_ = false;
  bool started_ = false;
  bool in_turn_ = false;
  bool ending_ = false;
  bool end_before_next_event_ = false;
  bool error_told_ = false;  // somebody knows what error_ says
  bool has_ended_ = false;   // written before the isolate is dead
  bool unwound_ = false;     // only destructors run any more
  bool errors_fatal_ = true;
};

// For SetHazardLookup.
const char* DescribeHazard(const void* address) noexcept;

// The isolate whose code runs on this thread, or nullptr.
inline IsolateCore* CurrentCore() noexcept { return static_cast<IsolateCore*>(current_host); }
// The same, but a plain thread becomes an isolate first.
inline IsolateCore& RequireCore() { return static_cast<IsolateCore&>(RequireHost()); }

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_ISOLATE_CORE_H_
