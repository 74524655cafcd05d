// Supervisor: starts isolates in order, starts them again when they fail, and stops them in reverse
// order.

#ifndef ISOLATES_SUPERVISOR_H_
#define ISOLATES_SUPERVISOR_H_

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "isolates/clock.h"
#include "isolates/error.h"
#include "isolates/future.h"
#include "isolates/isolate.h"

namespace isolates {

// Which children are started again together with one that is. The others of them are stopped first,
// in reverse order; then those that ran are started in order.
enum class RestartStrategy {
  kOneForOne,   // no others
  kOneForAll,   // all
  kRestForOne,  // those after it
};

// When a child that has ended is started again.
enum class RestartKind {
  kPermanent,  // always
  kTransient,  // if it has failed: any reason but kFinished and kExited
  kTemporary,  // never
};

// A supervisor has given up; its children have been stopped. The message names the child and its
// end.
class SupervisorError : public Error {
 public:
  using Error::Error;
};

// One child: an entry and a message, of which each start gets copies.
class ChildSpec {
 public:
  // Runs `entry(message)`, as Isolate::Spawn does.
  template <class Entry, class Message>
    requires std::copy_constructible<Entry> && std::copy_constructible<Message>
  ChildSpec(std::string name, Entry entry, Message message)
      : name_(std::move(name)),
        spawn_(
            [entry = std::move(entry), message = std::move(message)](const SpawnOptions& options) {
              return Isolate::Spawn(Entry(entry), Message(message), options);
            }) {}

  // kPermanent unless set.
  ChildSpec& Restart(RestartKind kind) {
    kind_ = kind;
    return *this;
  }
  // A child that is stopped is killed kBeforeNextEvent; if it has not ended after that time, by the
  // runtime's clock, kImmediate; after the same time again it is left behind. 5 s unless set.
  ChildSpec& StopWithin(Duration limit) {
    stop_within_ = limit;
    return *this;
  }

  const std::string& name() const noexcept { return name_; }
  RestartKind kind() const noexcept { return kind_; }
  Duration stop_within() const noexcept { return stop_within_; }
  // Starts one such isolate. For the supervisor.
  Future<Isolate> Spawn(const SpawnOptions& options) const { return spawn_(options); }

 private:
  std::string name_;
  std::function<Future<Isolate>(const SpawnOptions&)> spawn_;
  RestartKind kind_ = RestartKind::kPermanent;
  Duration stop_within_ = std::chrono::seconds(5);
};

// Options of Supervisor.
class SupervisorOptions {
 public:
  // kOneForOne unless set.
  SupervisorOptions& Strategy(RestartStrategy strategy) {
    strategy_ = strategy;
    return *this;
  }
  // More than `restarts` within `period`, by the runtime's clock, are too many: the supervisor
  // gives up. 3 within 5 s unless set.
  SupervisorOptions& Intensity(int restarts, Duration period) {
    restarts_ = restarts;
    period_ = period;
    return *this;
  }

  RestartStrategy strategy() const noexcept { return strategy_; }
  int restarts() const noexcept { return restarts_; }
  Duration period() const noexcept { return period_; }

 private:
  RestartStrategy strategy_ = RestartStrategy::kOneForOne;
  int restarts_ = 3;
  Duration period_ = std::chrono::seconds(5);
};

namespace internal {
struct SupervisorState;
}  // namespace internal

// Belongs to the isolate that makes it, works in turns of it, and keeps it alive until all children
// have ended. The children are linked to that isolate (EndWithParent). If the supervisor is
// destroyed, its children are killed (kImmediate) and not waited for.
class Supervisor {
 public:
  using IsolatesUnsendable = void;

  // Starts the children in order. Throws IsolateSpawnException if one cannot be created, after
  // those before it were killed.
  explicit Supervisor(std::vector<ChildSpec> children, const SupervisorOptions& options = {});
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  // Stops all children, the last one first. ended() tells when it is done.
  void Stop();
  // Ends after Stop, with a value; or with SupervisorError, when the supervisor has given up.
  // In an isolate of its own, `co_await supervisor.ended()` passes that on to whoever watches it.
  Future<void>& ended() noexcept { return ended_; }

  // A child, as children() tells.
  struct Child {
    std::string name;      // of its ChildSpec
    bool running = false;  // now
    int starts = 0;        // so far, the first included
  };
  std::vector<Child> children() const;
  // Those that did not end when they were stopped.
  std::vector<std::string> left_behind() const;

 private:
  std::shared_ptr<internal::SupervisorState> state_;
  Future<void> ended_;
};

}  // namespace isolates

#endif  // ISOLATES_SUPERVISOR_H_
