#include "src/runtime/turn_watch.h"

#include <algorithm>
#include <new>
#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/error.h"
#include "src/runtime/runtime_impl.h"
#include "src/runtime/thread_stack.h"

namespace isolates {

std::string ToString(const StuckTurn& turn) {
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(turn.lasted).count();
  std::string text = "isolate '" + turn.isolate_name + "' (" + std::to_string(turn.isolate_id) +
                     ") has been in one turn on worker " + std::to_string(turn.worker) + " for " +
                     std::to_string(milliseconds) + " ms";
  for (const std::string& frame : turn.stack) text += "\n  at " + frame;
  return text;
}

void WatchTurns(Duration limit, std::function<void(const StuckTurn&)> told) {
  if (told != nullptr && limit <= Duration::zero()) {
    throw StateError("WatchTurns needs a limit above zero");
  }
  internal::Runtime::Get().WatchTurns(limit, std::move(told));
}

namespace internal {

void Runtime::WatchTurns(Duration limit, std::function<void(const StuckTurn&)> told) {
  const MainHeapScope main_heap;
  turn_watch_.Set(limit, std::move(told));
  keeper_->Start();
  keeper_->Wake();
}

std::vector<Worker*> Runtime::Workers() {
  std::vector<Worker*> workers;
  const std::lock_guard lock(spares_mutex_);
  workers.reserve(workers_.size());
  for (const auto& worker : workers_) workers.push_back(worker.get());  // never freed
  return workers;
}

Ref<IsolateCore> Runtime::FindLive(std::uint64_t id) {
  LiveShard& shard = ShardOf(id);
  const std::lock_guard lock(shard.mutex);
  for (RingNode* node = shard.isolates.next; node != &shard.isolates; node = node->next) {
    IsolateCore& core = static_cast<LiveLink*>(node)->core;
    if (core.id() == id) return Ref<IsolateCore>(&core);
  }
  return {};
}

void TurnWatch::Set(Duration limit, std::function<void(const StuckTurn&)> told) {
  std::shared_ptr<const Rule> rule;
  if (told != nullptr) {
    PrepareStackCapture();
    rule = std::make_shared<const Rule>(Rule{limit, std::move(told)});
  }
  const std::lock_guard lock(mutex_);
  // relaxed - under the lock, as what it stands for.
  on_.store(rule != nullptr, std::memory_order_relaxed);
  rule_.swap(rule);
}

Duration TurnWatch::Look(TimePoint now) {
  // relaxed - a hint: whoever sets it wakes the keeper.
  if (!on_.load(std::memory_order_relaxed)) return kForever;
  const MainHeapScope main_heap;
  std::shared_ptr<const Rule> rule;
  {
    const std::lock_guard lock(mutex_);
    rule = rule_;
  }
  if (rule == nullptr) return kForever;
  try {
    for (Worker* const worker : source_.workers()) {
      const auto index = static_cast<std::size_t>(worker->number);
      if (sights_.size() <= index) sights_.resize(index + 1);
      LookAt(*worker, sights_[index], *rule, now);
    }
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the next look comes soon
  }
  looks_.fetch_add(1, std::memory_order_relaxed);  // relaxed - a counter
  return std::max<Duration>(rule->limit / 4, std::chrono::milliseconds(1));
}

void TurnWatch::LookAt(const Worker& worker, Sight& sight, const Rule& rule, TimePoint now) {
  // acquire - pairs with the begin of the turn: whose it is.
  const std::uint64_t turn = worker.turns.load(std::memory_order_acquire);
  // relaxed - a wait that is missed now is seen by its steps.
  if (turn % 2 == 0 || worker.waits.load(std::memory_order_relaxed) != 0) {
    sight = {};
    return;
  }
  if (turn != sight.turn) {
    // Most have ended by the next look: whose turn it is costs a search.
    sight = {};
    sight.turn = turn;
    return;
  }
  // acquire - where it is that of a later turn, the end of this one is seen below.
  const Ref<IsolateCore> core = source_.live(worker.runs.load(std::memory_order_acquire));
  // relaxed - see above.
  if (core == nullptr || worker.turns.load(std::memory_order_relaxed) != turn) return;
  const std::uint64_t steps = core->progress().steps;
  if (sight.steps != steps || core->waits_in_turn()) {
    sight.steps = steps;
    sight.since = now;
    sight.told = false;
    return;
  }
  if (sight.told || now - sight.since < rule.limit) return;
  sight.told = true;
  Tell(worker, *core, sight, rule, now);
}

void TurnWatch::Tell(const Worker& worker, const IsolateCore& core, const Sight& sight,
                     const Rule& rule, TimePoint now) {
  StuckTurn stuck;
  stuck.isolate_id = core.id();
  stuck.isolate_name = core.name();
  stuck.worker = worker.number;
  stuck.lasted = now - sight.since;
  const std::vector<std::uintptr_t> stack = CaptureStack(worker.tid);
  // acquire - as in LookAt. Otherwise it is the stack of something else.
  if (worker.turns.load(std::memory_order_acquire) == sight.turn) stuck.stack = NameCode(stack);
  try {
    rule.told(stuck);
  } catch (...) {  // NOLINT(bugprone-empty-catch): see WatchTurns
  }
}

}  // namespace internal
}  // namespace isolates
