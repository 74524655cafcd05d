// What everything is at, as text.

#include "isolates/dump_state.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <map>
#include <mutex>
#include <new>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

#include "isolates/detail/heap.h"
#include "isolates/detail/instruments.h"
#include "isolates/error.h"
#include "src/base/stats_copy.h"
#include "src/runtime/runtime_impl.h"

namespace isolates {
namespace internal {
namespace {

struct WorkerLook {
  int number;
  pid_t tid;
  int cpu;  // of its place; -1: it has none
  bool in_turn;
  bool waits;  // it has given its place up for a wait
  std::uint64_t isolate;
};

WorkerLook LookAt(const Worker& worker) {
  // acquire - pairs with FillPlace.
  const Place* const place = worker.place.load(std::memory_order_acquire);
  // acquire - pairs with the owner's changes, as everywhere.
  const bool owns = place != nullptr && place->owner.load(std::memory_order_acquire) == &worker;
  // acquire - pairs with the begin of the turn: whose it is.
  const bool in_turn = worker.turns.load(std::memory_order_acquire) % 2 == 1;
  // relaxed, all - for a report.
  return {worker.number,
          worker.tid,
          owns ? place->cpu.load(std::memory_order_relaxed) : -1,
          in_turn,
          worker.waits.load(std::memory_order_relaxed) != 0,
          worker.runs.load(std::memory_order_relaxed)};
}

void Append(std::string& text, const WorkerLook& worker,
            const std::map<std::uint64_t, std::string>& names) {
  text += "  worker " + std::to_string(worker.number) + ", thread " + std::to_string(worker.tid);
  if (worker.cpu >= 0) text += ", processor " + std::to_string(worker.cpu);
  if (worker.in_turn) {
    const auto name = names.find(worker.isolate);
    text += worker.waits ? ": waits in a turn of isolate " : ": runs isolate ";
    text += std::to_string(worker.isolate);
    if (name != names.end()) text += " '" + name->second + "'";
  } else {
    text += worker.cpu >= 0 ? ": has nothing to do" : ": has no place";
  }
  text += "\n";
}

std::string Milliseconds(std::uint64_t nanoseconds) {
  return std::to_string(nanoseconds / 1'000'000) + " ms";
}

void AppendCounts(std::string& text, const IsolateCopy& isolate, const StatsCopy& stats) {
  text += "      " + std::to_string(isolate.turns) + " turns, " + Milliseconds(isolate.handling) +
          "; waited " + Milliseconds(isolate.waiting) + "; received " +
          std::to_string(isolate.received) + ", sent " + std::to_string(isolate.sent) + "\n";
  for (const PortCopy& port : stats.ports) {
    if (port.isolate != isolate.id) continue;
    text += "      port " + std::to_string(port.id);
    if (!port.name.empty()) text += " '" + port.name + "'";
    text += ": " + std::to_string(port.depth) + " waited at the last look, " +
            std::to_string(port.depth_max) + " at most; received " + std::to_string(port.received) +
            "\n";
  }
}

// Of all threads; where there are none, nothing.
void AppendSums(std::string& text, const StatsCopy& stats) {
  std::uint64_t turns = 0;
  std::uint64_t parks = 0;
  std::uint64_t wakes = 0;
  std::uint64_t steals = 0;
  for (const ThreadCopy& thread : stats.threads) {
    turns += thread.turns;
    parks += thread.parks;
    wakes += thread.wakes;
    steals += thread.steals;
  }
  text += "turns: " + std::to_string(turns) +
          ", of isolates from other places: " + std::to_string(steals) +
          "\nsleeps without work: " + std::to_string(parks) +
          ", ended by another thread: " + std::to_string(wakes) + "\n";
}

std::string TimeOfDay() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  std::array<char, 40> text;
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string milliseconds = std::to_string(now.tv_nsec / 1'000'000);
  milliseconds.insert(0, 3 - milliseconds.size(), '0');
  return std::string(text.data(), length) + "." + milliseconds + "Z";
}

// --- on a signal

std::mutex dump_mutex;  // guards the path
std::string* dump_path = nullptr;
std::atomic<bool> dump_asked{false};
std::atomic<Keeper*> dump_keeper{nullptr};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<Keeper*>::is_always_lock_free);

void AskForDump(int) {
  const int error = errno;
  // release - pairs with DumpIfAsked.
  dump_asked.store(true, std::memory_order_release);
  // acquire - pairs with DumpOnSignal.
  dump_keeper.load(std::memory_order_acquire)->Wake();
  errno = error;
}

void WriteAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string Runtime::DescribeState() {
  const MainHeapScope main_heap;
  std::vector<WorkerLook> workers;
  for (const Worker* const worker : Workers()) workers.push_back(LookAt(*worker));
  const RuntimeInfo info = Info();
  const std::vector<LiveIsolate> isolates = DescribeLive();
  const StatsHeader* const header = LocalStats();
  const StatsCopy stats = header != nullptr ? CopyStats(*header) : StatsCopy();

  std::string text = "state of the isolates of process " + std::to_string(getpid()) + " at " +
                     TimeOfDay() + "\nisolates: " + std::to_string(info.isolates_live) + " live, " +
                     std::to_string(info.isolates_started) + " started\n";
  std::map<std::uint64_t, std::string> names;
  for (const LiveIsolate& isolate : isolates) {
    names[isolate.id] = isolate.name;
    text += "  " + std::to_string(isolate.id) + ": " + ToString(isolate);
    for (const WorkerLook& worker : workers) {
      if (!worker.in_turn || worker.isolate != isolate.id) continue;
      text += ", on worker " + std::to_string(worker.number);
    }
    text += "\n";
    const auto counts =
        std::find_if(stats.isolates.begin(), stats.isolates.end(),
                     [&](const IsolateCopy& copy) { return copy.id == isolate.id; });
    if (counts != stats.isolates.end()) AppendCounts(text, *counts, stats);
  }
  text += "workers: " + std::to_string(workers.size()) + "\n";
  for (const WorkerLook& worker : workers) Append(text, worker, names);
  const std::vector<std::string> waits = DescribeThreadWaits();
  if (!waits.empty()) text += "threads that wait:\n";
  for (const std::string& wait : waits) text += "  " + wait + "\n";
  // relaxed, all - for a report.
  text += "ready: " + std::to_string(ready_count_.load(std::memory_order_relaxed)) +
          ", urgent of them: " + std::to_string(urgent_count_.load(std::memory_order_relaxed)) +
          "\nturns that wait: " + std::to_string(blocked_.load(std::memory_order_relaxed)) +
          ", beside their places: " + std::to_string(stalled_.load(std::memory_order_relaxed)) +
          ", that have slept without telling: " + std::to_string(info.stalls) +
          "\nmessages never received: " + std::to_string(info.dead_letters) + "\n";
  if (header != nullptr) AppendSums(text, stats);
  for (const std::string& warning : info.warnings) text += "warning: " + warning + "\n";
  return text;
}

void Runtime::DumpOnSignal(int signal, std::string path) {
  const MainHeapScope main_heap;
  {
    const std::lock_guard lock(dump_mutex);
    if (dump_path == nullptr) dump_path = new std::string;
    *dump_path = std::move(path);
  }
  keeper_->Start();
  // release - pairs with AskForDump.
  dump_keeper.store(keeper_.get(), std::memory_order_release);
  struct sigaction action{};
  action.sa_handler = &AskForDump;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  if (sigaction(signal, &action, nullptr) != 0) {
    throw StateError("DumpOnSignal cannot handle signal " + std::to_string(signal));
  }
}

// The keeper's thread.
void Runtime::DumpIfAsked() {
  // acquire - pairs with AskForDump. relaxed - a hint; its Wake comes after the store.
  if (!dump_asked.load(std::memory_order_relaxed) ||
      !dump_asked.exchange(false, std::memory_order_acquire)) {
    return;
  }
  const MainHeapScope main_heap;
  try {
    std::string path;
    {
      const std::lock_guard lock(dump_mutex);
      path = *dump_path;
    }
    const std::string text = DescribeState();
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
    if (file < 0) return;
    WriteAll(file, text);
    close(file);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): no memory, no dump
  }
}

}  // namespace internal

void DumpState(std::ostream& out) { out << internal::Runtime::Get().DescribeState(); }

void DumpOnSignal(int signal, std::string path) {
  internal::Runtime::Get().DumpOnSignal(signal, std::move(path));
}

}  // namespace isolates
