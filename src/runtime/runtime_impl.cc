#include "src/runtime/runtime_impl.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/threads.h"
#include "isolates/heap.h"
#include "isolates/transfer.h"
#include "src/base/thread_state.h"

namespace isolates::internal {
namespace {

std::mutex options_mutex;  // guards the two that follow
RuntimeOptions* pending_options = nullptr;
bool started = false;

RuntimeOptions ChosenOptions() {
  const std::lock_guard lock(options_mutex);
  started = true;
  // They stay where they are: without memory for a runtime, the next call tries again.
  return pending_options != nullptr ? *pending_options : RuntimeOptions{};
}

}  // namespace

thread_local constinit Scheduler* thread_scheduler = nullptr;

Scheduler& GetScheduler() {
  return thread_scheduler != nullptr ? *thread_scheduler : Runtime::Get();
}

Runtime& Runtime::Get() {
  static Runtime* const runtime = [] {
    const MainHeapScope main_heap;
    auto* made = new Runtime(ChosenOptions());
    SetHazardLookup(&DescribeHazard);
    SetPauseHook([]() noexcept { GetScheduler().LetOthersRun(); });
    std::atexit([] {
      try {
        Get().Stop(ShutdownMode::kDiscard, std::chrono::seconds(2));
      } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the program ends anyway
      }
    });
    return made;
  }();
  return *runtime;
}

Runtime::Runtime(RuntimeOptions options)
    : allowed_(FindAllowedCpus()),
      options_(std::move(options)),
      main_thread_(std::this_thread::get_id()),
      main_tid_(gettid()) {
  StartStats(options_.stats_file);
  const std::size_t cpus = allowed_.cpus.size();
  const std::size_t workers = options_.workers > 0 ? static_cast<std::size_t>(options_.workers)
                                                   : std::max<std::size_t>(1, cpus - 1);
  for (std::size_t i = 0; i <= workers; ++i) {
    places_.push_back(std::make_unique<Place>(static_cast<int>(i), allowed_.cpus[i % cpus]));
  }
  SetIdleStrategy(options_.idle != nullptr ? options_.idle : SpinThenPark());
  places_[0]->owner.store(Place::MainThread(),
                          std::memory_order_relaxed);  // relaxed - not yet shared
  last_looks_.resize(places_.size());
  cpu_dedicated_.resize(cpus);
  shared_cpus_.store(static_cast<int>(cpus),
                     std::memory_order_relaxed);  // relaxed - not yet shared
  keeper_ = std::make_unique<Keeper>(
      options_.clock, [this] { return LookForStalls(); }, [this] { return LookForDeadlock(); },
      [this] { return Observe(); });
}

// --- any thread
// -----------------------------------------------------------------------------------

bool Runtime::Schedule(IsolateCore& core) noexcept {
  // acquire - pairs with Stop.
  if (stopped_.load(std::memory_order_acquire)) return false;
  const MainHeapScope main_heap;
  core.AddRef();
  if (!core.may_move() && core.worker() != nullptr) {
    Worker& worker = *core.worker();
    worker.bound.Push(&core);
    // acq_rel - pairs with BeginBlocking, which announces the wait, then takes what is bound: both
    // are RMWs on one word, so either the worker sees the push, or this thread sees that it waits.
    if (worker.waits.fetch_add(0, std::memory_order_acq_rel) != 0) {
      ReleaseBound(worker);
    } else {
      worker.context->parker.Unpark();
    }
    return true;
  }
  // relaxed - a hint.
  int hint = core.place_hint.load(std::memory_order_relaxed);
  if (hint < 0) {
    // New isolates go round the workers' places. relaxed - any distribution will do.
    const std::uint32_t turn = next_place_.fetch_add(1, std::memory_order_relaxed);
    hint = 1 + static_cast<int>(turn % (places_.size() - 1));
    core.place_hint.store(hint, std::memory_order_relaxed);
  }
  MakeReady(core, *places_[static_cast<std::size_t>(hint)]);
  return true;
}

void Runtime::MakeReady(IsolateCore& core, Place& place) noexcept {
  const bool urgent = core.urgent();
  (urgent ? place.urgent : place.ready).Push(&core);
  // relaxed - a hint where to look first; the count that follows is what nobody misses.
  if (urgent) urgent_count_.fetch_add(1, std::memory_order_relaxed);
  // seq_cst - pairs with Idle and with whoever frees a place: they announce, then look at this
  // count; here the count is raised, then the announcements are looked at. One of the two sees the
  // other.
  ready_count_.fetch_add(1, std::memory_order_seq_cst);
  if (!WakeForWork(place) && urgent) AskToEndTurns();
}

// False: all are busy.
bool Runtime::WakeForWork(Place& preferred) noexcept {
  // seq_cst - pairs with Idle: a worker that stops searching looks at ready_count_ once more.
  if (searching_.load(std::memory_order_seq_cst) > 0) return true;
  if (WakeIdle(preferred)) return true;
  for (const auto& place : places_) {
    if (WakeIdle(*place)) return true;
  }
  for (std::size_t i = places_.size(); i-- > 0;) {
    if (FillPlace(*places_[i])) return true;
  }
  keeper_->Watch();
  return false;
}

// An urgent isolate waits: the first turn that has handled its event makes room for it.
void Runtime::AskToEndTurns() noexcept {
  for (const auto& place : places_) {
    // acquire - pairs with FillPlace.
    Worker* const owner = place->owner.load(std::memory_order_acquire);
    if (owner == nullptr || owner == Place::MainThread()) continue;
    owner->context->end_turn.store(true, std::memory_order_relaxed);  // relaxed - a hint
  }
}

// The worker waits in a turn, perhaps for one of the isolates that only it may run: they become
// free to run anywhere. What they build can then not be dropped as a whole.
void Runtime::ReleaseBound(Worker& worker) noexcept {
  IsolateCore* core = worker.bound.TakeAll();
  while (core != nullptr) {
    IsolateCore* const next = core->next_event;
    ReleaseOne(*core);
    core = next;
  }
}

void Runtime::ReleaseOne(IsolateCore& core) noexcept {
  core.LetMove();
  MakeReady(core, *places_[1]);
}

bool Runtime::WakeIdle(Place& place) noexcept {
  // seq_cst - pairs with Idle (see MakeReady).
  if (place.idle.load(std::memory_order_seq_cst) == nullptr) return false;
  // acquire half - pairs with Idle: the worker's fields are visible; release half - pairs with its
  // end: what it is woken for is visible. The winner owes the unpark.
  Worker* const sleeper = place.idle.exchange(nullptr, std::memory_order_acq_rel);
  if (sleeper == nullptr) return false;
  sleeper->context->parker.Unpark();
  return true;
}

// Gives a place that nobody owns to a spare, or to a new worker. Either waits in WaitForPlace, and
// while it is on no list, this function alone may assign it a place.
bool Runtime::FillPlace(Place& place) noexcept {
  // acquire - pairs with Stop: no worker runs any more.
  if (stopped_.load(std::memory_order_acquire)) return false;
  // While the main thread waits the workers' places suffice, if they are as many as processors.
  if (place.index == 0 && MorePlacesThanProcessors()) return false;
  // seq_cst - pairs with whoever frees the place (see MakeReady).
  if (place.owner.load(std::memory_order_seq_cst) != nullptr) return false;
  Worker* worker = nullptr;
  try {
    worker = TakeSpareOrStart();
  } catch (...) {
    keeper_->Watch();  // the work waits for the workers there are, and the keeper tries again
  }
  if (worker == nullptr) return false;
  Worker* nobody = nullptr;
  // release - pairs with WakeIdle and Owns: the worker's fields are visible; relaxed on failure.
  if (!place.owner.compare_exchange_strong(nobody, worker, std::memory_order_acq_rel,
                                           std::memory_order_relaxed)) {
    {
      const std::lock_guard lock(spares_mutex_);
      worker->next_spare = spares_;
      spares_ = worker;
    }
    worker->context->parker.Unpark();  // it may wait to be told, with something of its own to run
    return false;
  }
  // release - pairs with WaitAsSpare.
  worker->place.store(&place, std::memory_order_release);
  worker->context->parker.Unpark();
  return true;
}

Worker* Runtime::TakeSpareOrStart() {
  {
    const std::lock_guard lock(spares_mutex_);
    if (spares_ != nullptr) return std::exchange(spares_, spares_->next_spare);
    // One worker for each place, and one for each that holds on to a turn without its place, are
    // enough. If they are all made, one is on its way to become a spare, and looks for work when it
    // does (WaitAsSpare). relaxed - counters; a stale value starts a thread too many or one look
    // later.
    const int needed = static_cast<int>(places_.size()) + dedicated_ +
                       blocked_.load(std::memory_order_relaxed) +
                       stalled_.load(std::memory_order_relaxed);
    if (static_cast<int>(workers_.size()) >= needed) return nullptr;
  }
  return StartWorker();
}

Worker* Runtime::StartWorker() {
  const std::lock_guard lock(spares_mutex_);
  MarkCurrentHeapNotDroppable();
  workers_.reserve(workers_.size() + 1);
  const int number = static_cast<int>(workers_.size()) + 1;
  auto worker = std::make_unique<Worker>(number);
  Worker* const raw = worker.get();
  Parker announced;
  raw->thread = std::thread([this, raw, &announced] {
    raw->tid = gettid();
    try {
      RegisterThisThread("isolates worker");
      raw->context = &ThisThread();
      raw->heaps = new WorkerHeaps;
    } catch (const std::bad_alloc&) {
      announced.Unpark();
      return;
    }
    raw->context->heaps = raw->heaps;
    announced.Unpark();
    WorkerMain(*raw);
  });
  announced.Park();
  if (raw->heaps == nullptr) {
    raw->thread.join();
    throw std::bad_alloc();
  }
  workers_.push_back(std::move(worker));
  return raw;
}

void Runtime::IsolateStarted(IsolateCore& core) {
  // Where isolates are, the keeper is: it starts workers that could not be started at once. acquire
  // - pairs with the release below: the thread of the keeper is there.
  if (!core.attached() && !keeper_runs_.load(std::memory_order_acquire) &&
      phase_.load(std::memory_order_relaxed) != Phase::kClosed) {  // relaxed - looked at below
    keeper_->Start();
    // release - pairs with the load above.
    keeper_runs_.store(true, std::memory_order_release);
  }
  LiveShard& shard = ShardOf(core.id());
  const std::lock_guard lock(shard.mutex);
  // acquire - pairs with Stop, which walks over the shards afterwards: it sees this isolate, or it
  // is refused here.
  const Phase phase = phase_.load(std::memory_order_acquire);
  const IsolateCore* const starter = CurrentCore();
  const bool from_outside = starter == nullptr || starter->attached();
  if (!core.attached() &&
      (phase == Phase::kClosed || (phase == Phase::kDraining && from_outside))) {
    throw StateError("the runtime is shut down");
  }
  // relaxed - counters only.
  started_.fetch_add(1, std::memory_order_relaxed);
  live_count_.fetch_add(1, std::memory_order_relaxed);
  core.AddRef();
  core.live.InsertBefore(shard.isolates);
}

void Runtime::IsolateEnded(IsolateCore& core) noexcept {
  {
    LiveShard& shard = ShardOf(core.id());
    const std::lock_guard lock(shard.mutex);
    core.live.Unlink();
  }
  live_count_.fetch_sub(1, std::memory_order_relaxed);  // relaxed - counter only
  if (core.attached()) NoteRest();                      // a thread less that could do something
  core.Release();
}

// --- blocking
// -------------------------------------------------------------------------------------

void Runtime::BeginBlocking() {
  Worker* const worker = current_worker;
  if (worker == nullptr) {
    if (std::this_thread::get_id() != main_thread_) return;
    Worker* main = Place::MainThread();
    // seq_cst - the place is announced as free before ready_count_ is looked at (see MakeReady).
    places_[0]->owner.compare_exchange_strong(main, nullptr, std::memory_order_seq_cst);
    if (ready_count_.load(std::memory_order_seq_cst) > 0) FillPlace(*places_[0]);
    return;
  }
  // relaxed - a counter that limits threads; nothing is published by it.
  if (blocked_.fetch_add(1, std::memory_order_relaxed) >= options_.max_blocked) {
    blocked_.fetch_sub(1, std::memory_order_relaxed);
    throw LimitError("more than " + std::to_string(options_.max_blocked) +
                     " isolates block at once (RuntimeOptions::max_blocked); use co_await instead");
  }
  worker->waits.fetch_add(1, std::memory_order_acq_rel);  // acq_rel - pairs with Schedule
  while (IsolateCore* core = worker->bound_now.PopFront()) worker->bound.Push(core);
  ReleaseBound(*worker);
  Place* const place = worker->place.load(std::memory_order_relaxed);  // relaxed - its own
  Worker* self = worker;
  if (place != nullptr &&
      place->owner.compare_exchange_strong(self, nullptr, std::memory_order_seq_cst) &&
      ready_count_.load(std::memory_order_seq_cst) > 0) {
    FillPlace(*place);
  }
}

void Runtime::EndBlocking() noexcept {
  Worker* const worker = current_worker;
  if (worker == nullptr) {
    if (std::this_thread::get_id() != main_thread_) return;
    // acq_rel - as for every change of owner.
    Worker* const former =
        places_[0]->owner.exchange(Place::MainThread(), std::memory_order_acq_rel);
    if (former != nullptr && former != Place::MainThread()) {
      // The stand-in notices after its turn; if it sleeps idle, it becomes a spare now. relaxed -
      // where the turn has just ended, the count is right again when the worker becomes a spare.
      if (former->turns.load(std::memory_order_relaxed) % 2 == 1) CountStalled(*former);
      former->context->parker.Unpark();
    }
    return;
  }
  blocked_.fetch_sub(1, std::memory_order_relaxed);
  // relaxed - who still sees the wait releases an isolate that could have stayed, no more.
  worker->waits.fetch_sub(1, std::memory_order_relaxed);
  Worker* nobody = nullptr;
  if (Place* const place = worker->place.load(std::memory_order_relaxed)) {
    // Takes the place back if nobody has it. Otherwise the turn goes on beside it to its end, and
    // counts as one that the keeper took the place from.
    if (!place->owner.compare_exchange_strong(nobody, worker, std::memory_order_acq_rel,
                                              std::memory_order_relaxed) &&
        nobody != worker) {
      CountStalled(*worker);
    }
  }
}

// relaxed, all - counters only; counted once for each turn.
void Runtime::CountStalled(Worker& worker) noexcept {
  if (!worker.stalled.exchange(true, std::memory_order_relaxed)) {
    stalled_.fetch_add(1, std::memory_order_relaxed);
  }
}

void Runtime::UncountStalled(Worker& worker) noexcept {
  if (!worker.stalled.load(std::memory_order_relaxed)) return;
  if (worker.stalled.exchange(false, std::memory_order_relaxed)) {
    stalled_.fetch_sub(1, std::memory_order_relaxed);
  }
}

void Runtime::LetOthersRun() noexcept {
  Worker* const worker = current_worker;
  // relaxed - a hint: who misses work now is asked again soon.
  if (worker == nullptr || ready_count_.load(std::memory_order_relaxed) <= 0) return;
  // A thread that is started now would cost a builder its drop as a whole (rule H5).
  if (HeapScope::BuildsParcel()) return;
  // Each such turn keeps a thread. relaxed - a counter.
  if (stalled_.load(std::memory_order_relaxed) >= options_.max_blocked) return;
  Place* const place = worker->place.load(std::memory_order_relaxed);  // relaxed - its own
  Worker* self = worker;
  // seq_cst - the place is announced as free before FillPlace looks (see MakeReady).
  if (place == nullptr ||
      !place->owner.compare_exchange_strong(self, nullptr, std::memory_order_seq_cst)) {
    return;  // the turn goes on beside its place already
  }
  CountStalled(*worker);
  const MainHeapScope main_heap;
  FillPlace(*place);
}

bool Runtime::LookForStalls() {
  // seq_cst - pairs with MakeReady.
  if (ready_count_.load(std::memory_order_seq_cst) <= 0) {
    for (LastLook& last : last_looks_) last = {};
    return false;
  }
  for (const auto& place : places_) {
    FillPlace(*place);
    // acquire - pairs with FillPlace.
    Worker* owner = place->owner.load(std::memory_order_acquire);
    if (owner == nullptr) continue;
    const bool is_main = owner == Place::MainThread();
    // relaxed - two looks at the same odd number tell that no turn ended between them.
    const std::uint64_t turns = is_main ? 1 : owner->turns.load(std::memory_order_relaxed);
    const ThreadState state =
        turns % 2 == 1 ? StateOfThread(is_main ? main_tid_ : owner->tid) : ThreadState::kRunnable;
    LastLook& last = last_looks_[static_cast<std::size_t>(place->index)];
    if (!is_main && turns % 2 == 1 && last.owner == owner && last.turns == turns) {
      // It has lasted since the last look while others waited. relaxed - a hint.
      owner->context->end_turn.store(true, std::memory_order_relaxed);
    }
    const bool stalled =
        state == ThreadState::kGone || (state == ThreadState::kAsleep && last.asleep &&
                                        last.owner == owner && last.turns == turns);
    last = {owner, turns, state == ThreadState::kAsleep};
    if (!stalled) continue;
    // Each such turn keeps a thread. relaxed - a counter.
    if (!is_main && stalled_.load(std::memory_order_relaxed) >= options_.max_blocked) continue;
    if (place->owner.compare_exchange_strong(owner, nullptr, std::memory_order_seq_cst)) {
      stalls_.fetch_add(1, std::memory_order_relaxed);  // relaxed - a counter
      if (!is_main) {
        CountStalled(*owner);
        ReleaseBound(*owner);
      }
      FillPlace(*place);
      last = {};
    }
  }
  return true;
}

Duration Runtime::Observe() {
  DumpIfAsked();
  return turn_watch_.Look(keeper_->clock().Now());
}

// --- information
// ----------------------------------------------------------------------------------

RuntimeInfo Runtime::Info() {
  RuntimeInfo info;
  // relaxed - for reports.
  for (const auto& place : places_) {
    info.cpus.push_back(place->cpu.load(std::memory_order_relaxed));
  }
  info.quota = allowed_.quota;
  // relaxed - counters only.
  info.isolates_started = started_.load(std::memory_order_relaxed);
  info.isolates_live = live_count_.load(std::memory_order_relaxed);
  info.stalls = stalls_.load(std::memory_order_relaxed);
  info.dead_letters = DeadLetterCount();
  const std::lock_guard lock(spares_mutex_);
  info.threads = workers_.size();
  info.warnings = warnings_;
  return info;
}

bool Runtime::MorePlacesThanProcessors() const noexcept {
  // relaxed - a hint.
  return static_cast<int>(places_.size()) > shared_cpus_.load(std::memory_order_relaxed);
}

bool Runtime::Crowded() const noexcept {
  // Where a worker shares the processor of the thread that waits for it, spinning would only delay
  // it. relaxed, all - hints.
  if (stalled_.load(std::memory_order_relaxed) > 0) return true;
  if (!MorePlacesThanProcessors()) return false;
  const auto awake = std::count_if(places_.begin(), places_.end(), [](const auto& place) {
    return place->owner.load(std::memory_order_relaxed) != nullptr &&
           place->idle.load(std::memory_order_relaxed) == nullptr;
  });
  return awake > shared_cpus_.load(std::memory_order_relaxed);
}

void Runtime::SetIdleStrategy(std::shared_ptr<const IdleStrategy> strategy) {
  if (strategy == nullptr) throw StateError("SetIdleStrategy needs a strategy");
  const MainHeapScope main_heap;
  const std::lock_guard lock(spares_mutex_);
  // release - pairs with idle_strategy.
  idle_.store(strategy.get(), std::memory_order_release);
  idle_strategies_.push_back(std::move(strategy));
  for (const auto& worker : workers_) worker->context->parker.Unpark();
}

void Runtime::AskCollect() noexcept {
  const std::lock_guard lock(spares_mutex_);
  for (const auto& worker : workers_) {
    // release - pairs with Idle and WaitAsSpare.
    worker->collect_asked.store(true, std::memory_order_release);
    worker->context->parker.Unpark();
  }
}

}  // namespace isolates::internal

namespace isolates {

void ConfigureRuntime(RuntimeOptions options) {
  const std::lock_guard lock(internal::options_mutex);
  if (internal::started) throw StateError("the runtime has started already; configure it first");
  const internal::MainHeapScope main_heap;
  // A clock that is the machine's is none of its own.
  const Clock* const clock = dynamic_cast<const SteadyClock*>(options.clock.get()) == nullptr
                                 ? options.clock.get()
                                 : nullptr;
  const std::unique_ptr<RuntimeOptions> former(
      std::exchange(internal::pending_options, new RuntimeOptions(std::move(options))));
  // release - pairs with WaitNow.
  internal::program_clock.store(clock, std::memory_order_release);
}

void SetIdleStrategy(std::shared_ptr<const IdleStrategy> strategy) {
  internal::Runtime::Get().SetIdleStrategy(std::move(strategy));
}

RuntimeInfo runtime_info() { return internal::Runtime::Get().Info(); }

void Trim() {
  internal::TrimThisThread();
  internal::Runtime::Get().AskCollect();
}

namespace internal {

void RunAsMain(std::unique_ptr<Computation> computation) {
  if (current_host != nullptr && current_host->InTurn()) {
    throw StateError("RunMain cannot be called from an isolate's event");
  }
  IsolateCore& core = current_host != nullptr ? *CurrentCore() : IsolateCore::Attach("main");
  core.RunUntilDone(std::move(computation));
  core.Detach();
}

}  // namespace internal
}  // namespace isolates
