#include "isolates/event_loop.h"

#include "isolates/detail/check.h"
#include "src/isolate/core.h"
#include "src/isolate/loop_signal.h"

namespace isolates {
namespace {

using internal::IsolateCore;
using internal::LoopSignal;

IsolateCore& CoreOfLoop(const internal::Ref<internal::PortHost>& core) {
  if (!core) throw StateError("this EventLoop was moved from");
  return static_cast<IsolateCore&>(*core);
}

// Only for the thread that the isolate is, or for anybody outside of its events.
void CheckCaller(const IsolateCore& core) {
  if (core.attached() && internal::current_host != &core) {
    throw StateError("the loop of a thread's isolate may be used only by that thread");
  }
  if (internal::current_host == &core && core.InTurn()) {
    throw StateError("an event of an isolate cannot run the loop of that isolate");
  }
}

// While a thread is in Run, no other handles events.
class Runner {
 public:
  explicit Runner(LoopSignal& loop) : loop_(loop) {
    if (!loop_.TrySetRunner(std::this_thread::get_id())) Refuse();
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner() { loop_.ClearRunner(); }

  static void RequireNone(LoopSignal& loop) {
    if (loop.runner() != std::thread::id()) Refuse();
  }

 private:
  [[noreturn]] static void Refuse() {
    throw StateError("another thread runs the loop of this isolate (EventLoop::Run)");
  }
  LoopSignal& loop_;
};

}  // namespace

EventLoop::EventLoop(Isolate isolate)
    : core_(isolate.control_port().isolate_), isolate_(std::move(isolate)) {}

EventLoop EventLoop::OfThisThread() {
  IsolateCore& core = internal::RequireCore();
  if (!core.attached()) {
    throw StateError("this code runs in an isolate whose loop belongs to the runtime");
  }
  core.EnsureLoop();
  return EventLoop(Isolate::Current());
}

EventLoop& EventLoop::operator=(EventLoop&& other) noexcept {
  std::swap(core_, other.core_);
  std::swap(isolate_, other.isolate_);
  return *this;
}

EventLoop::~EventLoop() {
  if (!core_) return;
  IsolateCore& core = CoreOfLoop(core_);
  if (core.attached() || core.dead()) return;
  ISOLATES_CHECK(internal::current_host != &core, "an event of an isolate destroys its EventLoop");
  core.loop()->SetOnEvent(nullptr);
  core.RequestKill(ExitReason::kKilled, "its EventLoop is gone");
  const std::lock_guard running(core.loop()->running);
  while (core.HandleOneEvent()) {
  }
}

bool EventLoop::done() const noexcept {
  return !core_ || static_cast<const IsolateCore&>(*core_).dead();
}

bool EventLoop::HandleEvent() {
  IsolateCore& core = CoreOfLoop(core_);
  CheckCaller(core);
  if (core.attached()) return core.HandleOneEvent();
  Runner::RequireNone(*core.loop());
  const std::lock_guard running(core.loop()->running);
  return core.HandleOneEvent();
}

void EventLoop::Run() {
  IsolateCore& core = CoreOfLoop(core_);
  CheckCaller(core);
  if (core.attached()) {
    core.RunUntilDone(nullptr);
    return;
  }
  LoopSignal& loop = *core.loop();
  const Runner runner(loop);
  while (!core.dead()) {
    bool handled = true;
    while (handled) {
      const std::lock_guard running(loop.running);
      handled = core.HandleOneEvent();
    }
    if (!core.dead()) loop.Wait();
  }
}

void EventLoop::OnEvent(std::function<void()> on_event) {
  IsolateCore& core = CoreOfLoop(core_);
  if (core.attached()) CheckCaller(core);
  core.loop()->SetOnEvent(std::move(on_event));
}

int EventLoop::fd() {
  IsolateCore& core = CoreOfLoop(core_);
  return core.loop()->fd();
}

}  // namespace isolates
