#include "src/runtime/simulator.h"

#include <algorithm>

#include "isolates/detail/check.h"
#include "isolates/detail/threads.h"
#include "isolates/detail/worker_heaps.h"
#include "src/heap/allocation_faults.h"
#include "src/isolate/unhandled.h"
#include "src/runtime/runtime_impl.h"

namespace isolates {
namespace internal {
namespace {

// While it lives, the calling thread works for a simulation.
class ThreadOfSimulation {
 public:
  explicit ThreadOfSimulation(Simulator& simulator)
      : context_(ThisThread()),
        outer_heaps_(std::exchange(context_.heaps, WorkerHeaps::OfThisThread())) {
    if (context_.heaps == nullptr) throw StateError("this thread is ending");
    thread_scheduler = &simulator;
    thread_clock = &simulator.clock();
  }
  ThreadOfSimulation(const ThreadOfSimulation&) = delete;
  ThreadOfSimulation& operator=(const ThreadOfSimulation&) = delete;
  ~ThreadOfSimulation() {
    thread_scheduler = nullptr;
    thread_clock = nullptr;
    context_.heaps = outer_heaps_;
  }

 private:
  ThreadContext& context_;
  WorkerHeaps* const outer_heaps_;
};

// What main does, and the error that it did not catch.
class SimulatedMain final : public Computation {
 public:
  SimulatedMain(std::unique_ptr<Computation> main, std::optional<RemoteError>& error)
      : main_(std::move(main)), error_(error) {}
  bool takes_error() const noexcept override { return true; }
  void Start() override { main_->Start(); }
  void DropCallable() noexcept override { main_->DropCallable(); }
  bool Conclude(const RemoteError* error, Heap*) noexcept override {
    if (error != nullptr) error_ = CopyError(*error);
    return false;
  }

 private:
  const std::unique_ptr<Computation> main_;
  std::optional<RemoteError>& error_;
};

}  // namespace

Simulator::Simulator(const SimulationOptions& options)
    : options_(options), idle_(isolates::Park()), random_state_(options.seed()) {
  actors_.push_back(std::make_unique<Actor>());
  running_ = actors_.front().get();
}

Simulator::~Simulator() = default;

// SplitMix64 (Steele, Lea and Flood 2014). The bias of the remainder does not matter here.
std::uint64_t Simulator::Random(std::uint64_t below) noexcept {
  random_state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t z = random_state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return (z ^ (z >> 31)) % below;
}

void Simulator::CheckThread() const noexcept {
  ISOLATES_CHECK(thread_scheduler == this,
                 "an isolate of a simulation is used from outside of the simulation");
}

// Faults that a test plants (AllocationFaults) are not meant for what the simulation needs itself.
void Simulator::Note(SimulationStep::Kind kind, const IsolateCore& core, int events) {
  const AllocationFaults::Exempt exempt;
  const auto live = live_.find(core.id());
  report_.trace.push_back(
      {kind, clock_.now.time_since_epoch(), live != live_.end() ? live->second.index : 0, events});
}

// --- Scheduler
// ------------------------------------------------------------------------------------

bool Simulator::Schedule(IsolateCore& core) noexcept {
  CheckThread();
  core.AddRef();
  ready_.push_back(&core);  // there is room (IsolateStarted)
  return true;
}

void Simulator::AddTimer(TimerNode* timer) {
  CheckThread();
  const MainHeapScope main_heap;
  const std::uint64_t order = next_order_++;
  due_.emplace(std::pair(timer->when(), order), Due{timer, 0});
  timer->queue_index = 0;  // queued; its place is the key
  timer->queue_order = order;
}

void Simulator::RemoveTimer(TimerNode& timer) noexcept {
  CheckThread();
  if (timer.queue_index == TimerNode::kNotQueued) return;
  due_.erase(std::pair(timer.when(), timer.queue_order));
  timer.queue_index = TimerNode::kNotQueued;
  timer.Release();
}

void Simulator::IsolateStarted(IsolateCore& core) {
  CheckThread();
  if (ending_) throw StateError("the simulation is ending");
  // An isolate that sleeps or is ready stands there once: making it ready needs no memory.
  if (ready_.capacity() <= live_.size()) ready_.reserve(2 * live_.size() + 1);
  live_.emplace(core.id(), Live{Ref<IsolateCore>(&core), next_index_});
  ++next_index_;
  Note(SimulationStep::Kind::kStart, core);
}

void Simulator::IsolateEnded(IsolateCore& core) noexcept {
  const MainHeapScope main_heap;
  Note(SimulationStep::Kind::kEnd, core);
  const Ref<IsolateCore> keep(&core);
  live_.erase(core.id());
}

void Simulator::ParkInTurn(IsolateCore& core, Parker&, TimePoint deadline) {
  CheckThread();
  std::optional<AllocationFaults::Exempt> exempt(std::in_place);
  Actor& self = *running_;
  sleepers_.emplace(core.id(), Sleeper{&self, false});
  const std::pair alarm(deadline, next_order_++);
  if (deadline != TimePoint::max()) due_.emplace(alarm, Due{nullptr, core.id()});
  Actor& other = SpareOrNew();
  exempt.reset();
  PassBaton(self, other);
  sleepers_.erase(core.id());
  due_.erase(alarm);
}

void Simulator::UnparkInTurn(IsolateCore& core, Parker&) noexcept {
  CheckThread();
  const auto sleeper = sleepers_.find(core.id());
  if (sleeper == sleepers_.end() || std::exchange(sleeper->second.ready, true)) return;
  core.AddRef();
  ready_.push_back(&core);  // there is room (IsolateStarted)
}

// --- threads
// --------------------------------------------------------------------------------------

Simulator::Actor& Simulator::SpareOrNew() {
  if (!spares_.empty()) {
    Actor& spare = *spares_.back();
    spares_.pop_back();
    return spare;
  }
  MarkCurrentHeapNotDroppable();  // rule H5: a thread is started
  actors_.push_back(std::make_unique<Actor>());
  Actor& made = *actors_.back();
  made.thread = std::thread([this, &made] { ActorMain(made); });
  return made;
}

// Returns when the baton has come back: nothing else unparks an actor, and a Park without a
// deadline returns only with a token (rule P2).
void Simulator::PassBaton(Actor& self, Actor& other) {
  running_ = &other;
  other.baton.Unpark();
  self.baton.Park();
}

void Simulator::ActorMain(Actor& self) {
  std::optional<AllocationFaults::Exempt> exempt(std::in_place);
  RegisterThisThread("simulation");
  self.baton.Park();
  WorkerHeaps heaps;
  const ThreadOfSimulation thread(*this);
  exempt.reset();
  Loop(self);
}

void Simulator::Loop(Actor& self) {
  ThreadContext& context = ThisThread();
  Actor& caller = *actors_.front();
  for (;;) {
    context.heaps->ServiceLeaves();
    if (!finished_ && ready_.empty() && !FireTimers()) {
      if (!ending_) {
        EndAll();
        continue;
      }
      ISOLATES_CHECK(sleepers_.empty(),
                     "a destructor waits for what cannot happen any more in the simulation");
      finished_ = true;
      spares_.erase(std::remove(spares_.begin(), spares_.end(), &caller), spares_.end());
    }
    if (finished_) {
      if (&self == &caller) {
        // From here on the other threads only end.
        for (Actor* spare : spares_) spare->baton.Unpark();
      } else if (running_ == &self) {
        running_ = &caller;
        caller.baton.Unpark();
      }
      return;
    }
    if (report_.trace.size() >= options_.max_steps() && !ending_) {
      gave_up_ = true;
      EndAll();
      continue;
    }
    if (options_.on_step() && !ending_) options_.on_step()(steps_++);
    const auto chosen = ready_.begin() + static_cast<std::ptrdiff_t>(Random(ready_.size()));
    const auto core = Ref<IsolateCore>::Adopt(*chosen);
    ready_.erase(chosen);
    const auto sleeper = sleepers_.find(core->id());
    if (sleeper != sleepers_.end()) {
      Note(SimulationStep::Kind::kResume, *core);
      {
        const AllocationFaults::Exempt exempt;
        spares_.push_back(&self);
      }
      PassBaton(self, *sleeper->second.actor);
      continue;
    }
    const int events =
        1 + static_cast<int>(Random(static_cast<std::uint64_t>(options_.max_events_in_a_turn())));
    Note(SimulationStep::Kind::kTurn, *core, events);
    if (core->RunTurn(context, events) == IsolateCore::TurnEnd::kMoreToDo) Schedule(*core);
  }
}

void Simulator::Fire(const Due& due) {
  const std::uint64_t id = due.timer != nullptr ? due.timer->host().id() : due.sleeper;
  const auto live = live_.find(id);
  if (live != live_.end()) Note(SimulationStep::Kind::kTimer, *live->second.core);
  if (due.timer != nullptr) {
    due.timer->queue_index = TimerNode::kNotQueued;
    due.timer->Fire();
  } else if (live != live_.end()) {
    UnparkInTurn(*live->second.core, ThisThread().parker);
  }
}

// Nothing is ready: time passes until something is due. False: nothing ever will be.
bool Simulator::FireTimers() {
  while (ready_.empty() && !due_.empty()) {
    clock_.now = std::max(clock_.now, due_.begin()->first.first);
    // All that are due together, so that the schedule orders what they set off.
    while (!due_.empty() && due_.begin()->first.first <= clock_.now) {
      const Due due = due_.begin()->second;
      due_.erase(due_.begin());
      Fire(due);
    }
  }
  return !ready_.empty();
}

void Simulator::EndAll() {
  const AllocationFaults::Exempt exempt;
  ending_ = true;
  std::vector<Ref<IsolateCore>> left;
  left.reserve(live_.size());
  for (const auto& [id, live] : live_) left.push_back(live.core);
  if (!gave_up_) report_.waiting = DescribeLeft();
  for (const auto& core : left) {
    core->RequestKill(ExitReason::kShutdown, "the simulation has come to its end");
  }
}

std::vector<std::string> Simulator::DescribeLeft() {
  std::map<std::uint64_t, int> timers;
  for (const auto& [when, due] : due_) {
    if (due.timer != nullptr) ++timers[due.timer->host().id()];
  }
  const auto waits = BlockedWait::All(*this);
  std::vector<std::string> lines;
  lines.reserve(live_.size());
  for (const auto& [id, live] : live_) {
    lines.push_back(ToString(live.core->DescribeLife(waits, timers[id])));
  }
  return lines;
}

SimulationReport Simulator::Run(Ref<IsolateCore> main) {
  Schedule(*main);
  main = nullptr;
  Loop(*actors_.front());
  for (const auto& actor : actors_) {
    if (actor->thread.joinable()) actor->thread.join();
  }
  for (const auto& [when, due] : due_) {
    if (due.timer != nullptr) due.timer->OnDiscard();
  }
  due_.clear();
  report_.time = clock_.now.time_since_epoch();
  if (gave_up_) {
    throw LimitError("the simulation took more than " + std::to_string(options_.max_steps()) +
                     " steps (SimulationOptions::MaxSteps)");
  }
  return std::move(report_);
}

SimulationReport RunSimulation(const SimulationOptions& options,
                               std::unique_ptr<Computation> computation) {
  if (thread_scheduler != nullptr || current_worker != nullptr ||
      (current_host != nullptr && current_host->InTurn())) {
    throw StateError("a simulation cannot be started in an isolate's event");
  }
  if (options.max_events_in_a_turn() < 1) {
    throw StateError("SimulationOptions::MaxEventsInATurn needs at least 1");
  }
  const MainHeapScope main_heap;
  RegisterThisThread(current_host != nullptr ? CurrentCore()->name() : "simulation");
  SimulationReport report;
  std::optional<RemoteError> error;
  {
    Simulator simulator(options);
    const ThreadOfSimulation thread(simulator);
    LaunchOptions launch;
    launch.name = "main";
    auto main = MakeRef<IsolateCore>(
        std::move(launch), std::make_unique<SimulatedMain>(std::move(computation), error));
    simulator.IsolateStarted(*main);
    report = simulator.Run(std::move(main));
  }
  if (error) throw RemoteError(*error);
  return report;
}

}  // namespace internal

std::string ToString(const SimulationStep& step) {
  static constexpr const char* kNames[] = {"start", "turn", "resume", "timer", "end"};
  std::string text = kNames[static_cast<int>(step.kind)];
  text += " of " + std::to_string(step.isolate);
  if (step.kind == SimulationStep::Kind::kTurn) text += " (" + std::to_string(step.events) + ")";
  return text + " at " + std::to_string(step.time.count()) + " ns";
}

}  // namespace isolates
