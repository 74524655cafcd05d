// Isolates with a thread and a processor of their own.
//
// A dedicated isolate is bound to a worker that has no place, as builders of parcels are bound to
// theirs: whoever wakes it pushes it to Worker::bound and unparks that worker. The worker comes
// from the spares and becomes one again when the isolate has ended. The places keep off its
// processor: AssignCpus spreads them over those that are left.

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <string>
#include <utility>

#include "src/runtime/runtime_impl.h"

namespace isolates::internal {
namespace {

constexpr std::size_t kMostThreadName = 15;  // the system's limit

}  // namespace

std::size_t Runtime::ReserveCpu(int cpu) {
  const std::lock_guard lock(spares_mutex_);
  for (std::size_t i = allowed_.cpus.size(); i-- > 0;) {
    if (cpu != LaunchOptions::kAnyProcessor && cpu != allowed_.cpus[i]) continue;
    if (cpu_dedicated_[i]) {
      if (cpu == LaunchOptions::kAnyProcessor) continue;
      throw LimitError("processor " + std::to_string(cpu) + " is another isolate's (Dedicated)");
    }
    cpu_dedicated_[i] = true;
    ++dedicated_;
    AssignCpus();
    return i;
  }
  if (cpu != LaunchOptions::kAnyProcessor) {
    throw StateError("this process may not use processor " + std::to_string(cpu) +
                     " (affinity mask, cgroup quota)");
  }
  throw LimitError("each of the " + std::to_string(allowed_.cpus.size()) +
                   " allowed processors has a dedicated isolate already");
}

void Runtime::GiveBackCpu(std::size_t index) noexcept {
  const std::lock_guard lock(spares_mutex_);
  cpu_dedicated_[index] = false;
  --dedicated_;
  AssignCpus();
}

// Under spares_mutex_. Each place keeps its own processor if it can.
void Runtime::AssignCpus() noexcept {
  const std::vector<int>& cpus = allowed_.cpus;
  const auto shared =
      static_cast<std::size_t>(std::count(cpu_dedicated_.begin(), cpu_dedicated_.end(), false));
  const auto shared_cpu = [&](std::size_t number) {
    std::size_t i = 0;
    while (cpu_dedicated_[i] || number-- > 0) ++i;
    return cpus[i];
  };
  // relaxed - a hint for Crowded.
  shared_cpus_.store(std::max(1, static_cast<int>(shared)), std::memory_order_relaxed);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const std::size_t own = i % cpus.size();
    const bool keeps = shared == 0 || !cpu_dedicated_[own];
    const int cpu = keeps ? cpus[own] : shared_cpu(i % shared);
    Place& place = *places_[i];
    // seq_cst, both - pairs with PinToPlace: either this thread sees the new owner, or that one
    // reads the new number.
    place.cpu.store(cpu, std::memory_order_seq_cst);
    Worker* const owner = place.owner.load(std::memory_order_seq_cst);
    if (!options_.pin_workers || owner == nullptr || owner == Place::MainThread()) continue;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(owner->tid, sizeof(set), &set);  // a refusal leaves it where it is
  }
}

void Runtime::PinToPlace(const Worker& worker, const Place& place) {
  if (!options_.pin_workers) return;
  // seq_cst, both - pairs with AssignCpus.
  for (int pinned = -1;;) {
    const int cpu = place.cpu.load(std::memory_order_seq_cst);
    if (cpu == pinned) return;
    pinned = cpu;
    if (PinThisThread(cpu)) continue;
    const std::lock_guard lock(spares_mutex_);
    warnings_.push_back("worker " + std::to_string(worker.number) +
                        " could not be bound to processor " + std::to_string(cpu));
  }
}

Worker* Runtime::TakeSpareOrStartAnother() {
  {
    const std::lock_guard lock(spares_mutex_);
    if (spares_ != nullptr) return std::exchange(spares_, spares_->next_spare);
  }
  return StartWorker();
}

void Runtime::Dedicate(IsolateCore& core, int cpu, std::shared_ptr<const IdleStrategy> idle) {
  auto dedication = std::make_unique<Dedication>();
  dedication->core = Ref<IsolateCore>(&core);
  dedication->idle = std::move(idle);
  dedication->cpu_index = ReserveCpu(cpu);
  Worker* worker = nullptr;
  try {
    worker = TakeSpareOrStartAnother();
  } catch (...) {
    GiveBackCpu(dedication->cpu_index);
    throw;
  }
  core.Dedicate(*worker);
  // release - pairs with WaitForPlace.
  worker->dedication.store(dedication.release(), std::memory_order_release);
  worker->context->parker.Unpark();
}

void Runtime::RunDedicated(Worker& worker, std::unique_ptr<Dedication> dedication) {
  IsolateCore& core = *dedication->core;
  ThreadContext& context = *worker.context;
  const int cpu = allowed_.cpus[dedication->cpu_index];
  if (!PinThisThread(cpu)) {
    const std::lock_guard lock(spares_mutex_);
    warnings_.push_back("dedicated isolate '" + core.name() + "' could not be bound to processor " +
                        std::to_string(cpu));
  }
  context.idle_strategy = dedication->idle.get();
  context.has_processor = true;
  worker.dedicated = dedication.get();
  // So that debuggers, perf and top show whose thread it is.
  pthread_setname_np(pthread_self(), core.name().substr(0, kMostThreadName).c_str());
  // acquire - pairs with Stop.
  while (!core.dead() && !stopped_.load(std::memory_order_acquire)) {
    worker.bound_now.AppendChain(worker.bound.TakeAll());
    if (IsolateCore* const found = worker.bound_now.PopFront()) {
      if (found == &core) {
        RunIsolate(worker, core);
      } else {
        // Bound here when the worker had a place. If its turn waited, ReleaseBound would free the
        // dedicated isolate.
        ReleaseOne(*found);
      }
      worker.heaps->ServiceLeaves();
      continue;
    }
    const MeteredIdle idle(context.meter, kStatsSearches);
    IdleWait wait;
    // acquire - pairs with Stop, as above.
    while (worker.bound.empty() && !stopped_.load(std::memory_order_acquire)) {
      if (wait.LookAgain([&] { return !worker.bound.empty(); })) continue;
      // A push comes before its token, and the token is taken before the next look.
      NoteRest();
      ParkIdle(worker, wait.sleep_until());
      // acquire - pairs with AskCollect.
      if (worker.collect_asked.exchange(false, std::memory_order_acquire)) {
        worker.heaps->Collect();
      }
    }
  }
  EndDedication();  // if the isolate has not ended
  pthread_setname_np(pthread_self(), worker.thread_name().c_str());
  BecomeSpare(worker);
}

void Runtime::EndDedication() noexcept {
  Worker* const worker = current_worker;
  if (worker == nullptr || worker->dedicated == nullptr) return;
  worker->context->idle_strategy = nullptr;
  worker->context->has_processor = false;
  GiveBackCpu(std::exchange(worker->dedicated, nullptr)->cpu_index);
}

}  // namespace isolates::internal
