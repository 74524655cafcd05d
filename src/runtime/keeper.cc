#include "src/runtime/keeper.h"

#include <pthread.h>

#include <algorithm>
#include <new>

#include "isolates/detail/heap.h"
#include "isolates/detail/threads.h"

namespace isolates::internal {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(4);
constexpr Duration kSeldom = std::chrono::seconds(1);

}  // namespace

Keeper::Keeper(std::shared_ptr<Clock> clock, std::function<bool()> look,
               std::function<bool()> look_seldom, std::function<Duration()> observe)
    : clock_(clock != nullptr ? std::move(clock) : std::make_shared<SteadyClock>()),
      manual_(dynamic_cast<SteadyClock*>(clock_.get()) == nullptr),
      look_(std::move(look)),
      look_seldom_(std::move(look_seldom)),
      observe_(std::move(observe)) {
  clock_->SetAdvanceListener([this] { parker_.Unpark(); });
}

void Keeper::StartThread() {
  // acquire - pairs with Stop, after which nobody would join it.
  if (thread_.joinable() || stopping_.load(std::memory_order_acquire)) return;
  MarkCurrentHeapNotDroppable();
  thread_ = std::thread([this] { Loop(); });
}

void Keeper::Start() {
  const MainHeapScope main_heap;
  const std::lock_guard lock(mutex_);
  StartThread();
}

void Keeper::AddTimer(TimerNode* timer) {
  const MainHeapScope main_heap;
  {
    const std::lock_guard lock(mutex_);
    StartThread();
    timers_.Add(*timer);
  }
  parker_.Unpark();
}

void Keeper::RemoveTimer(TimerNode& timer) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!timers_.Remove(timer)) return;
  }
  timer.Release();
}

void Keeper::Watch() noexcept {
  // relaxed - a hint that saves the exchange while it watches.
  if (watching_.load(std::memory_order_relaxed)) return;
  // seq_cst - pairs with Loop's store of false, which is followed by one more look.
  if (watching_.exchange(true, std::memory_order_seq_cst)) return;
  parker_.Unpark();
}

void Keeper::LookLater() noexcept {
  // relaxed - a hint that saves the exchange: who misses the end of a look delays a report.
  if (look_later_.load(std::memory_order_relaxed)) return;
  // seq_cst - pairs with LookSeldom's store of false, which is followed by its look.
  if (look_later_.exchange(true, std::memory_order_seq_cst)) return;
  const MainHeapScope main_heap;
  try {
    const std::lock_guard lock(mutex_);
    StartThread();
  } catch (...) {  // NOLINT(bugprone-empty-catch): no thread to be had, so no look
  }
  parker_.Unpark();
}

TimePoint Keeper::LookSeldom() {
  if (!look_later_.load(std::memory_order_seq_cst))
    return TimePoint::max();  // pairs with LookLater
  const TimePoint now = std::chrono::steady_clock::now();
  if (look_at_ == TimePoint::max()) {
    look_at_ = now + kSeldom;
  } else if (now >= look_at_) {
    look_at_ = TimePoint::max();
    // seq_cst - before the look, so that whoever changes something during it asks for another.
    look_later_.store(false, std::memory_order_seq_cst);
    if (look_seldom_()) {
      look_later_.store(true, std::memory_order_seq_cst);
      look_at_ = now + kSeldom;
    }
  }
  return look_at_;
}

TimePoint Keeper::Observe() {
  const Duration next = observe_();
  return next == kForever || manual_ ? TimePoint::max() : std::chrono::steady_clock::now() + next;
}

std::map<std::uint64_t, int> Keeper::CountTimers() {
  std::map<std::uint64_t, int> counts;
  const std::lock_guard lock(mutex_);
  timers_.ForEach([&](const TimerNode& timer) { ++counts[timer.host().id()]; });
  return counts;
}

bool Keeper::HasTimers() {
  const std::lock_guard lock(mutex_);
  return !timers_.empty();
}

TimePoint Keeper::FireTimers() {
  for (;;) {
    TimerNode* due = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (timers_.empty()) return TimePoint::max();
      const TimePoint now = clock_->Now();
      const TimePoint next = timers_.top().when();
      // A clock that is moved by hand tells when it was moved.
      if (next > now) return manual_ ? TimePoint::max() : next;
      due = &timers_.Pop();
    }
    due->Fire();
  }
}

void Keeper::Loop() {
  pthread_setname_np(pthread_self(), "isolates-keeper");
  try {
    RegisterThisThread("isolates-keeper");
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): no code of isolates runs here
  }
  // acquire - pairs with Stop.
  while (!stopping_.load(std::memory_order_acquire)) {
    TimePoint until = std::min({FireTimers(), LookSeldom(), Observe()});
    if (watching_.load(std::memory_order_seq_cst)) {  // seq_cst - pairs with Watch
      if (!look_()) {
        // seq_cst - whoever calls Watch after this store wakes the keeper; who called it before had
        // its work in place before the look below.
        watching_.store(false, std::memory_order_seq_cst);
        if (look_()) watching_.store(true, std::memory_order_seq_cst);
      }
      // relaxed - stored by this thread, or by a Watch that unparks.
      if (watching_.load(std::memory_order_relaxed)) {
        until = std::min(until, std::chrono::steady_clock::now() + kTick);
      }
    }
    parker_.Park(until);
  }
}

void Keeper::Stop() {
  // release - pairs with Loop.
  stopping_.store(true, std::memory_order_release);
  parker_.Unpark();
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    thread = std::move(thread_);
  }
  if (thread.get_id() == std::this_thread::get_id()) {
    thread.detach();  // a handler of a report ends the program
  } else if (thread.joinable()) {
    thread.join();
  }
  const std::lock_guard lock(mutex_);
  while (!timers_.empty()) {
    timers_.Pop().OnDiscard();
  }
}

}  // namespace isolates::internal
