// Deterministic runs: all isolates under one seeded schedule and a logical clock, for finding and
// replaying races of order.

#ifndef ISOLATES_SIMULATION_H_
#define ISOLATES_SIMULATION_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "isolates/clock.h"
#include "isolates/detail/runtime_main.h"

namespace isolates {

// One step of a simulation.
struct SimulationStep {
  // What can happen in a step.
  enum class Kind {
    kStart,   // the isolate came to life
    kTurn,    // it ran a turn, of `events` events at most
    kResume,  // it went on after a blocking wait
    kTimer,   // one of its timers, or deadlines, fired
    kEnd,     // it has ended
  };
  Kind kind = Kind::kStart;
  Duration time{0};           // by the logical clock, which starts at 0
  std::uint64_t isolate = 0;  // in the order of their start, from 0 (main)
  int events = 0;             // of a turn: how many it might handle

  // The same step?
  friend bool operator==(const SimulationStep&, const SimulationStep&) = default;
};
// "12: turn of 3 (2) at 1500 ns"
std::string ToString(const SimulationStep& step);

// What a simulation did.
struct SimulationReport {
  std::vector<SimulationStep> trace;  // all steps
  // Isolates that were left when nothing could happen any more, and what each waits for. They were
  // ended then. Empty: the program came to its end.
  std::vector<std::string> waiting;
  Duration time{0};  // by the logical clock, at the end
};

// Options of Simulate.
class SimulationOptions {
 public:
  // The seed from which the schedule is drawn.
  explicit SimulationOptions(std::uint64_t seed) noexcept : seed_(seed) {}

  // Turns of that many events at most, chosen anew for each. Default: 4. One is the finest
  // schedule.
  SimulationOptions& MaxEventsInATurn(int events) noexcept {
    max_events_ = events;
    return *this;
  }
  // After so many steps the simulation gives up: LimitError. Default: ten million.
  SimulationOptions& MaxSteps(std::uint64_t steps) noexcept {
    max_steps_ = steps;
    return *this;
  }

  // Called before each turn, or resumption, with its number from 0, outside of all isolates: to
  // kill one at every step, say. It may use handles of the simulation's isolates, and must neither
  // wait nor throw.
  SimulationOptions& OnStep(std::function<void(std::uint64_t step)> on_step) {
    on_step_ = std::move(on_step);
    return *this;
  }

  std::uint64_t seed() const noexcept { return seed_; }
  int max_events_in_a_turn() const noexcept { return max_events_; }
  std::uint64_t max_steps() const noexcept { return max_steps_; }
  // Empty if nothing was set.
  const std::function<void(std::uint64_t step)>& on_step() const noexcept { return on_step_; }

 private:
  std::uint64_t seed_;
  int max_events_ = 4;
  std::uint64_t max_steps_ = 10'000'000;
  std::function<void(std::uint64_t step)> on_step_;
};

namespace internal {
SimulationReport RunSimulation(const SimulationOptions& options,
                               std::unique_ptr<Computation> computation);
}  // namespace internal

// Runs `main`, a function or a coroutine, as an isolate, with all that it starts, until nothing can
// happen any more. One isolate runs at a time; which one goes next is drawn from the seed. Time
// passes only when all wait, and then at once: delays and deadlines cost nothing. The same program
// with the same seed and options takes the same steps, message by message and timer by timer, as
// long as it talks to nothing but its isolates.
//
// All runs on the calling thread, but for isolates that block in a turn (Get, Receive with a
// timeout): another thread goes on then, never both. Isolates of a simulation and others cannot
// talk to each other (the program is ended with a message). Spawn options about processors are
// ignored.
//
// Throws what main did not catch (RemoteError), LimitError, and StateError inside of an isolate's
// event or another simulation.
template <std::invocable Main>
SimulationReport Simulate(const SimulationOptions& options, Main main) {
  int status = 0;
  auto computation = std::make_unique<internal::MainComputation<Main>>(std::move(main), status);
  return internal::RunSimulation(options, std::move(computation));
}
template <std::invocable Main>
SimulationReport Simulate(std::uint64_t seed, Main main) {
  return Simulate(SimulationOptions(seed), std::move(main));
}

}  // namespace isolates

#endif  // ISOLATES_SIMULATION_H_
