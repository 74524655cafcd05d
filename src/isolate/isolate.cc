#include "isolates/isolate.h"

#include <sys/random.h>

#include <atomic>
#include <random>

#include "src/isolate/core.h"
#include "src/isolate/scheduler.h"
#include "src/isolate/unhandled.h"

namespace isolates {
namespace internal {
namespace {

// A core as its handles see it. Ref<PortHost> is how headers hold it.
IsolateCore& CoreOf(const Ref<PortHost>& isolate) { return static_cast<IsolateCore&>(*isolate); }

// A command for an isolate, handled before its events and even while it is paused.
template <class Action>
class Command final : public EventNode, public MainHeapObject {
 public:
  Command(IsolateCore& core, Action action) : core_(&core), action_(std::move(action)) {}
  void OnEvent() override {
    const std::unique_ptr<Command> self(this);
    action_(*core_);
  }
  void OnDiscard() noexcept override { delete this; }

 private:
  const Ref<IsolateCore> core_;
  Action action_;
};

// A monitor on its way to the isolate; if that has ended, whoever finds it tells the end.
class AddMonitorCommand final : public EventNode, public MainHeapObject {
 public:
  AddMonitorCommand(IsolateCore& core, std::unique_ptr<ExitMonitor> monitor) noexcept
      : core_(&core), monitor_(std::move(monitor)) {}
  void OnEvent() override {
    const std::unique_ptr<AddMonitorCommand> self(this);
    core_->AddMonitor(std::move(monitor_));
  }
  void OnDiscard() noexcept override {
    const MainHeapScope main_heap;
    const std::unique_ptr<AddMonitorCommand> self(this);
    ExitMonitor& monitor = *monitor_;
    monitor.Tell(std::move(monitor_), core_->exit_info());
  }

 private:
  const Ref<IsolateCore> core_;
  std::unique_ptr<ExitMonitor> monitor_;
};

class PortMonitor final : public ExitMonitor, public EventNode {
 public:
  explicit PortMonitor(SendPort<ExitInfo> port) : port_(std::move(port)) {}
  bool Tell(std::unique_ptr<ExitMonitor> self, const ExitInfo& info) noexcept override {
    try {
      return PortAccess::SendNotice(port_, info) == SendResult::kAccepted;
    } catch (const std::bad_alloc&) {
      // The port's isolate tries again, without the texts: it learns of the end or of its want of
      // memory, and does not wait for ever.
      brief_.reason = info.reason;
      brief_.isolate_id = info.isolate_id;
    } catch (const Error&) {  // a port that is none
      ReportUndelivered();
      return false;
    }
    const Ref<PortHost> host(&PortAccess::CoreOf(port_)->host());
    self.release();  // NOLINT(bugprone-unused-return-value): it is the event from here on
    host->Push(this);
    return true;
  }
  std::uint64_t port_id() const noexcept override { return port_.id(); }

  void OnEvent() override {
    const std::unique_ptr<PortMonitor> self(this);
    PortAccess::SendNotice(port_, std::move(brief_));
  }
  void OnDiscard() noexcept override { delete this; }

 private:
  const SendPort<ExitInfo> port_;
  ExitInfo brief_;
};

class FutureMonitor final : public ExitMonitor {
 public:
  explicit FutureMonitor(ResultSink<ExitInfo> sink) : sink_(std::move(sink)) {}
  bool Tell(std::unique_ptr<ExitMonitor>, const ExitInfo& info) noexcept override {
    std::exception_ptr failure;
    try {
      sink_.Succeed(ExitInfo(info));
      return true;
    } catch (const std::bad_alloc&) {
      failure = std::current_exception();
    }
    sink_.FailLocally(std::move(failure));
    return true;
  }

 private:
  ResultSink<ExitInfo> sink_;
};

// co_await: resumes when there is an error, or the isolate has ended.
class ErrorOrEnd {
 public:
  ErrorOrEnd(const ReceivePort<RemoteError>& errors, const Future<ExitInfo>& end)
      : errors_(PortAccess::CoreOf(errors)), end_(end.shared_state()) {}
  ErrorOrEnd(const ErrorOrEnd&) = delete;
  ErrorOrEnd& operator=(const ErrorOrEnd&) = delete;
  ~ErrorOrEnd() { Cancel(); }  // the stream may be destroyed while it waits

  bool await_ready() const {
    errors_->CheckOwner();
    errors_->host().CheckStop();
    return end_->done() || (errors_->HasMessage() && errors_->host().MayGoOn());
  }
  bool await_suspend(std::coroutine_handle<> waiter) {
    waiting_ = end_->Await(waiter);
    if (waiting_) errors_->SetWaiter(waiter);
    return waiting_;
  }
  void await_resume() {
    Cancel();
    errors_->host().CheckStop();
  }

 private:
  void Cancel() noexcept {
    if (!std::exchange(waiting_, false)) return;
    end_->CancelAwait();
    errors_->ClearWaiter();
  }

  const Ref<PortCore> errors_;
  const Ref<FutureState<ExitInfo>> end_;
  bool waiting_ = false;
};

// Subscribed from the beginning, not from the first Next.
Stream<RemoteError> ErrorsOf(Isolate isolate, ReceivePort<RemoteError> errors,
                             Future<ExitInfo> end) {
  struct Subscription {
    const Isolate& isolate;
    const SendPort<RemoteError> port;
    ~Subscription() {
      try {
        isolate.RemoveErrorListener(port);
      } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the port is closed anyway
      }
    }
  } const subscription{isolate, errors.send_port()};
  for (;;) {
    const bool last_look = end.ready();  // all its errors were sent before
    if (std::optional<RemoteError> error = errors.TryReceive()) {
      co_yield std::move(*error);
    } else if (last_look) {
      break;
    } else {
      co_await ErrorOrEnd(errors, end);
    }
  }
}

template <class Action>
std::unique_ptr<Command<Action>> MakeCommand(IsolateCore& core, Action action) {
  return std::make_unique<Command<Action>>(core, std::move(action));
}

template <class Action>
void PostCommand(const Ref<PortHost>& isolate, Action action) {
  const MainHeapScope main_heap;
  IsolateCore& core = CoreOf(isolate);
  core.PushControl(MakeCommand(core, std::move(action)).release());
}

}  // namespace

std::unique_ptr<ExitMonitor> MakePortMonitor(SendPort<ExitInfo> port) {
  return std::make_unique<PortMonitor>(std::move(port));
}

void ReportUndelivered() noexcept { ReportUnhandledError(DescribeCurrentException()); }

namespace {

// An isolate that is not ready yet. If it never becomes so, nobody knows of it.
class Birth {
 public:
  Birth(const LaunchOptions& options, std::unique_ptr<Computation> computation)
      : options_(options), scheduler_(GetScheduler()) {
    if (IsolateCore* current = CurrentCore()) current->CheckStop();
    if (options.end_with_parent) {
      parent_ = &RequireCore();
      parent_->MakeRoomForChild();
    }
    // Copied in the main heap: the options' strings may come from the caller's isolate (rule H2).
    core_ = MakeRef<IsolateCore>(LaunchOptions(options), std::move(computation));
    scheduler_.IsolateStarted(*core_);
  }
  Birth(const Birth&) = delete;
  Birth& operator=(const Birth&) = delete;
  ~Birth() {
    if (core_ != nullptr) scheduler_.IsolateEnded(*core_);
  }

  IsolateCore& core() const noexcept { return *core_; }
  void MakeReady() {
    if (options_.hosted) {
      core_->EnsureLoop().Ready();
    } else {
      if (options_.dedicated) scheduler_.Dedicate(*core_, *options_.dedicated, options_.idle);
      core_->meter().MadeReady(IsolateMeter::kNobody, core_->id());
      if (!scheduler_.Schedule(*core_)) throw StateError("the runtime is shut down");
    }
    if (parent_ != nullptr) parent_->AddChild(*core_);
    core_ = nullptr;
  }

 private:
  const LaunchOptions& options_;
  Scheduler& scheduler_;
  IsolateCore* parent_ = nullptr;
  Ref<IsolateCore> core_;
};

}  // namespace

Ref<PortHost> Launch(const LaunchOptions& options, std::unique_ptr<Computation> computation) {
  const MainHeapScope main_heap;
  Birth birth(options, std::move(computation));
  Ref<PortHost> isolate(&birth.core());
  birth.MakeReady();
  return isolate;
}

RemoteError TerminalError(const RemoteError* error) noexcept {
  if (error) return CopyError(*error);
  const IsolateCore* core = CurrentCore();
  try {
    return RemoteError("isolates::StateError",
                       "the isolate ended without a result" +
                           (core != nullptr ? " (" + core->DescribeEnd() + ")" : std::string()),
                       core != nullptr ? core->name() : "");
  } catch (const std::bad_alloc&) {
    return OutOfMemoryError();
  }
}

RemoteError DescribeCurrentException() noexcept {
  const IsolateCore* core = CurrentCore();
  return DescribeException(std::current_exception(),
                           core != nullptr ? std::string_view(core->name()) : std::string_view());
}

void CheckExit() { RequireCore().CheckExit(); }

void ExitCurrent(std::unique_ptr<FinalMessage> message) { RequireCore().Exit(std::move(message)); }

bool IsolateIsEnding() noexcept {
  const IsolateCore* core = CurrentCore();
  return core != nullptr && core->ending();
}

Root RunListener(Task<void> task, std::shared_ptr<void> keep, bool& begun) {
  begun = true;
  co_await std::move(task);
  keep = nullptr;
}

}  // namespace internal

using internal::CoreOf;
using internal::IsolateCore;
using internal::PostCommand;

Capability Capability::Create() {
  // A counter keeps tokens apart, a random key keeps them from being guessed.
  static const std::uint64_t key = [] {
    std::uint64_t random = 0;
    if (getrandom(&random, sizeof(random), 0) != sizeof(random)) random = std::random_device()();
    return random | 1;
  }();
  // relaxed - a number generator.
  static std::atomic<std::uint64_t> next{1};
  std::uint64_t token =
      next.fetch_add(1, std::memory_order_relaxed) * key;  // odd key: no two are equal
  token ^= token >> 29;
  Capability capability;
  capability.token_ = token;
  return capability;
}

Isolate::Isolate(ControlPort control_port, Capability pause_capability,
                 Capability terminate_capability)
    : control_port_(std::move(control_port)),
      pause_(pause_capability),
      terminate_(terminate_capability) {
  if (!control_port_.isolate_) throw StateError("this ControlPort belongs to no isolate");
  name_ = CoreOf(control_port_.isolate_).name();
}

Isolate Isolate::Current() {
  IsolateCore& core = internal::RequireCore();
  return Isolate(ControlPort(internal::Ref<internal::PortHost>(&core)), core.pause_right(),
                 core.terminate_right());
}

Future<Isolate> Isolate::SpawnJob(std::unique_ptr<internal::Computation> job,
                                  const internal::LaunchOptions& options) {
  auto state = internal::MakeRef<internal::FutureState<Isolate>>(nullptr);
  Future<Isolate> future(state);
  internal::ResultSink<Isolate> sink(std::move(state));
  std::exception_ptr failure;
  try {
    const internal::MainHeapScope main_heap;
    internal::Birth birth(options, std::move(job));
    const IsolateCore& core = birth.core();
    Isolate isolate(ControlPort(internal::Ref<internal::PortHost>(&birth.core())),
                    core.pause_right(), core.terminate_right());
    birth.MakeReady();
    sink.Succeed(std::move(isolate));
  } catch (const std::exception& error) {
    const internal::MainHeapScope main_heap;
    try {
      failure = std::make_exception_ptr(
          IsolateSpawnException(std::string("the isolate could not be created: ") + error.what()));
    } catch (const std::bad_alloc&) {
      failure = std::current_exception();
    }
  }
  if (failure) sink.FailLocally(std::move(failure));
  return future;
}

void Isolate::Exit() { internal::ExitCurrent(nullptr); }

void Isolate::CheckStop() { internal::RequireHost().CheckStop(); }

Capability Isolate::Pause(Capability resume_capability) const {
  if (!resume_capability) resume_capability = Capability::Create();
  PostCommand(control_port_.isolate_, [right = pause_, resume_capability](IsolateCore& core) {
    if (right == core.pause_right()) core.Pause(resume_capability);
  });
  return resume_capability;
}

void Isolate::Resume(const Capability& resume_capability) const {
  PostCommand(control_port_.isolate_,
              [resume_capability](IsolateCore& core) { core.Resume(resume_capability); });
}

void Isolate::Kill(ControlPriority priority, std::string_view reason) const {
  IsolateCore& core = CoreOf(control_port_.isolate_);
  if (terminate_ != core.terminate_right()) return;
  if (priority == ControlPriority::kImmediate) {
    core.RequestKill(ExitReason::kKilled, reason);
  } else {
    auto command =
        internal::MakeCommand(core, [](IsolateCore& isolate) { isolate.EndBeforeNextEvent(); });
    core.RequestStop(ExitReason::kKilled, reason);
    core.PushControl(command.release());
  }
}

StopToken Isolate::stop_token() const {
  return StopToken(control_port_.isolate_, CoreOf(control_port_.isolate_).stop());
}

StopToken CurrentStopToken() { return Isolate::Current().stop_token(); }

std::stop_token StopToken::std_token() const {
  const internal::MainHeapScope main_heap;
  return stop_->source().get_token();
}

void Isolate::PingWith(const ExitListener& notice, ControlPriority priority) const {
  if (priority == ControlPriority::kImmediate) {
    PostCommand(control_port_.isolate_, [notice](IsolateCore&) { notice.Send(); });
  } else {
    PostCommand(control_port_.isolate_,
                [notice](IsolateCore& core) { core.NotifyBeforeNextEvent(notice); });
  }
}

void Isolate::AddMonitor(std::unique_ptr<internal::ExitMonitor> monitor) const {
  const internal::MainHeapScope main_heap;
  IsolateCore& core = CoreOf(control_port_.isolate_);
  core.PushControl(new internal::AddMonitorCommand(core, std::move(monitor)));
}

void Isolate::Monitor(SendPort<ExitInfo> port) const {
  if (port.id() == 0) throw StateError("a monitor needs a port");
  AddMonitor(internal::MakePortMonitor(std::move(port)));
}

void Isolate::Unmonitor(const SendPort<ExitInfo>& port) const {
  PostCommand(control_port_.isolate_,
              [id = port.id()](IsolateCore& core) { core.RemoveMonitor(id); });
}

Future<ExitInfo> Isolate::Ended() const {
  // Waiting for one's own end could never end.
  internal::PortHost* const self = internal::CurrentCore() == control_port_.isolate_.get()
                                       ? control_port_.isolate_.get()
                                       : nullptr;
  auto state = internal::MakeRef<internal::FutureState<ExitInfo>>(self);
  Future<ExitInfo> future(state);
  AddMonitor(
      std::make_unique<internal::FutureMonitor>(internal::ResultSink<ExitInfo>(std::move(state))));
  return future;
}

Stream<RemoteError> Isolate::Errors() const {
  ReceivePort<RemoteError> errors;
  AddErrorListener(errors.send_port());
  return internal::ErrorsOf(*this, std::move(errors), Ended());
}

std::string_view ExitReasonName(ExitReason reason) noexcept {
  switch (reason) {
    case ExitReason::kFinished:
      return "finished";
    case ExitReason::kExited:
      return "exited";
    case ExitReason::kUncaughtError:
      return "uncaught error";
    case ExitReason::kKilled:
      return "killed";
    case ExitReason::kParentEnded:
      return "parent ended";
    case ExitReason::kShutdown:
      return "shutdown";
  }
  return "unknown";
}

void Isolate::AddListener(const ExitListener& listener) const {
  PostCommand(control_port_.isolate_, [listener](IsolateCore& core) {
    std::erase_if(core.exit_listeners(),
                  [&](const auto& other) { return other.port_id() == listener.port_id(); });
    core.exit_listeners().push_back(listener);
  });
}

void Isolate::RemoveListener(std::uint64_t port_id) const {
  PostCommand(control_port_.isolate_, [port_id](IsolateCore& core) {
    std::erase_if(core.exit_listeners(),
                  [&](const auto& listener) { return listener.port_id() == port_id; });
  });
}

void Isolate::AddErrorListener(SendPort<RemoteError> port) const {
  PostCommand(control_port_.isolate_, [port = std::move(port)](IsolateCore& core) {
    auto& listeners = core.error_listeners();
    if (std::find(listeners.begin(), listeners.end(), port) == listeners.end()) {
      listeners.push_back(port);
    }
  });
}

void Isolate::RemoveErrorListener(const SendPort<RemoteError>& port) const {
  PostCommand(control_port_.isolate_,
              [port](IsolateCore& core) { std::erase(core.error_listeners(), port); });
}

void Isolate::SetErrorsFatal(bool errors_are_fatal) const {
  PostCommand(control_port_.isolate_, [right = terminate_, errors_are_fatal](IsolateCore& core) {
    if (right == core.terminate_right()) core.set_errors_fatal(errors_are_fatal);
  });
}

}  // namespace isolates
