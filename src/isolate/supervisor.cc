#include "isolates/supervisor.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "isolates/port.h"
#include "isolates/timer.h"
#include "isolates/within.h"

namespace isolates {
namespace internal {

struct SupervisorState {
  struct Child {
    explicit Child(ChildSpec child) : spec(std::move(child)) {}
    ChildSpec spec;
    std::optional<Isolate> isolate;  // while it runs
    int starts = 0;
  };

  explicit SupervisorState(const SupervisorOptions& chosen) : options(chosen) {}

  void StartChild(Child& child) {
    child.isolate = child.spec
                        .Spawn(SpawnOptions()
                                   .DebugName(child.spec.name())
                                   .EndWithParent()
                                   .Monitor(ends.send_port()))
                        .Get();
    ++child.starts;
  }
  // nullptr: none of the children that run, from that one on.
  Child* TakeEnded(const ExitInfo& info, std::size_t first = 0) {
    for (std::size_t i = first; i < children.size(); ++i) {
      Child& child = children[i];
      if (!child.isolate || child.isolate->id() != info.isolate_id) continue;
      child.isolate.reset();
      return &child;
    }
    return nullptr;
  }
  bool RestartIsAllowed() {
    const TimePoint now = TimerNow();
    while (!restarts.empty() && now - restarts.front() > options.period()) restarts.pop_front();
    restarts.push_back(now);
    return static_cast<int>(restarts.size()) <= options.restarts();
  }
  void KillAll() {
    for (Child& child : children) {
      if (child.isolate) {
        child.isolate->Kill(ControlPriority::kImmediate, "its supervisor was destroyed");
      }
    }
  }
  // The loop looks again.
  void Wake() { ends.send_port().Send(ExitInfo()); }

  const SupervisorOptions options;
  std::vector<Child> children;
  ReceivePort<ExitInfo> ends;
  // Came while children after those that they tell of were stopped.
  std::deque<ExitInfo> earlier_ends;
  std::deque<TimePoint> restarts;
  std::vector<std::string> left_behind;
  bool stopping = false;
};

namespace {

bool WantsRestart(RestartKind kind, ExitReason reason) {
  if (reason == ExitReason::kShutdown || kind == RestartKind::kTemporary) return false;
  const bool failed = reason != ExitReason::kFinished && reason != ExitReason::kExited;
  return kind == RestartKind::kPermanent || failed;
}

std::string DescribeFailure(const std::string& child, const ExitInfo& info) {
  std::string text = "too many restarts; the last child to end was '" + child + "' (";
  text.append(ExitReasonName(info.reason));
  if (info.error) text.append(": ").append(info.error->message());
  if (!info.message.empty()) text.append(": ").append(info.message);
  return text.append(")");
}

// One of those from `first` on, which are being stopped. False: it still runs after that time.
Task<bool> WaitForEnd(SupervisorState& self, std::size_t first, SupervisorState::Child& child,
                      Duration limit) {
  const TimePoint start = TimerNow();
  while (child.isolate) {
    const Duration left = limit == kForever ? kForever : limit - (TimerNow() - start);
    if (left <= Duration::zero()) co_return false;
    std::optional<ExitInfo> info;
    try {
      info = co_await ReceiveWithin(self.ends, left);
    } catch (const TimeoutError&) {
      co_return false;
    }
    if (!info) co_return false;  // the supervisor is destroyed
    if (self.TakeEnded(*info, first) == nullptr && first > 0) {
      self.earlier_ends.push_back(std::move(*info));
    }
  }
  co_return true;
}

// Stops the children from that one on, the last one first.
Task<> StopFrom(SupervisorState& self, std::size_t first) {
  for (std::size_t i = self.children.size(); i-- > first;) {
    SupervisorState::Child& child = self.children[i];
    for (const auto priority : {ControlPriority::kBeforeNextEvent, ControlPriority::kImmediate}) {
      if (!child.isolate) break;
      child.isolate->Kill(priority, "its supervisor stops it");
      const bool ended = co_await WaitForEnd(self, first, child, child.spec.stop_within());
      if (ended) break;
    }
    if (!child.isolate) continue;
    self.left_behind.push_back(child.spec.name());
    child.isolate.reset();
  }
}

Task<> RestartAfter(SupervisorState& self, SupervisorState::Child& ended) {
  const auto index = static_cast<std::size_t>(&ended - self.children.data());
  std::vector<bool> starts(self.children.size());
  starts[index] = true;
  if (self.options.strategy() != RestartStrategy::kOneForOne) {
    const std::size_t first =
        self.options.strategy() == RestartStrategy::kOneForAll ? 0 : index + 1;
    for (std::size_t i = first; i < starts.size(); ++i) {
      const SupervisorState::Child& child = self.children[i];
      if (child.isolate && child.spec.kind() != RestartKind::kTemporary) starts[i] = true;
    }
    co_await StopFrom(self, first);
  }
  for (std::size_t i = 0; i < starts.size() && !self.stopping; ++i) {
    if (starts[i]) self.StartChild(self.children[i]);
  }
}

Task<> Supervise(std::shared_ptr<SupervisorState> self) {
  std::exception_ptr failure;
  try {
    while (!self->stopping) {
      std::optional<ExitInfo> info;
      if (self->earlier_ends.empty()) {
        info = co_await self->ends.Receive();
        if (!info) break;
      } else {
        info = std::move(self->earlier_ends.front());
        self->earlier_ends.pop_front();
      }
      SupervisorState::Child* const child = self->TakeEnded(*info);
      if (child == nullptr || self->stopping) continue;
      if (!WantsRestart(child->spec.kind(), info->reason)) continue;
      if (!self->RestartIsAllowed()) {
        throw SupervisorError(DescribeFailure(child->spec.name(), *info));
      }
      co_await RestartAfter(*self, *child);
    }
  } catch (const std::exception&) {  // what ends this isolate passes
    failure = std::current_exception();
  }
  try {
    co_await StopFrom(*self, 0);
  } catch (const std::exception&) {  // no memory for an orderly stop
    self->KillAll();
    if (!failure) failure = std::current_exception();
  }
  if (failure) std::rethrow_exception(failure);
}

std::shared_ptr<SupervisorState> StartAll(std::vector<ChildSpec> children,
                                          const SupervisorOptions& options) {
  auto state = std::make_shared<SupervisorState>(options);
  for (ChildSpec& child : children) state->children.emplace_back(std::move(child));
  try {
    for (auto& child : state->children) state->StartChild(child);
  } catch (...) {
    state->KillAll();
    throw;
  }
  return state;
}

Future<void> StartSupervising(const std::shared_ptr<SupervisorState>& state) {
  try {
    return Start(Supervise(state));
  } catch (...) {
    state->KillAll();
    throw;
  }
}

}  // namespace
}  // namespace internal

Supervisor::Supervisor(std::vector<ChildSpec> children, const SupervisorOptions& options)
    : state_(internal::StartAll(std::move(children), options)),
      ended_(internal::StartSupervising(state_)) {}

Supervisor::~Supervisor() {
  state_->stopping = true;
  state_->KillAll();
  try {
    state_->Wake();
  } catch (const std::bad_alloc&) {
    state_->ends.Close();  // that wakes it, too
  }
}

void Supervisor::Stop() {
  state_->stopping = true;
  state_->Wake();
}

std::vector<Supervisor::Child> Supervisor::children() const {
  std::vector<Child> all;
  for (const auto& child : state_->children) {
    all.push_back({child.spec.name(), child.isolate.has_value(), child.starts});
  }
  return all;
}

std::vector<std::string> Supervisor::left_behind() const { return state_->left_behind; }

}  // namespace isolates
