// The loop of a worker thread.

#include <pthread.h>

#include <algorithm>
#include <string>

#include "isolates/detail/threads.h"
#include "src/runtime/runtime_impl.h"

namespace isolates::internal {
namespace {

// The more isolates wait, the shorter are turns, so that the round of all does not get longer as
// fast as their number grows; but a turn's own cost is to stay small beside its events.
int CreditWhile(const std::atomic<std::int64_t>& ready_count) noexcept {
  constexpr std::int64_t kFull = IsolateCore::kTurnCredit;
  // relaxed - a hint.
  const std::int64_t waiting = ready_count.load(std::memory_order_relaxed);
  return static_cast<int>(
      std::max<std::int64_t>(kFull / 8, kFull / (1 + std::max<std::int64_t>(0, waiting))));
}

// How long a worker that found nothing to do keeps the free memory of its heaps.
constexpr Duration kKeepMemory = std::chrono::milliseconds(50);
// One search for work out of so many begins with the queue of another place.
constexpr std::size_t kOwnSearches = 16;

}  // namespace

thread_local constinit Worker* current_worker = nullptr;

void Runtime::WorkerMain(Worker& worker) {
  const std::string name = worker.thread_name();
  pthread_setname_np(pthread_self(), name.c_str());
  RegisterThisThread(name);
  worker.context->meter.Begin(name, worker.number);
  current_worker = &worker;
  WaitForPlace(worker);  // whoever started the thread gives it one, or lists it as a spare
  WorkerLoop(worker);
  // The heaps go with the thread: isolates that were left over keep their blocks, nobody allocates
  // there.
  worker.context->heaps = nullptr;
  // An isolate that was still running at the deadline may hold on to them for ever.
  if (!overdue_.load(std::memory_order_relaxed)) delete worker.heaps;  // relaxed - see stopped_
  current_worker = nullptr;
  // release - pairs with Stop.
  worker.exited.store(true, std::memory_order_release);
}

bool Runtime::Owns(const Worker& worker) const noexcept {
  const Place* place = worker.place.load(std::memory_order_relaxed);  // relaxed - its own
  // acquire - whoever took the place from this worker did so for a reason it should see.
  return place != nullptr && place->owner.load(std::memory_order_acquire) == &worker;
}

// Nobody may have taken the place that this worker lost: a worker that is busy with bound isolates
// is on no list, and nobody else would give it one.
bool Runtime::TakeBackPlace(Worker& worker) noexcept {
  Place* const place = worker.place.load(std::memory_order_relaxed);  // relaxed - its own
  Worker* nobody = nullptr;
  // acq_rel - as for every change of owner.
  return place != nullptr &&
         place->owner.compare_exchange_strong(nobody, &worker, std::memory_order_acq_rel,
                                              std::memory_order_relaxed);
}

void Runtime::WorkerLoop(Worker& worker) {
  // acquire - pairs with Stop.
  while (!stopped_.load(std::memory_order_acquire)) {
    // Bound isolates and those of the queues take turns, so that neither holds up the others.
    worker.bound_now.AppendChain(worker.bound.TakeAll());
    IsolateCore* const bound = worker.bound_now.PopFront();
    if (bound != nullptr) RunIsolate(worker, *bound);
    if (!Owns(worker) && !TakeBackPlace(worker)) {
      if (bound == nullptr) WaitAsSpare(worker);
    } else if (IsolateCore* found = FindWork(worker)) {
      RunIsolate(worker, *found);
    } else if (bound == nullptr) {
      Idle(worker);
    }
    worker.heaps->ServiceLeaves();
  }
}

IsolateCore* Runtime::FindWork(Worker& worker) {
  // relaxed - a hint; Idle looks with the right order before it sleeps.
  if (ready_count_.load(std::memory_order_relaxed) <= 0) return nullptr;
  const Place& own = *worker.place.load(std::memory_order_relaxed);  // relaxed - its own
  // Urgent isolates first, then its own queue; but now and then the others: their workers may be in
  // long turns, or have none, and urgent isolates must not starve the rest.
  std::size_t first = static_cast<std::size_t>(own.index);
  const bool own_first = ++worker.searches % kOwnSearches != 0;
  if (!own_first) first += worker.searches / kOwnSearches;
  if (own_first) {
    if (IsolateCore* core = TakeUrgent()) return core;
  }
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = *places_[(first + i) % places_.size()];
    if (IsolateCore* core = TakeFrom(place, /*urgent=*/false)) {
      if (&place != &own) worker.context->meter.Stole();
      return core;
    }
  }
  return own_first ? nullptr : TakeUrgent();
}

IsolateCore* Runtime::TakeUrgent() {
  // relaxed - a hint, as in FindWork: whoever misses an isolate here comes back for it.
  if (urgent_count_.load(std::memory_order_relaxed) <= 0) return nullptr;
  for (const auto& place : places_) {
    if (IsolateCore* core = TakeFrom(*place, /*urgent=*/true)) return core;
  }
  return nullptr;
}

IsolateCore* Runtime::TakeFrom(Place& place, bool urgent) {
  IsolateCore* const core = (urgent ? place.urgent : place.ready).TryPop();
  if (core == nullptr) return nullptr;
  // relaxed, both - count down what this thread took; only the count's rise wakes anybody.
  if (urgent) urgent_count_.fetch_sub(1, std::memory_order_relaxed);
  ready_count_.fetch_sub(1, std::memory_order_relaxed);
  return core;
}

void Runtime::RunIsolate(Worker& worker, IsolateCore& core) {
  Place* const place = worker.place.load(std::memory_order_relaxed);  // relaxed - its own
  // A turn of a bound isolate, beside its place.
  if (!Owns(worker) && worker.dedicated == nullptr) CountStalled(worker);
  // seq_cst - pairs with MakeReady: whoever raised the count may have left it to this worker alone.
  if (ready_count_.load(std::memory_order_seq_cst) > 0) {
    WakeForWork(place != nullptr ? *place : *places_[1]);
  }
  // relaxed - a hint.
  if (place != nullptr) core.place_hint.store(place->index, std::memory_order_relaxed);
  core.set_worker(&worker);
  // release, both - pair with TurnWatch::LookAt.
  worker.runs.store(core.id(), std::memory_order_release);
  worker.turns.fetch_add(1, std::memory_order_release);
  // While urgent isolates wait, others get one event at a time. relaxed - a hint.
  const bool yields = !core.urgent() && urgent_count_.load(std::memory_order_relaxed) > 0;
  const int credit = yields ? 1 : CreditWhile(ready_count_);
  // relaxed - see perf_on.
  const IsolateCore::TurnEnd end = perf_on.load(std::memory_order_relaxed)
                                       ? RunCharged(worker, core, credit)
                                       : core.RunTurn(*worker.context, credit);
  worker.turns.fetch_add(1, std::memory_order_relaxed);  // relaxed - see LookForStalls
  UncountStalled(worker);
  if (end != IsolateCore::TurnEnd::kMoreToDo) {
    core.Release();
    return;
  }
  if (!core.may_move()) {
    worker.bound_now.Append(&core);
    return;
  }
  MakeReady(core, place != nullptr ? *place : *places_[1]);
}

bool Runtime::MayLinger() const noexcept {
  const Worker* const worker = current_worker;
  // relaxed, all - hints; the worker's loop looks again. What is ready goes to whoever searches.
  return worker != nullptr &&
         (ready_count_.load(std::memory_order_relaxed) <= 0 ||
          searching_.load(std::memory_order_relaxed) > 0) &&
         worker->bound.empty() && worker->bound_now.empty() &&
         !worker->collect_asked.load(std::memory_order_relaxed) &&
         phase_.load(std::memory_order_relaxed) == Phase::kOpen &&
         !stopped_.load(std::memory_order_relaxed) &&
         (worker->dedicated != nullptr || Owns(*worker));
}

void Runtime::Idle(Worker& worker) {
  Place& place = *worker.place.load(std::memory_order_relaxed);  // relaxed - its own
  // acquire - pairs with AskCollect.
  if (worker.collect_asked.exchange(false, std::memory_order_acquire)) worker.heaps->Collect();
  const MeteredIdle idle(worker.context->meter, kStatsSearches);
  IdleWait wait;
  TimePoint collect_at = std::chrono::steady_clock::now() + kKeepMemory;
  for (;;) {
    const auto found = [&] {
      // relaxed - hints; the worker's loop looks again.
      return ready_count_.load(std::memory_order_relaxed) > 0 ||
             stopped_.load(std::memory_order_relaxed) || !Owns(worker) || !worker.bound.empty() ||
             worker.collect_asked.load(std::memory_order_relaxed);
    };
    // seq_cst, both - pairs with WakeForWork: it wakes nobody while somebody searches; the count is
    // looked at again after the searching has ended.
    searching_.fetch_add(1, std::memory_order_seq_cst);
    bool something = found();
    while (!something && wait.LookAgain(found)) something = found();
    searching_.fetch_sub(1, std::memory_order_seq_cst);
    if (something) return;
    // seq_cst - announced before ready_count_ is looked at (see MakeReady). Two may stand here
    // while one of them has lost the place and does not know it yet: whoever is covered looks
    // again, for nobody else could wake it.
    Worker* const covered = place.idle.exchange(&worker, std::memory_order_seq_cst);
    if (covered != nullptr && covered != &worker) covered->context->parker.Unpark();
    // seq_cst - pairs with MakeReady; acquire for the others: pairs with Stop and AskCollect.
    something = ready_count_.load(std::memory_order_seq_cst) > 0 || !Owns(worker) ||
                stopped_.load(std::memory_order_acquire) ||
                worker.collect_asked.load(std::memory_order_acquire);
    if (!something) NoteRest();
    if (!something && !ParkIdle(worker, std::min(collect_at, wait.sleep_until())) &&
        std::chrono::steady_clock::now() >= collect_at) {
      worker.heaps->Collect();
      collect_at = TimePoint::max();
    }
    Worker* self = &worker;
    // acquire on failure - pairs with WakeIdle: whoever took this worker out woke it for work,
    // which is counted.
    if (!place.idle.compare_exchange_strong(self, nullptr, std::memory_order_acquire)) return;
    if (something) return;
  }
}

bool Runtime::ParkIdle(Worker& worker, TimePoint deadline) {
  worker.context->meter.Parks();
  const bool woken = worker.context->parker.Park(deadline);
  worker.context->meter.Parked(woken);
  return woken;
}

void Runtime::WaitAsSpare(Worker& worker) {
  worker.context->meter.BecameSpare();
  worker.place.store(nullptr, std::memory_order_relaxed);  // relaxed - its own while it has none
  BecomeSpare(worker);
  WaitForPlace(worker);
}

void Runtime::BecomeSpare(Worker& worker) noexcept {
  UncountStalled(worker);  // it may have been counted just after its turn
  {
    const std::lock_guard lock(spares_mutex_);
    worker.next_spare = spares_;
    spares_ = &worker;
  }
  // Whoever made an isolate ready may have counted on this worker, because it searched or had just
  // been given the place that it lost. seq_cst - pairs with MakeReady.
  if (ready_count_.load(std::memory_order_seq_cst) > 0) WakeForWork(*places_.back());
}

// False: somebody has taken it from the list already, and tells it what for.
bool Runtime::LeaveSpares(const Worker& worker) noexcept {
  const std::lock_guard lock(spares_mutex_);
  for (Worker** at = &spares_; *at != nullptr; at = &(*at)->next_spare) {
    if (*at != &worker) continue;
    *at = worker.next_spare;
    return true;
  }
  return false;
}

void Runtime::WaitForPlace(Worker& worker) {
  for (;;) {
    // acquire - pairs with FillPlace.
    if (Place* place = worker.place.load(std::memory_order_acquire)) {
      worker.context->meter.TookOver(place->index);
      PinToPlace(worker, *place);
      return;
    }
    // acquire - pairs with Stop.
    if (stopped_.load(std::memory_order_acquire)) return;
    worker.bound_now.AppendChain(worker.bound.TakeAll());
    // After the look at what is bound: whoever dedicates the worker binds the isolate afterwards.
    // acquire - pairs with Dedicate.
    if (Dedication* dedication = worker.dedication.exchange(nullptr, std::memory_order_acquire)) {
      RunDedicated(worker, std::unique_ptr<Dedication>(dedication));
      continue;
    }
    if (!worker.bound_now.empty() && LeaveSpares(worker)) {
      // It may run its own isolates without a place, but is no spare meanwhile: a place that was
      // given to it would have nobody if the turn waits.
      RunIsolate(worker, *worker.bound_now.PopFront());
      BecomeSpare(worker);
      continue;
    }
    if (worker.collect_asked.exchange(false, std::memory_order_acquire)) worker.heaps->Collect();
    worker.heaps->ServiceLeaves();
    NoteRest();
    const MeteredIdle idle(worker.context->meter, kStatsSpare);
    ParkIdle(worker, TimePoint::max());
  }
}

}  // namespace isolates::internal
