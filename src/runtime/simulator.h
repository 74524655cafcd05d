// Simulator: the scheduler of a simulation.
//
// Threads pass a baton; whoever has it is the only one to touch anything of the simulation, so
// nothing here is locked or atomic. A thread gives it away when the isolate whose turn it runs
// blocks (to a spare thread, which goes on with the loop), when the schedule resumes such an
// isolate (to the thread that sleeps in it), and at the end (to the thread that called Simulate).
// Giving is an Unpark of the other thread's parker, taking its Park: that is the happens-before
// edge.

#ifndef ISOLATES_SRC_RUNTIME_SIMULATOR_H_
#define ISOLATES_SRC_RUNTIME_SIMULATOR_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/simulation.h"
#include "src/isolate/core.h"
#include "src/isolate/scheduler.h"
#include "src/isolate/thread_context.h"
#include "src/isolate/timer_node.h"

namespace isolates::internal {

class Simulator final : public Scheduler, public MainHeapObject {
 public:
  explicit Simulator(const SimulationOptions& options);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  // On the thread that made it.
  SimulationReport Run(Ref<IsolateCore> main);

  // Scheduler
  bool Schedule(IsolateCore& core) noexcept override;
  void Dedicate(IsolateCore&, int, std::shared_ptr<const IdleStrategy>) override {}
  void EndDedication() noexcept override {}
  void BeginBlocking() override {}
  void EndBlocking() noexcept override {}
  void ParkInTurn(IsolateCore& core, Parker& parker, TimePoint deadline) override;
  void UnparkInTurn(IsolateCore& core, Parker& parker) noexcept override;
  void LetOthersRun() noexcept override {}
  bool OneThreadAtATime() const noexcept override { return true; }
  const IdleStrategy& idle_strategy() const noexcept override { return *idle_; }
  bool Crowded() const noexcept override { return false; }
  bool OthersWait() const noexcept override { return false; }
  bool MayLinger() const noexcept override { return false; }
  bool Chooses() const noexcept override { return true; }
  std::size_t Choose(std::size_t count) noexcept override { return Random(count); }
  void AddTimer(TimerNode* timer) override;
  void RemoveTimer(TimerNode& timer) noexcept override;
  const Clock& clock() const noexcept override { return clock_; }
  void IsolateStarted(IsolateCore& core) override;
  void IsolateEnded(IsolateCore& core) noexcept override;

 private:
  class LogicalClock final : public Clock {
   public:
    TimePoint Now() const noexcept override { return now; }
    void SetAdvanceListener(std::function<void()>) override {}
    TimePoint now{Duration(0)};
  };
  // A thread of the simulation.
  struct Actor : MainHeapObject {
    Parker baton;
    std::thread thread;  // not of the caller of Simulate
  };
  struct Sleeper {
    Actor* actor;  // sleeps in the isolate's turn
    bool ready;    // stands in ready_
  };
  struct Live {
    Ref<IsolateCore> core;
    std::uint64_t index;
  };
  // What is due at a time: a timer, or the deadline of an isolate that sleeps in its turn.
  struct Due {
    TimerNode* timer = nullptr;
    std::uint64_t sleeper = 0;  // the id of the isolate
  };

  void CheckThread() const noexcept;
  void ActorMain(Actor& self);
  void Loop(Actor& self);
  void PassBaton(Actor& self, Actor& other);
  Actor& SpareOrNew();
  bool FireTimers();
  void Fire(const Due& due);
  void EndAll();
  std::vector<std::string> DescribeLeft();
  void Note(SimulationStep::Kind kind, const IsolateCore& core, int events = 0);
  std::uint64_t Random(std::uint64_t below) noexcept;

  const SimulationOptions options_;
  const std::shared_ptr<const IdleStrategy> idle_;
  LogicalClock clock_;
  std::uint64_t random_state_;
  std::vector<IsolateCore*> ready_;
  std::map<std::uint64_t, Sleeper> sleepers_;               // by the isolate's id
  std::map<std::uint64_t, Live> live_;                      // by its id
  std::map<std::pair<TimePoint, std::uint64_t>, Due> due_;  // by time, then order
  std::uint64_t next_order_ = 0;
  std::uint64_t next_index_ = 0;
  std::uint64_t steps_ = 0;                     // that OnStep was told of
  std::vector<std::unique_ptr<Actor>> actors_;  // the first is the caller of Simulate
  std::vector<Actor*> spares_;
  Actor* running_ = nullptr;
  bool ending_ = false;    // all isolates are told to end
  bool finished_ = false;  // threads end
  bool gave_up_ = false;
  SimulationReport report_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_SIMULATOR_H_
