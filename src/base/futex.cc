#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <cstdint>

#include "isolates/detail/parker.h"

namespace isolates::internal {
namespace {

std::uint32_t* Address(std::atomic<std::uint32_t>& word) noexcept {
  static_assert(sizeof(word) == sizeof(std::uint32_t));
  return reinterpret_cast<std::uint32_t*>(&word);
}

}  // namespace

void SystemFutex::Wait(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       TimePoint deadline) {
  timespec until{};
  timespec* until_or_null = nullptr;
  if (deadline != TimePoint::max()) {
    // FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC, which std::chrono::steady_clock
    // is.
    const auto nanoseconds = deadline.time_since_epoch().count();
    until.tv_sec = nanoseconds > 0 ? nanoseconds / 1'000'000'000 : 0;
    until.tv_nsec = nanoseconds > 0 ? nanoseconds % 1'000'000'000 : 0;
    until_or_null = &until;
  }
  syscall(SYS_futex, Address(word), FUTEX_WAIT_BITSET_PRIVATE, expected, until_or_null, nullptr,
          FUTEX_BITSET_MATCH_ANY);
}

void SystemFutex::WakeOne(std::atomic<std::uint32_t>& word) noexcept {
  syscall(SYS_futex, Address(word), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void SystemFutex::WakeAll(std::atomic<std::uint32_t>& word) noexcept {
  syscall(SYS_futex, Address(word), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

bool SystemFutex::Expired(TimePoint deadline) noexcept {
  return deadline != TimePoint::max() && std::chrono::steady_clock::now() >= deadline;
}

}  // namespace isolates::internal
