#include "isolates/detail/stats_clock.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace isolates::internal {

constinit std::atomic<const StatsScale*> stats_scale{nullptr};

namespace {

// The scale is measured over the time since the first call: after 20 ms, a second, a minute, and
// then each hour, for the system's clock is steered. Each has a place of its own, so that readers
// need no lock; after the last one it stays.
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::array<std::uint64_t, 3> kFirstStages = {kSecond / 50, kSecond, 60 * kSecond};
constexpr std::uint64_t kHour = 3600 * kSecond;
constexpr std::size_t kStages = 1024;

std::uint64_t StageAt(std::size_t stage) noexcept {
  if (stage < kFirstStages.size()) return kFirstStages[stage];
  return (stage - kFirstStages.size() + 1) * kHour;
}

struct Pair {
  std::uint64_t ticks = 0;
  std::uint64_t time = 0;
};

std::uint64_t SteadyNow() noexcept {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// Both at one moment: the closest of some tries.
Pair ReadPair() noexcept {
  Pair best;
  std::uint64_t closest = std::numeric_limits<std::uint64_t>::max();
  for (int i = 0; i < 5; ++i) {
    const std::uint64_t before = ReadTicks();
    const std::uint64_t time = SteadyNow();
    const std::uint64_t after = ReadTicks();
    if (after - before >= closest) continue;
    closest = after - before;
    best = {before + closest / 2, time};
  }
  return best;
}

struct Measuring {
  // acquire and release - one after the other measures. What follows is guarded by it.
  std::atomic_flag busy = ATOMIC_FLAG_INIT;
  Pair begin;
  Pair last;
  std::size_t stage = 0;
  std::array<StatsScale, kStages> scales;
};
constinit Measuring measuring;

// `time`: about now.
void Measure(std::uint64_t time) noexcept {
  Measuring& m = measuring;
  if (m.stage == kStages) return;
  if (m.begin.time == 0) {
    m.begin = m.last = ReadPair();
    return;
  }
  if (time - m.begin.time < StageAt(m.stage)) return;
  const Pair now = ReadPair();
  // Later ones over the time since the one before: the clock may have been steered otherwise.
  const Pair from = m.stage <= kFirstStages.size() ? m.begin : m.last;
  if (now.ticks <= from.ticks || now.time <= from.time) return;
  __extension__ using Wide = unsigned __int128;
  StatsScale& scale = m.scales[m.stage];
  scale.ticks = now.ticks;
  scale.time = now.time;
  scale.nanoseconds_by_tick =
      static_cast<std::uint64_t>((Wide{now.time - from.time} << 32) / (now.ticks - from.ticks));
  ++m.stage;
  scale.good_for = std::numeric_limits<std::uint64_t>::max();
  if (m.stage < kStages) {
    const std::uint64_t next = StageAt(m.stage) - (now.time - m.begin.time);
    scale.good_for =
        static_cast<std::uint64_t>((Wide{next} << 32) / (scale.nanoseconds_by_tick + 1));
  }
  m.last = now;
  // release - pairs with StatsNow.
  stats_scale.store(&scale, std::memory_order_release);
}

bool SystemGoesByTicks() noexcept {
  const int file = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                        O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  std::array<char, 8> text{};
  const ssize_t length = read(file, text.data(), text.size());
  close(file);
  return length >= 4 && std::string_view(text.data(), static_cast<std::size_t>(length)) == "tsc\n";
}

}  // namespace

bool HasEvenTicks() noexcept {
#if defined(__x86_64__)
  static const bool even = [] {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    constexpr unsigned kInvariant = 1U << 8;
    return __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) != 0 && (edx & kInvariant) != 0 &&
           SystemGoesByTicks();
  }();
  return even;
#else
  return false;
#endif
}

std::uint64_t StatsNowSlow() noexcept {
  // acquire - pairs with ConfigureRuntime.
  if (thread_clock != nullptr || program_clock.load(std::memory_order_acquire) != nullptr) {
    return static_cast<std::uint64_t>(WaitNow().time_since_epoch().count());
  }
  const std::uint64_t now = SteadyNow();
  // acquire - pairs with the release below.
  if (HasEvenTicks() && !measuring.busy.test_and_set(std::memory_order_acquire)) {
    Measure(now);
    measuring.busy.clear(std::memory_order_release);  // release - as above
  }
  return now;
}

}  // namespace isolates::internal
