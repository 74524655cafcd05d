// Isolates that are plain threads: the main isolate, and any thread that creates a port of its own.
// Their events are handled while the thread waits in the library; their heap is the main heap.

#include <algorithm>
#include <exception>

#include "isolates/detail/check.h"
#include "isolates/detail/probe.h"
#include "isolates/detail/threads.h"
#include "src/isolate/code_scope.h"
#include "src/isolate/core.h"
#include "src/isolate/scheduler.h"

namespace isolates::internal {
namespace {

// relaxed - a number generator: the first thread to attach is "main".
std::atomic<int> attached_threads{0};

// relaxed - see ThisThread: contexts pass from thread to thread through this lock.
std::atomic_flag contexts_lock = ATOMIC_FLAG_INIT;
ThreadContext* free_contexts = nullptr;  // guarded by contexts_lock

class ContextsLock {
 public:
  ContextsLock() {
    // acquire - pairs with the release below.
    while (contexts_lock.test_and_set(std::memory_order_acquire)) {
    }
  }
  // release - pairs with the acquire above.
  ~ContextsLock() { contexts_lock.clear(std::memory_order_release); }
};

struct ContextLease {
  ThreadContext* context = nullptr;
  ~ContextLease() {
    if (context == nullptr) return;
    context->heaps = nullptr;
    context->meter.End();
    const ContextsLock lock;
    context->next_free = free_contexts;
    free_contexts = context;
    context = nullptr;  // what later destructors of this thread use is a context of their own
  }
};
thread_local ContextLease context_lease;

// Ends the thread's isolate with the thread. Defined after the lease, so that it goes first: an
// isolate that ends wakes others, and needs the context for that.
struct AttachedIsolate {
  Ref<IsolateCore> core;
  ~AttachedIsolate() {
    // Not if the program ends inside of an event (std::exit): its code is still on the stack.
    if (core && !core->InTurn()) core->Detach();
  }
};
thread_local AttachedIsolate attached_isolate;

}  // namespace

ThreadContext& ThisThread() {
  if (context_lease.context == nullptr) {
    {
      const ContextsLock lock;
      context_lease.context = free_contexts;
      if (free_contexts != nullptr) free_contexts = free_contexts->next_free;
    }
    if (context_lease.context == nullptr) context_lease.context = new ThreadContext;
  }
  return *context_lease.context;
}

PortHost& AttachThisThread() {
  const int number = attached_threads.fetch_add(1, std::memory_order_relaxed);
  return IsolateCore::Attach(number == 0 ? "main" : "thread-" + std::to_string(number + 1));
}

IsolateCore& IsolateCore::Attach(std::string_view name) {
  ISOLATES_CHECK(current_host == nullptr, "the thread is an isolate already");
  const MainHeapScope main_heap;
  RegisterThisThread(name);
  LaunchOptions options;
  options.name = name;
  options.light = true;  // a plain thread keeps to the main heap
  auto core = MakeRef<IsolateCore>(std::move(options), nullptr);
  ThreadContext& context = ThisThread();
  core->attached_ = &context;
  core->has_heap_ = true;
  core->started_ = true;
  core->parker_.store(&context.parker, std::memory_order_relaxed);  // relaxed - before publication
  context.meter.Begin(name, 0);
  core->BeginMeter(context);
  GetScheduler().IsolateStarted(*core);
  attached_isolate.core = core;
  current_host = core.get();
  return *core;
}

class IsolateCore::Presence {
 public:
  explicit Presence(IsolateCore& core) noexcept : core_(&core) {
    if (core_->loop_ != nullptr) core_->state_.Claim();
  }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
  ~Presence() {
    if (core_->loop_ == nullptr || core_->dead()) return;
    if (!core_->MoreToDo()) {
      core_->loop_->Clear();
      if (core_->state_.TryIdle()) return;
    }
    core_->loop_->Ready();
  }

 private:
  const Ref<IsolateCore> core_;  // an error that is thrown may have ended it
};

void IsolateCore::Pump(int credit) {
  {
    const CodeScope code(*this);
    const ProbedTurn probed(id(), name_.c_str());
    const MeteredTurn turn(meter(), attached_->meter, id(), /*was_ready=*/false);
    state_.BeginTurn();
    CountStep();
    HandleControlBetweenEvents();
    HandleEvents(credit);
  }
  if (attached_error_ == nullptr) return;
  const std::exception_ptr error = std::exchange(attached_error_, nullptr);
  Detach();
  std::rethrow_exception(error);
}

void IsolateCore::PumpUntil(const WaitSubject& subject, bool (*ready)(const void*),
                            const void* argument, TimePoint deadline, BlockedWait& wait) {
  // The caller may be building a parcel: events are handled in the heap of this isolate.
  const MainHeapScope main_heap;
  const Presence presence(*this);
  for (;;) {
    Pump(kTurnCredit);
    if (ready(argument) || ending_ || HasPassed(deadline)) return;
    if (MoreToDo()) continue;
    BlockingRegion region;
    const auto something = [&] { return state_.notified() || MoreToDo() || ready(argument); };
    while (!something() && !HasPassed(deadline)) {
      if (region.LookAgain(something)) continue;
      region.Enter();
      wait.Begin();
      const Sleeping sleeping(subject, argument);
      StopAttending();
      if (something()) break;
      state_.SetBlocked();
      if (!state_.notified()) {
        const MeteredPark park(meter(), id(), state_);
        parker_.load(std::memory_order_relaxed)
            ->Park(std::min(SleepLimit(deadline), region.sleep_until()));
      }
      state_.ClearBlocked();
    }
    wait.End();
  }
}

void IsolateCore::RunUntilDone(std::unique_ptr<Computation> computation) {
  if (computation != nullptr) {
    computation_ = std::move(computation);
    started_ = false;
  }
  BlockedWait wait(scheduler_, *this);
  PumpUntil(
      {"events"},
      [](const void* self) {
        // Given as a const pointer, as all arguments of waits.
        auto* const core = const_cast<IsolateCore*>(static_cast<const IsolateCore*>(self));
        if (core->keep_alive() != 0 || !core->started_ || !core->pauses_.empty() ||
            core->state_.notified()) {
          return false;
        }
        core->TakeInbox();
        return core->local_.empty();
      },
      this, TimePoint::max(), wait);
}

void IsolateCore::Detach() noexcept {
  if (dead()) return;
  End();
  if (current_host == this) current_host = nullptr;
  attached_isolate.core = nullptr;
}

LoopSignal& IsolateCore::EnsureLoop() {
  if (loop_ == nullptr) {
    loop_ = std::make_unique<LoopSignal>();
    TellFromNowOn();
    // Its thread is outside of the library now, unless an event asks for the loop.
    if (attached_ != nullptr && !in_turn_) const Presence leaves(*this);
  }
  return *loop_;
}

bool IsolateCore::HandleOneEvent() {
  if (attached_ != nullptr) {
    const MainHeapScope main_heap;
    const Presence presence(*this);
    Pump(1);
    return credit_ < 1;
  }
  const auto* outer = static_cast<const IsolateCore*>(current_host);
  const std::string outer_name = outer != nullptr ? outer->name() : "a thread";
  RegisterThisThread(outer_name);
  bool handled = false;
  while (!handled && !dead() && state_.active()) {
    const TurnEnd end = RunTurn(ThisThread(), 1);
    handled = credit_ < 1 || end == TurnEnd::kEnded;
  }
  NameThisThread(outer_name);
  return handled;
}

}  // namespace isolates::internal
