// What an isolate is at and what keeps it alive, as others see it.
//
// What keeps an isolate alive is its owner's to read. Others may read it of an isolate that sleeps:
// they take it, as a worker would (rule I1), and give it back. Not of one that a thread of the
// program runs (attached, or an EventLoop): that thread has it without asking.

#include "isolates/detail/probe.h"
#include "isolates/live_isolate.h"
#include "src/isolate/core.h"
#include "src/isolate/scheduler.h"

namespace isolates {
namespace {

const char* StateName(LiveIsolate::State state) {
  switch (state) {
    case LiveIsolate::State::kIdle:
      return "idle";
    case LiveIsolate::State::kRunning:
      return "running";
    case LiveIsolate::State::kBlocked:
      return "blocked";
  }
  return "";
}

void AddCount(std::vector<std::string>& to, int count, const char* one, const char* many) {
  if (count > 0) to.push_back(std::to_string(count) + " " + (count == 1 ? one : many));
}

}  // namespace

std::string ToString(const LiveIsolate& isolate) {
  std::string text = "isolate '" + isolate.name + "' (" + StateName(isolate.state) + ")";
  const char* separator = ", kept alive by ";
  for (const std::string& keeper : isolate.kept_by) {
    text.append(separator).append(keeper);
    separator = ", ";
  }
  return text;
}

namespace internal {

void IsolateCore::DescribeOwned(LiveIsolate& life, int timers) const {
  if (!pauses_.empty()) life.kept_by.emplace_back("a pause");
  std::vector<std::string> ports = DescribeKeepingPorts();
  const int results = keep_alive() - timers - static_cast<int>(ports.size());
  for (std::string& port : ports) life.kept_by.push_back(std::move(port));
  AddCount(life.kept_by, timers, "timer", "timers");
  AddCount(life.kept_by, results, "awaited result", "awaited results");
}

void IsolateCore::BeginMeter(ThreadContext& context) noexcept {
  meter().Begin(context.meter, {id(), name_,
                                (light_ ? kStatsLight : 0) | (attached() ? kStatsAttached : 0) |
                                    (dedicated_ ? kStatsDedicated : 0) |
                                    (urgent_ ? kStatsUrgent : 0) | (hosted_ ? kStatsHosted : 0)});
  ISOLATES_PROBE2(isolate_start, id(), name_.c_str());
}

LiveIsolate IsolateCore::DescribeLife(const BlockedWait::Snapshot& waits, int timers) {
  LiveIsolate life;
  life.id = id();
  life.name = name_;
  for (const auto& wait : waits.waits) {
    if (wait.isolate != id()) continue;
    if (wait.kind == BlockedWait::Kind::kEvents) {
      life.state = LiveIsolate::State::kIdle;
      continue;
    }
    life.state = LiveIsolate::State::kBlocked;
    life.kept_by.push_back("a wait for " + wait.subject);
  }
  if (attached()) life.kept_by.emplace_back("its thread");
  const bool own = CurrentCore() == this || scheduler_.OneThreadAtATime();
  const bool claimed = !own && !attached() && !hosted_ && state_.TryClaim();
  if (claimed || state_.activity() == IsolateState<StdAtomics>::Activity::kIdle) {
    life.state = LiveIsolate::State::kIdle;
  }
  struct Claim {
    IsolateCore* core;
    // Also where there is no memory for the description: nobody else would ever have it again.
    ~Claim() {
      if (core != nullptr && !core->state_.TryIdle()) core->BecomeReady();
    }
  } const claim{claimed ? this : nullptr};
  if (claimed || own) {
    DescribeOwned(life, timers);
  } else {
    AddCount(life.kept_by, timers, "timer", "timers");
    AddCount(life.kept_by, keep_alive() - timers, "listening port or awaited result",
             "listening ports or awaited results");
  }
  return life;
}

}  // namespace internal
}  // namespace isolates
