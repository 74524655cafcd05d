#include "src/isolate/core.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

#include "isolates/detail/check.h"
#include "isolates/detail/probe.h"
#include "src/isolate/code_scope.h"
#include "src/isolate/scheduler.h"
#include "src/isolate/unhandled.h"

namespace isolates::internal {
namespace {

// Unwinds an isolate's code. Not derived from std::exception, so that ordinary handlers let it
// pass.
struct ExitSignal {};

[[noreturn]] void ThrowExitSignal() {
  const MainHeapScope main_heap;  // H7: allocated from the main heap; unwinding ends the scope
  throw ExitSignal{};
}

// relaxed - a number generator.
std::atomic<std::uint64_t> next_isolate_id{1};

// With a strategy that never sleeps an isolate goes to rest after this, for those who look at it
// (reports, shutdown); its thread goes on looking.
constexpr Duration kLongestLinger = std::chrono::milliseconds(1);
// Whoever has found a ready isolate takes it some looks later: it needs no other thread.
constexpr int kLooksInVain = 16;

}  // namespace

IsolateCore::IsolateCore(LaunchOptions options, std::unique_ptr<Computation> computation)
    : LocalsHost(next_isolate_id.fetch_add(1, std::memory_order_relaxed)),
      scheduler_(GetScheduler()),
      name_(std::move(options.name)),
      computation_(std::move(computation)),
      builds_parcel_(computation_ != nullptr && computation_->builds_parcel()),
      light_(options.light || options.hosted),
      urgent_(options.urgent),
      hosted_(options.hosted),
      errors_fatal_(options.errors_are_fatal) {
  if (name_.empty()) name_ = "isolate-" + std::to_string(id());
  if (options.paused) pauses_.push_back(pause_right_);
  if (options.on_exit) exit_listeners_.push_back(std::move(*options.on_exit));
  if (options.on_error) error_listeners_.push_back(std::move(*options.on_error));
  if (options.monitor) AddMonitor(MakePortMonitor(std::move(*options.monitor)));
}

IsolateCore::~IsolateCore() { DiscardEvents(); }

// --- any thread
// -----------------------------------------------------------------------------------

void IsolateCore::Push(EventNode* node) noexcept {
  inbox_.Push(node);
  Wake();
}

void IsolateCore::PushControl(EventNode* node) noexcept {
  control_.Push(node);
  Interrupt();
  Wake();
}

void IsolateCore::RequestStop(ExitReason cause, std::string_view reason) {
  const MainHeapScope main_heap;
  stop_.Put(std::make_unique<StopRequest>(cause, reason));
}

void IsolateCore::RequestKill(ExitReason cause, std::string_view reason) noexcept {
  try {
    RequestStop(cause, reason);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): see BeginRequestedEnd
  }
  // relaxed - the Notify that follows publishes it; a later look suffices for everybody else.
  kill_requested_.store(true, std::memory_order_relaxed);
  Interrupt();
  Wake();
}

void IsolateCore::Wake() noexcept {
  switch (state_.Notify()) {
    case IsolateState<StdAtomics>::Duty::kNone:
      return;
    case IsolateState<StdAtomics>::Duty::kSchedule:
      BecomeReady();
      return;
    case IsolateState<StdAtomics>::Duty::kUnpark:
      meter().WokenBy(CurrentHostId(), id());
      // relaxed - made visible by the Notify that found kBlocked (I3). Parkers are never freed.
      scheduler_.UnparkInTurn(*this, *parker_.load(std::memory_order_relaxed));
      return;
    case IsolateState<StdAtomics>::Duty::kDiscard:
      DiscardEvents();
      return;
  }
}

void IsolateCore::BecomeReady() noexcept {
  if (loop_ != nullptr) {
    meter().WokenBy(CurrentHostId(), id());
    loop_->Ready();
    return;
  }
  meter().MadeReady(CurrentHostId(), id());
  if (!scheduler_.Schedule(*this)) {
    DiscardEvents();
  }
}

void IsolateCore::DiscardEvents() noexcept {
  for (EventNode* chain : {inbox_.TakeAll(), control_.TakeAll()}) {
    while (chain != nullptr) {
      EventNode* next = chain->next_event;
      chain->OnDiscard();
      chain = next;
    }
  }
}

bool IsolateCore::Chooses() const noexcept { return scheduler_.Chooses(); }

std::size_t IsolateCore::Choose(std::size_t count) noexcept { return scheduler_.Choose(count); }

// --- turns
// ----------------------------------------------------------------------------------------

void IsolateCore::AcquireHeap(ThreadContext& context) noexcept {
  has_heap_ = true;
  if (light_) return;
  try {
    heap_ = builds_parcel_ ? context.heaps->AcquireParcelHeap(computation_->builder_kind())
                           : context.heaps->AcquirePooled();
    heap_->set_owner_name(name_);
  } catch (const std::bad_alloc&) {
    HandleUncaught(std::current_exception());
    BeginEnd(ExitReason::kUncaughtError);
  }
}

IsolateCore::TurnEnd IsolateCore::RunTurn(ThreadContext& context, int credit) {
  if (!light_ && home_ != context.heaps) {
    // The worker that the isolate leaves gives up its part of the heap (rule H10).
    if (home_ != nullptr) {
      home_->RequestLeave(heap_);
      context.heaps->Arrive(heap_);
    }
    home_ = context.heaps;
  }
  if (!has_heap_) {
    BeginMeter(context);
    AcquireHeap(context);
  }
  parker_.store(&context.parker, std::memory_order_relaxed);  // relaxed - published by SetBlocked
  end_turn_ = &context.end_turn;
  context.end_turn.store(false, std::memory_order_relaxed);  // relaxed - a hint; meant another turn
  {
    const CodeScope code(*this);
    const ProbedTurn probed(id(), name_.c_str());
    const MeteredTurn turn(meter(), context.meter, id(), /*was_ready=*/loop_ == nullptr);
    state_.BeginTurn();
    CountStep();
    HandleControlBetweenEvents();
    HandleEvents(credit);
  }
  if (heap_ != nullptr && meter().WantsHeap()) {
    const HeapUse use = heap_->Use();
    meter().PutHeap(use.live_bytes, use.committed_bytes);
  }
  if (FinishedForGood()) {
    End();
    return TurnEnd::kEnded;
  }
  // A turn that ended early may have left what was there when it began.
  if (MoreToDo()) return TurnEnd::kMoreToDo;
  if (attends()) {
    StopAttending();
    if (MoreToDo()) return TurnEnd::kMoreToDo;
  }
  if (loop_ != nullptr) loop_->Clear();
  if (state_.TryIdle()) return TurnEnd::kIdle;
  if (loop_ != nullptr) loop_->Restore();
  return TurnEnd::kMoreToDo;
}

void IsolateCore::LetMove() noexcept {
  if (heap_ != nullptr) heap_->MarkShared();
  let_move_ = true;
}

bool IsolateCore::HandleControl() noexcept {
  return !control_.empty() && HandleCommands(control_.TakeAll());
}

bool IsolateCore::HandleCommands(EventNode* chain) noexcept {
  const MainHeapScope main_heap;
  while (chain != nullptr) {
    EventNode* next = chain->next_event;
    try {
      chain->OnEvent();
    } catch (const std::bad_alloc&) {
      HandleUncaught(std::current_exception());
      if (attached_ != nullptr && ending_) attached_error_ = std::current_exception();
    }
    chain = next;
  }
  return true;
}

void IsolateCore::HandleControlBetweenEvents() noexcept {
  HandleControl();
  // relaxed - ordered by BeginTurn's acquire; a later look suffices for what came since.
  if (end_before_next_event_ || kill_requested_.load(std::memory_order_relaxed)) {
    BeginRequestedEnd();
  }
  if (!before_next_event_.empty()) NotifyOfNextEvent();
}

void IsolateCore::NotifyOfNextEvent() noexcept {
  if (ending_ || !pauses_.empty()) return;
  const MainHeapScope main_heap;
  for (const auto& notice : std::exchange(before_next_event_, {})) notice.Send();
}

void IsolateCore::BeginEnd(ExitReason reason) noexcept {
  if (ending_) return;
  ending_ = true;
  Interrupt();
  exit_reason_ = reason;
}

void IsolateCore::BeginRequestedEnd() noexcept {
  const StopRequest* const request = stop_.request();
  BeginEnd(request != nullptr ? request->cause : ExitReason::kKilled);
}

void IsolateCore::TakeInbox() noexcept {
  local_.AppendChain(inbox_.TakeAll());
  // Now and then also while other events are there, which may never end.
  if (attends() && (local_.empty() || credit_ % 16 == 0)) LookAtAttended();
}

bool IsolateCore::Linger() noexcept {
  if (!attends() || attached_ != nullptr || loop_ != nullptr || keep_alive() <= 0 ||
      !scheduler_.MayLinger()) {
    return false;
  }
  const auto something = [this] {
    TakeInbox();
    // relaxed - a hint, as in HandleControlBetweenEvents.
    return !local_.empty() || !control_.empty() || kill_requested_.load(std::memory_order_relaxed);
  };
  const MainHeapScope main_heap;  // a strategy of the program may allocate
  IdleWait wait;
  int looks = 0;  // at which somebody needed the thread
  while (!something()) {
    looks = scheduler_.MayLinger() ? 0 : looks + 1;
    if (looks > kLooksInVain || !wait.LookAgain(something) || wait.waited() > kLongestLinger) {
      wait.Forget();  // the worker goes on waiting
      meter().Lingered(wait.waited());
      return false;
    }
  }
  meter().Lingered(wait.waited());
  CountStep();  // the turn is not stuck
  return true;
}

void IsolateCore::HandleEvents(int credit) {
  credit_ = credit;
  if (!pauses_.empty() || ending_) return;
  // Turns may be too short for the looks of TakeInbox.
  if (attends()) LookAtAttended();
  if (!started_) {
    started_ = true;
    Deliver(nullptr);
    --credit_;
  }
  for (; credit_ > 0 && !ending_ && pauses_.empty() && !AskedToEndTurn(); --credit_) {
    if (computation_ != nullptr && computation_->complete()) return;
    HandleControlBetweenEvents();
    if (ending_ || !pauses_.empty()) return;
    TakeInbox();
    EventNode* node = local_.PopFront();
    if (node == nullptr) {
      if (!Linger()) return;
      continue;
    }
    Deliver(node);
  }
}

// Runs the entry (no node) or one event. Nothing that user code throws gets past here.
void IsolateCore::Deliver(EventNode* node) {
  meter().CountEvent();
  std::exception_ptr error;
  try {
    if (node != nullptr) {
      node->OnEvent();
    } else if (computation_ != nullptr) {
      computation_->Start();
    }
  } catch (const ExitSignal&) {
    BeginEnd(ExitReason::kExited);
  } catch (...) {
    error = std::current_exception();
  }
  if (error != nullptr) {
    tasks_.DestroyFailed();
    HandleUncaught(error);
    if (attached_ == nullptr || !ending_) return;
    attached_error_ = std::move(error);
  }
}

void IsolateCore::HandleUncaught(const std::exception_ptr& error) noexcept {
  const MainHeapScope main_heap;
  RemoteError described = DescribeException(error, name_);
  const bool told = NotifyErrorListeners(described);
  if (!errors_fatal_ && !told) ReportUnhandledError(described);
  if (errors_fatal_) BeginEnd(ExitReason::kUncaughtError);
  // Kept where errors are not fatal too: if the result never comes, this is why.
  const bool wanted = errors_fatal_ || (computation_ != nullptr && computation_->takes_error());
  if (!wanted || error_) return;
  error_told_ = told;
  try {
    error_ = std::make_unique<const RemoteError>(std::move(described));
  } catch (const std::bad_alloc&) {
    // Nobody will be told later.
    if (!told) ReportUnhandledError(described);
  }
}

bool IsolateCore::NotifyErrorListeners(const RemoteError& error) noexcept {
  bool told = false;
  for (const auto& listener : error_listeners_) {
    try {
      if (PortAccess::SendNotice(listener, error) == SendResult::kAccepted) told = true;
    } catch (...) {  // NOLINT(bugprone-empty-catch): a port that is none, or no memory: not told
    }
  }
  return told;
}

// --- in the isolate's code
// ------------------------------------------------------------------------

bool IsolateCore::Unwinding() const noexcept { return unwound_ || std::uncaught_exceptions() > 0; }

void IsolateCore::CheckStopNow() {
  ClearInterrupt();
  if (!unwound_) HandleControl();
  // relaxed - a later look suffices.
  if (kill_requested_.load(std::memory_order_relaxed)) BeginRequestedEnd();
  if (!ending_) return;
  Interrupt();  // until the end: code that goes on is told each time
  if (Unwinding()) return;
  if (in_turn_) ThrowExitSignal();
  throw StateError("this isolate has ended");
}

void IsolateCore::CheckExit() const {
  if (std::uncaught_exceptions() > 0) {
    throw StateError("Isolate::Exit was called while an exception is in flight");
  }
  if (!in_turn_)
    throw StateError("Isolate::Exit needs an isolate that runs; return from main instead");
}

void IsolateCore::Exit(std::unique_ptr<FinalMessage> message) {
  CheckExit();
  final_message_ = std::move(message);
  BeginEnd(ExitReason::kExited);
  ThrowExitSignal();
}

bool IsolateCore::Wait(const WaitSubject& subject, bool (*ready)(const void*), const void* argument,
                       TimePoint deadline) {
  if (ready(argument)) {
    CountStep();  // code that always finds something goes on, too
    return true;
  }
  CheckStop();
  BlockedWait wait(scheduler_, this, subject, deadline);
  if (!in_turn_) {
    PumpUntil(subject, ready, argument, deadline, wait);
    if (ready(argument)) return true;
    CheckStop();
    return false;
  }
  const MainHeapScope main_heap;
  const auto over = [&] {
    // relaxed - before a sleep ordered by SetBlocked: RequestKill stored it before its Notify.
    const bool killed = kill_requested_.load(std::memory_order_relaxed) && !Unwinding();
    return ready(argument) || killed || HasPassed(deadline);
  };
  // What came during the wait is looked at again after this event, as if nobody had seen it.
  struct Notified {
    ~Notified() {
      if (seen) state.RestoreNotified();
    }
    IsolateState<StdAtomics>& state;
    bool seen = false;
  } notified{state_};
  const WaitsInTurn waits(waits_in_turn_);
  BlockingRegion region;
  for (;;) {
    if (over()) break;
    if (HandleControl()) {
      CountStep();
      continue;
    }
    const auto something = [&] {
      // relaxed - a hint, as above.
      return ready(argument) || !control_.empty() ||
             kill_requested_.load(std::memory_order_relaxed);
    };
    if (region.LookAgain(something)) continue;
    region.Enter();
    wait.Begin();
    // Something came, perhaps since the look above: one look more. Not between SetBlocked and the
    // sleep, where others take it that there was one (Activity::kWaits).
    if (state_.BeginTurn()) {
      notified.seen = true;
      continue;
    }
    // Whoever sent until here has told nobody; whoever sends from here on notifies.
    const Sleeping sleeping(subject, argument);
    if (over()) continue;
    state_.SetBlocked();
    if (!state_.notified()) {
      const MeteredPark park(meter(), id(), state_);
      // relaxed - stored by this thread.
      scheduler_.ParkInTurn(*this, *parker_.load(std::memory_order_relaxed),
                            std::min(SleepLimit(deadline), region.sleep_until()));
    }
    state_.ClearBlocked();
  }
  CountStep();
  CheckStop();
  return ready(argument);
}

// --- control
// --------------------------------------------------------------------------------------

void IsolateCore::Pause(const Capability& capability) {
  if (std::find(pauses_.begin(), pauses_.end(), capability) == pauses_.end()) {
    pauses_.push_back(capability);
  }
}

void IsolateCore::Resume(const Capability& capability) { std::erase(pauses_, capability); }

}  // namespace isolates::internal
