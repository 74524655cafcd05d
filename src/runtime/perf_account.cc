#include "src/runtime/perf_account.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include "isolates/detail/heap.h"
#include "isolates/perf_counters.h"
#include "src/runtime/runtime_impl.h"

namespace isolates {
namespace internal {

constinit std::atomic<bool> perf_on{false};

namespace {

struct PerfEventKind {
  const char* name;
  std::uint32_t type;
  std::uint64_t config;
  std::optional<std::uint64_t> PerfCounts::* member;
};

constexpr std::array<PerfEventKind, kPerfEvents> kPerfKinds = {{
    {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, &PerfCounts::instructions},
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, &PerfCounts::cycles},
    {"cache misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, &PerfCounts::cache_misses},
    {"branch misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, &PerfCounts::branch_misses},
    {"task clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, &PerfCounts::task_clock},
    {"context switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES,
     &PerfCounts::context_switches},
    {"migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS, &PerfCounts::migrations},
    {"page faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, &PerfCounts::page_faults},
}};

int OpenEvent(const PerfEventKind& kind, int leader) noexcept {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = kind.type;
  attributes.config = kind.config;
  attributes.read_format = PERF_FORMAT_GROUP;
  // What the system allows every program to count of itself.
  attributes.exclude_kernel = kind.type == PERF_TYPE_HARDWARE ? 1 : 0;
  attributes.exclude_hv = 1;
  return static_cast<int>(
      syscall(SYS_perf_event_open, &attributes, 0, -1, leader, PERF_FLAG_FD_CLOEXEC));
}

}  // namespace

void PerfEvents::Open() noexcept {
  for (std::size_t i = 0; i < kPerfEvents; ++i) {
    Group& group = kPerfKinds[i].type == PERF_TYPE_HARDWARE ? hardware_ : software_;
    files_[i] = OpenEvent(kPerfKinds[i], group.leader);
    if (files_[i] < 0) {
      errors_[i] = errno;
      continue;
    }
    if (group.leader < 0) group.leader = files_[i];
    group.events[group.size++] = i;
  }
}

PerfEvents::~PerfEvents() {
  for (const int file : files_) {
    if (file >= 0) close(file);
  }
}

void PerfEvents::Read(PerfValues& values) const noexcept {
  ReadGroup(hardware_, values);
  ReadGroup(software_, values);
}

void PerfEvents::ReadGroup(const Group& group, PerfValues& values) const noexcept {
  if (group.leader < 0) return;
  std::array<std::uint64_t, 1 + kPerfEvents> read_values{};  // their number, then they
  const std::size_t bytes = (1 + group.size) * sizeof(std::uint64_t);
  if (read(group.leader, read_values.data(), bytes) != static_cast<ssize_t>(bytes)) return;
  for (std::size_t i = 0; i < group.size; ++i) values[group.events[i]] = read_values[1 + i];
}

void PerfAccount::Charge(std::uint64_t isolate, std::string_view name,
                         const PerfValues& before) noexcept {
  PerfValues now = before;
  events_.Read(now);
  const MainHeapScope main_heap;
  const std::lock_guard lock(mutex_);
  try {
    const auto [entry, is_new] = charged_.try_emplace(isolate);
    if (is_new) entry->second.name = name;
    for (std::size_t i = 0; i < kPerfEvents; ++i) entry->second.values[i] += now[i] - before[i];
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): this turn is not charged
  }
}

IsolateCore::TurnEnd Runtime::RunCharged(Worker& worker, IsolateCore& core, int credit) {
  PerfAccount* account = worker.perf.load(std::memory_order_relaxed);  // relaxed - its own
  if (account == nullptr) {
    const MainHeapScope main_heap;
    try {
      account = new PerfAccount;
    } catch (const std::bad_alloc&) {
      return core.RunTurn(*worker.context, credit);
    }
    // release - pairs with ReadPerf.
    worker.perf.store(account, std::memory_order_release);
  }
  PerfValues before{};
  account->events().Read(before);
  const IsolateCore::TurnEnd end = core.RunTurn(*worker.context, credit);
  account->Charge(core.id(), core.name(), before);
  return end;
}

PerfReport Runtime::ReadPerf() {
  const MainHeapScope main_heap;
  std::map<std::uint64_t, PerfAccount::Charged> sums;
  std::array<int, kPerfEvents> errors{};
  bool any = false;
  for (Worker* const worker : Workers()) {
    // acquire - pairs with RunCharged.
    PerfAccount* const account = worker->perf.load(std::memory_order_acquire);
    if (account == nullptr) continue;
    any = true;
    errors = account->events().errors();
    for (const auto& [id, charged] :
         account->Read([&](auto id) { return FindLive(id) == nullptr; })) {
      PerfAccount::Charged& sum = sums[id];
      sum.name = charged.name;
      for (std::size_t i = 0; i < kPerfEvents; ++i) sum.values[i] += charged.values[i];
    }
  }
  PerfReport report;
  for (const auto& [id, charged] : sums) {
    IsolatePerfCounts counts;
    counts.id = id;
    counts.name = charged.name;
    for (std::size_t i = 0; i < kPerfEvents; ++i) {
      if (errors[i] == 0) counts.counts.*kPerfKinds[i].member = charged.values[i];
    }
    report.isolates.push_back(std::move(counts));
  }
  for (std::size_t i = 0; any && i < kPerfEvents; ++i) {
    if (errors[i] == 0) continue;
    report.missing.push_back(std::string(kPerfKinds[i].name) + ": " +
                             std::generic_category().message(errors[i]));
  }
  return report;
}

}  // namespace internal

void CountPerf(bool on) {
  (void)internal::Runtime::Get();
  // relaxed - see perf_on.
  internal::perf_on.store(on, std::memory_order_relaxed);
}

PerfReport ReadPerf() { return internal::Runtime::Get().ReadPerf(); }

std::string ToString(const PerfCounts& counts) {
  std::string text;
  for (const auto& kind : internal::kPerfKinds) {
    const auto& value = counts.*kind.member;
    if (!value.has_value()) continue;
    if (!text.empty()) text += ", ";
    text += std::string(kind.name) + " ";
    text += kind.member == &PerfCounts::task_clock ? std::to_string(*value / 1'000'000) + " ms"
                                                   : std::to_string(*value);
  }
  return text;
}

}  // namespace isolates
