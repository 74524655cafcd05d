// Isolate: a worker with a heap of its own that shares nothing and talks through ports.

#ifndef ISOLATES_ISOLATE_H_
#define ISOLATES_ISOLATE_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "isolates/capability.h"
#include "isolates/detail/isolate_control.h"
#include "isolates/detail/isolate_launch.h"
#include "isolates/detail/parcel_destination.h"
#include "isolates/exit_info.h"
#include "isolates/future.h"
#include "isolates/idle_strategy.h"
#include "isolates/parcel.h"
#include "isolates/port.h"
#include "isolates/stop_token.h"
#include "isolates/stream.h"
#include "isolates/transfer.h"

namespace isolates {

// Options of Run and RunParcel.
//
// Options are classes with setters rather than aggregates: g++ 12 destroys the members of a
// temporary aggregate twice if it stands in a co_await expression.
class RunOptions {
 public:
  // Shown in errors and reports; "isolate-<number>" if not set.
  RunOptions& DebugName(std::string name) {
    launch_.name = std::move(name);
    return *this;
  }
  // kAlways: looks at every edge of the arguments and of the result, and refuses a closure that
  // looks as if it led to a stack even where that is not certain.
  RunOptions& Verify(VerifyLevel level) {
    launch_.verify = level;
    return *this;
  }
  // The isolate runs before ready ones that are not urgent. Turns that run are not interrupted.
  RunOptions& Urgent(bool urgent = true) {
    launch_.urgent = urgent;
    return *this;
  }
  // The same as SpawnOptions::EndWithParent.
  RunOptions& EndWithParent(bool end_with_parent = true) {
    launch_.end_with_parent = end_with_parent;
    return *this;
  }
  // For RunParcel; the same as ParcelOptions::Carry.
  RunOptions& Carry(CarryPolicy policy) {
    launch_.carry = policy;
    return *this;
  }

 private:
  friend class Isolate;
  internal::LaunchOptions launch_;
};

// Options of Spawn. All are in place before the first line of the isolate runs.
//   Isolate::Spawn(entry, message, SpawnOptions().DebugName("parser").OnError(errors.send_port()));
class SpawnOptions {
 public:
  // Shown in errors and reports; "isolate-<number>" if not set.
  SpawnOptions& DebugName(std::string name) {
    launch_.name = std::move(name);
    return *this;
  }
  // Waits for Resume(isolate.pause_capability()) before the first line.
  SpawnOptions& Paused(bool paused = true) {
    launch_.paused = paused;
    return *this;
  }
  // True (default): an uncaught error ends the isolate. False: it goes on with the next event.
  SpawnOptions& ErrorsAreFatal(bool errors_are_fatal) {
    launch_.errors_are_fatal = errors_are_fatal;
    return *this;
  }
  // The same as RunOptions::Verify, for the entry and the message.
  SpawnOptions& Verify(VerifyLevel level) {
    launch_.verify = level;
    return *this;
  }
  // The isolate has no heap of its own: what it allocates lies in the program's. It costs about a
  // kilobyte while it is idle, so there may be very many.
  SpawnOptions& Light(bool light = true) {
    launch_.light = light;
    return *this;
  }
  // The isolate runs before ready ones that are not urgent. Turns that run are not interrupted.
  SpawnOptions& Urgent(bool urgent = true) {
    launch_.urgent = urgent;
    return *this;
  }
  // The isolate has a thread of its own, bound to a processor that other isolates keep off while it
  // lives. Without a number: the last allowed processor that no isolate has for itself. Spawn fails
  // if there is none any more, or if the process may not use that one. If all are taken in this
  // way, the other isolates share them with the dedicated ones.
  SpawnOptions& Dedicated() {
    launch_.dedicated = internal::LaunchOptions::kAnyProcessor;
    return *this;
  }
  SpawnOptions& Dedicated(int processor) {
    launch_.dedicated = processor;
    return *this;
  }
  // How the thread of a dedicated isolate waits; otherwise as all threads do (SetIdleStrategy).
  SpawnOptions& Idle(std::shared_ptr<const IdleStrategy> strategy) {
    launch_.idle = std::move(strategy);
    return *this;
  }
  // `response` is sent to `port` when the isolate has ended.
  template <std::copy_constructible T>
  SpawnOptions& OnExit(SendPort<T> port, T response) {
    launch_.on_exit.emplace(std::move(port), std::move(response));
    return *this;
  }
  // Every uncaught error of the isolate is sent to `port`.
  SpawnOptions& OnError(SendPort<RemoteError> port) {
    launch_.on_error.emplace(std::move(port));
    return *this;
  }
  // The same as Isolate::Monitor.
  SpawnOptions& Monitor(SendPort<ExitInfo> port) {
    launch_.monitor.emplace(std::move(port));
    return *this;
  }
  // Links the isolate to the one that starts it: when that one has ended, for whatever reason, this
  // one is killed (kImmediate, ExitReason::kParentEnded), and what is linked to it, too. Default:
  // isolates are independent.
  SpawnOptions& EndWithParent(bool end_with_parent = true) {
    launch_.end_with_parent = end_with_parent;
    return *this;
  }

 private:
  friend class EventLoop;
  friend class Isolate;
  internal::LaunchOptions launch_;
};

// The address of an isolate's control: comparable, and may be sent. Whoever has it can ping the
// isolate and listen to its end and its errors; more needs capabilities.
class ControlPort {
 public:
  ControlPort() = default;
  // The same isolate?
  bool operator==(const ControlPort&) const noexcept = default;

 private:
  friend class EventLoop;
  friend class Isolate;
  explicit ControlPort(internal::Ref<internal::PortHost> isolate) noexcept
      : isolate_(std::move(isolate)) {}
  internal::Ref<internal::PortHost> isolate_;
};
template <>
struct TransferTraits<ControlPort> : internal::ImmutableHandleTraits {};
template <>
struct TransferTraits<Capability> : internal::ImmutableHandleTraits {};

// When a command takes effect. Either way it comes after all commands that the same sender gave
// before, and passes all events.
enum class ControlPriority {
  kImmediate,        // also during an event: at its next library call that waits or looks for a
                     // stop (Receive, Get, co_await, Listen, CheckStop), and while it blocks there
  kBeforeNextEvent,  // when the event that is handled now, if any, has come to its end
};

// A handle to an isolate. It may be copied, but not sent: send its control_port and capabilities
// and build a handle from them on the other side.
class Isolate {
 public:
  using IsolatesUnsendable = void;

  // A handle with just the given rights. Without a capability, Pause, Resume and Kill do nothing.
  explicit Isolate(ControlPort control_port, Capability pause_capability = {},
                   Capability terminate_capability = {});

  // --- running code in isolates
  // -------------------------------------------------------------------

  // Runs `function(args...)` in an isolate of its own, which ends when the result is there. The
  // function may be a coroutine (Task). The result is handed over without a copy, after its
  // verification where its type needs one. Errors: the future throws RemoteError. Throws
  // TransferError here if the function or an argument may not be sent; LimitError, StateError. Any
  // thread.
  template <class Function, class... Args>
    requires std::invocable<std::decay_t<Function>, std::decay_t<Args>...>
  static auto Run(Function&& function, Args&&... args) {
    return Run(RunOptions{}, std::forward<Function>(function), std::forward<Args>(args)...);
  }
  template <class Function, class... Args>
    requires std::invocable<std::decay_t<Function>, std::decay_t<Args>...>
  static auto Run(const RunOptions& options, Function&& function, Args&&... args) {
    using Job = internal::RunComputation<std::decay_t<Function>, std::decay_t<Args>...>;
    return internal::LaunchJob<Job>(options.launch_,
                                    internal::ForHandOver(std::forward<Function>(function)),
                                    internal::ForHandOver(std::forward<Args>(args))...);
  }

  // The same, but the result comes as a Parcel: with the heap in which it was built, to be read in
  // place and dropped as a whole. Worth it from about 100 KB.
  template <class Function, class... Args>
    requires std::invocable<std::decay_t<Function>, std::decay_t<Args>...>
  static auto RunParcel(Function&& function, Args&&... args) {
    return RunParcel(RunOptions{}, std::forward<Function>(function), std::forward<Args>(args)...);
  }
  template <class Function, class... Args>
    requires std::invocable<std::decay_t<Function>, std::decay_t<Args>...>
  static auto RunParcel(const RunOptions& options, Function&& function, Args&&... args) {
    using Job = internal::ParcelComputation<std::decay_t<Function>, std::decay_t<Args>...>;
    return internal::LaunchJob<Job>(options.launch_,
                                    internal::ForHandOver(std::forward<Function>(function)),
                                    internal::ForHandOver(std::forward<Args>(args))...);
  }

  // Starts an isolate with `entry(message)`. It lives as long as there is something to handle:
  // events, ports that listen, futures and timers it waits for. The entry may be a coroutine. The
  // future fails with IsolateSpawnException if it could not be created. Throws TransferError here
  // if the entry or the message may not be sent.
  template <class Entry, class Message>
    requires std::invocable<std::decay_t<Entry>, std::decay_t<Message>>
  static Future<Isolate> Spawn(Entry&& entry, Message&& message, const SpawnOptions& options = {}) {
    using Job = internal::SpawnComputation<std::decay_t<Entry>, std::decay_t<Message>>;
    return SpawnChecked<Job>(options.launch_, internal::ForHandOver(std::forward<Entry>(entry)),
                             internal::ForHandOver(std::forward<Message>(message)));
  }

  // --- in an isolate
  // ------------------------------------------------------------------------------

  // The isolate that the caller runs in. A plain thread becomes one.
  static Isolate Current();

  // Ends the current isolate with a last message: verifies it (TransferError, StateError for a
  // closed port: nothing has happened, the message stays with the caller, see SendPort::Send),
  // unwinds the code with all its destructors, closes its ports, and hands the message over. Frames
  // that swallow the
  // unwinding only delay it: every later library call but Send and Close throws it again, and the
  // event is the last. StateError while an exception is in flight; calls std::terminate if a
  // noexcept function is unwound.
  template <class T>
  [[noreturn]] static void Exit(const SendPort<T>& port, std::type_identity_t<T>&& message) {
    internal::ExitWith<T>(port, std::move(message));
  }
  template <std::copy_constructible T>
  [[noreturn]] static void Exit(const SendPort<T>& port, const std::type_identity_t<T>& message) {
    T copy(message);
    internal::ExitWith<T>(port, std::move(copy));
  }
  [[noreturn]] static void Exit();

  // Throws if the current isolate was told to end. For loops that compute.
  static void CheckStop();

  // --- control
  // ------------------------------------------------------------------------------------

  const std::string& debug_name() const noexcept { return name_; }
  // A number in the order of creation, never used twice in a process.
  std::uint64_t id() const noexcept { return control_port_.isolate_->id(); }
  const ControlPort& control_port() const noexcept { return control_port_; }
  const Capability& pause_capability() const noexcept { return pause_; }
  const Capability& terminate_capability() const noexcept { return terminate_; }

  // Stops handling events after the current one, until Resume gets the same capability. Pauses with
  // different capabilities must each be resumed; with the same one they count once.
  Capability Pause(Capability resume_capability = {}) const;
  // A capability that does not pause the isolate (any more) has no effect.
  void Resume(const Capability& resume_capability) const;
  // Ends the isolate. Cooperative: its code is unwound, destructors run; code that never calls the
  // library is not interrupted, and a destructor or a frame that swallows the unwinding only delays
  // it. `reason` stands in its ExitInfo and its StopToken; of several kills the first counts. Needs
  // the terminate capability.
  //
  // Time to effect        kImmediate                     kBeforeNextEvent
  //   idle, paused, or    at once: nothing runs          the same
  //   not started         any more
  //   coroutines wait     at once: they are destroyed    the same
  //                       where they wait
  //   blocked in Get,     at once: the call throws       when the call has returned and the event
  //   Receive(timeout)                                   is over; perhaps never
  //   computing           at its next library call that  when the event is over; CheckStop does
  //                       waits, or CheckStop            not throw
  //   being unwound       it goes on to its end          the same
  //   a plain thread      its next wait throws           the same
  // A StopToken shows the request at once in all of these.
  void Kill(ControlPriority priority = ControlPriority::kBeforeNextEvent,
            std::string_view reason = {}) const;
  // Whether and why the isolate was told to end.
  StopToken stop_token() const;
  // Sends `response` to `port` when the isolate handles this; nothing if it has ended.
  // kImmediate: also while it is paused or blocked in the library. kBeforeNextEvent: once it would
  // handle an event, hence not while it is paused. (Dart's rules.)
  template <std::copy_constructible T>
  void Ping(SendPort<T> port, T response,
            ControlPriority priority = ControlPriority::kImmediate) const {
    PingWith(ExitListener(std::move(port), std::move(response)), priority);
  }
  // Tells the end of the isolate and its reason, exactly once: also if it has ended already (then
  // at once). A port that is added twice is told once. The result of a Run and
  // the last errors are sent before, the messages of exit listeners after it. Not told: isolates
  // that never end because the runtime has stopped without them.
  void Monitor(SendPort<ExitInfo> port) const;
  // What was sent before that is taken back by nobody.
  void Unmonitor(const SendPort<ExitInfo>& port) const;
  // The same as a future. Dropping it ends nothing.
  Future<ExitInfo> Ended() const;
  // Tells when the isolate has ended; nothing if it has ended already. A port that is added twice
  // gets one message, the later response.
  template <std::copy_constructible T>
  void AddOnExitListener(SendPort<T> port, T response) const {
    AddListener(ExitListener(std::move(port), std::move(response)));
  }
  // Nothing if the port was not added.
  template <class T>
  void RemoveOnExitListener(const SendPort<T>& port) const {
    RemoveListener(port.id());
  }
  // Sends every uncaught error of the isolate. One that no listener's open port, no monitor and no
  // future has taken is reported as unhandled.
  void AddErrorListener(SendPort<RemoteError> port) const;
  // Nothing if the port was not added.
  void RemoveErrorListener(const SendPort<RemoteError>& port) const;
  // Needs the terminate capability.
  void SetErrorsFatal(bool errors_are_fatal) const;
  // The uncaught errors from now on, in the isolate that calls this; ends when the isolate has
  // ended. Each call makes a stream of its own. (Dart's Isolate.errors.)
  Stream<RemoteError> Errors() const;

  // Handles of the same isolate, whatever their rights?
  friend bool operator==(const Isolate& a, const Isolate& b) noexcept {
    return a.control_port_ == b.control_port_;
  }

 private:
  template <class Job, class Entry, class Message>
  static Future<Isolate> SpawnChecked(const internal::LaunchOptions& options, Entry&& entry,
                                      Message&& message) {
    Job::Check(options.verify, entry, message);
    const internal::HandOverTo to("isolate", options.name);
    auto job = std::make_unique<Job>(std::forward<Entry>(entry), std::forward<Message>(message));
    job->CheckMoved(options.verify);
    return SpawnJob(std::move(job), options);
  }
  static Future<Isolate> SpawnJob(std::unique_ptr<internal::Computation> job,
                                  const internal::LaunchOptions& options);
  void PingWith(const ExitListener& notice, ControlPriority priority) const;
  void AddMonitor(std::unique_ptr<internal::ExitMonitor> monitor) const;
  void AddListener(const ExitListener& listener) const;
  void RemoveListener(std::uint64_t port_id) const;

  ControlPort control_port_;
  Capability pause_;
  Capability terminate_;
  std::string name_;
};

}  // namespace isolates

#endif  // ISOLATES_ISOLATE_H_
