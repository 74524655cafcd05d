// Runtime: the scheduler. See README.md in this folder.

#ifndef ISOLATES_SRC_RUNTIME_RUNTIME_IMPL_H_
#define ISOLATES_SRC_RUNTIME_RUNTIME_IMPL_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "isolates/perf_counters.h"
#include "isolates/runtime.h"
#include "src/base/topology.h"
#include "src/isolate/blocked_wait.h"
#include "src/isolate/core.h"
#include "src/isolate/scheduler.h"
#include "src/runtime/keeper.h"
#include "src/runtime/perf_account.h"
#include "src/runtime/place.h"
#include "src/runtime/turn_watch.h"

namespace isolates::internal {

// The simulation that the calling thread works for, or nullptr.
extern thread_local constinit Scheduler* thread_scheduler;

class Runtime final : public Scheduler, public MainHeapObject {
 public:
  // The one runtime of the process, started at the first call and never destroyed.
  static Runtime& Get();

  // Scheduler
  bool Schedule(IsolateCore& core) noexcept override;
  void Dedicate(IsolateCore& core, int cpu, std::shared_ptr<const IdleStrategy> idle) override;
  void EndDedication() noexcept override;
  void BeginBlocking() override;
  void LetOthersRun() noexcept override;
  void EndBlocking() noexcept override;
  const IdleStrategy& idle_strategy() const noexcept override {
    // acquire - pairs with SetIdleStrategy.
    return *idle_.load(std::memory_order_acquire);
  }
  bool Crowded() const noexcept override;
  bool OthersWait() const noexcept override {
    return ready_count_.load(std::memory_order_relaxed) > 0;  // relaxed - a hint
  }
  bool MayLinger() const noexcept override;
  void AddTimer(TimerNode* timer) override { keeper_->AddTimer(timer); }
  void RemoveTimer(TimerNode& timer) noexcept override { keeper_->RemoveTimer(timer); }
  const Clock& clock() const noexcept override { return keeper_->clock(); }
  void IsolateStarted(IsolateCore& core) override;
  void IsolateEnded(IsolateCore& core) noexcept override;

  RuntimeInfo Info();
  std::vector<LiveIsolate> DescribeLive();
  // `timeout` is for each of the two: until all is handled, until all have ended.
  ShutdownReport Stop(ShutdownMode mode, Duration timeout);
  // A moment at which nothing goes on. If two looks find the same, nothing went on between them
  // either: each isolate and thread that sleeps was found so twice, and none has made a step.
  struct Standstill {
    std::uint64_t started = 0;  // isolates, ever
    std::uint64_t live = 0;
    std::uint64_t steps = 0;         // of those that live, ever
    std::uint64_t wait_changes = 0;  // waits that began or ended, ever
    friend bool operator==(const Standstill&, const Standstill&) = default;
  };
  // Any thread. A moment at which only a thread that the runtime does not know could make anything
  // happen, while somebody waits for ever.
  std::optional<Standstill> LookForStandstill();
  // How often the keeper has looked for one, for tests.
  std::uint64_t standstill_looks() const noexcept {
    return standstill_looks_.load(std::memory_order_relaxed);  // relaxed - a counter
  }
  // Who waits for what, a line each.
  std::vector<std::string> DescribeWaits();
  // Those of threads that are no isolates.
  std::vector<std::string> DescribeThreadWaits();
  std::string DescribeState();
  PerfReport ReadPerf();
  void DumpOnSignal(int signal, std::string path);
  void AskCollect() noexcept;
  void WaitsForEver() noexcept override { keeper_->LookLater(); }
  void SetIdleStrategy(std::shared_ptr<const IdleStrategy> strategy);
  void WatchTurns(Duration limit, std::function<void(const StuckTurn&)> told);
  const TurnWatch& turn_watch() const noexcept { return turn_watch_; }

 private:
  struct alignas(kCacheLine) LiveShard {
    std::mutex mutex;
    RingNode isolates;
  };
  struct LastLook {
    Worker* owner = nullptr;
    std::uint64_t turns = 0;
    bool asleep = false;
  };

  explicit Runtime(RuntimeOptions options);

  // --- worker threads
  void WorkerMain(Worker& worker);
  void WorkerLoop(Worker& worker);
  bool Owns(const Worker& worker) const noexcept;
  bool TakeBackPlace(Worker& worker) noexcept;
  IsolateCore* FindWork(Worker& worker);
  IsolateCore* TakeUrgent();
  IsolateCore* TakeFrom(Place& place, bool urgent);
  void RunIsolate(Worker& worker, IsolateCore& core);
  // A turn that is charged (CountPerf).
  static IsolateCore::TurnEnd RunCharged(Worker& worker, IsolateCore& core, int credit);
  void Idle(Worker& worker);
  // True: a token was taken.
  static bool ParkIdle(Worker& worker, TimePoint deadline);
  void WaitAsSpare(Worker& worker);
  void BecomeSpare(Worker& worker) noexcept;
  bool LeaveSpares(const Worker& worker) noexcept;
  void WaitForPlace(Worker& worker);
  void PinToPlace(const Worker& worker, const Place& place);
  void RunDedicated(Worker& worker, std::unique_ptr<Dedication> dedication);

  // --- any thread
  void MakeReady(IsolateCore& core, Place& place) noexcept;
  bool WakeForWork(Place& preferred) noexcept;
  void AskToEndTurns() noexcept;
  // The worker is in a turn and has lost its place; the turn is over.
  void CountStalled(Worker& worker) noexcept;
  void UncountStalled(Worker& worker) noexcept;
  void ReleaseBound(Worker& worker) noexcept;
  void ReleaseOne(IsolateCore& core) noexcept;
  bool WakeIdle(Place& place) noexcept;
  bool FillPlace(Place& place) noexcept;
  bool MorePlacesThanProcessors() const noexcept;
  Worker* TakeSpareOrStart();
  Worker* StartWorker();
  Worker* TakeSpareOrStartAnother();
  std::size_t ReserveCpu(int cpu);
  void GiveBackCpu(std::size_t index) noexcept;
  void AssignCpus() noexcept;
  LiveShard& ShardOf(std::uint64_t id) { return live_[id % live_.size()]; }
  template <class Visit>
  void ForEachLive(Visit visit) {
    for (LiveShard& shard : live_) {
      const std::lock_guard lock(shard.mutex);
      for (RingNode* node = shard.isolates.next; node != &shard.isolates; node = node->next) {
        visit(static_cast<LiveLink*>(node)->core);
      }
    }
  }
  // nullptr: it has ended.
  Ref<IsolateCore> FindLive(std::uint64_t id);
  std::vector<Worker*> Workers();
  // In the order of their start.
  std::vector<Ref<IsolateCore>> Live();
  std::vector<LiveIsolate> Describe(const std::vector<Ref<IsolateCore>>& cores);
  // A moment at which none of the runtime's isolates goes on.
  std::optional<Standstill> LookForQuiet();
  // Returns the isolates that went on at the deadline.
  std::vector<LiveIsolate> Drain(TimePoint deadline);
  // A worker has nothing to do, or a thread has ended: that may be the end of all.
  void NoteRest() noexcept {
    if (BlockedWait::AnyForEver()) keeper_->LookLater();
  }

  // --- keeper
  bool LookForStalls();
  bool LookForDeadlock();
  Duration Observe();
  void DumpIfAsked();

  AllowedCpus allowed_;
  const RuntimeOptions options_;
  const std::thread::id main_thread_;
  const pid_t main_tid_;
  std::vector<std::unique_ptr<Place>> places_;
  std::unique_ptr<Keeper> keeper_;
  TurnWatch turn_watch_{{[this] { return Workers(); }, [this](auto id) { return FindLive(id); }}};

  // Isolates in the ready queues of places, and those of them that are urgent.
  alignas(kCacheLine) std::atomic<std::int64_t> ready_count_{0};
  std::atomic<std::int64_t> urgent_count_{0};
  // Workers that look for work and will look once more before they sleep.
  std::atomic<int> searching_{0};
  alignas(kCacheLine) std::atomic<std::uint32_t> next_place_{0};
  std::atomic<int> shared_cpus_{0};  // processors that no isolate has for itself; at least 1
  std::atomic<int> blocked_{0};      // workers in a turn that gave up their place
  std::atomic<int> stalled_{0};      // workers in a turn that have lost their place
  std::atomic<std::uint64_t> started_{0};
  std::atomic<std::uint64_t> live_count_{0};
  std::atomic<std::uint64_t> stalls_{0};
  std::atomic<const IdleStrategy*> idle_{nullptr};
  enum class Phase {
    kOpen,
    kDraining,  // no new isolates but those that isolates start
    kClosed,    // no new isolates
  };
  std::atomic<Phase> phase_{Phase::kOpen};
  std::atomic<bool> overdue_{false};  // isolates had not ended when the runtime stopped
  std::atomic<bool> keeper_runs_{false};
  std::atomic<bool> stopped_{false};  // no turns either

  std::mutex spares_mutex_;  // guards what follows
  Worker* spares_ = nullptr;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Worker>> ended_workers_;
  int dedicated_ = 0;                // workers with a Dedication
  std::vector<bool> cpu_dedicated_;  // for each allowed processor
  std::vector<std::string> warnings_;
  // All that were ever set: a thread may be waiting by an old one still.
  std::vector<std::shared_ptr<const IdleStrategy>> idle_strategies_;

  std::array<LiveShard, 8> live_;
  // The keeper's thread.
  std::vector<LastLook> last_looks_;
  std::atomic<std::uint64_t> standstill_looks_{0};
  std::optional<Standstill> last_standstill_;
  std::optional<Standstill> reported_standstill_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_RUNTIME_IMPL_H_
