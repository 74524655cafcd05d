#include "isolates/detail/census.h"

#include <sys/random.h>
#include <time.h>

#include <cstdint>

namespace isolates::internal {
namespace {

std::uint64_t RandomKey() noexcept {
  std::uint64_t key = 0;
  // Early in the boot there may be no entropy: then time and address layout have to do.
  if (getrandom(&key, sizeof(key), GRND_NONBLOCK) != static_cast<ssize_t>(sizeof(key))) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    key = CensusMix(
        reinterpret_cast<std::uintptr_t>(&key),
        static_cast<std::uint64_t>(now.tv_nsec) ^ (static_cast<std::uint64_t>(now.tv_sec) << 32));
  }
  return key;
}

}  // namespace

std::uint64_t CensusKey() noexcept {
  static const std::uint64_t key = RandomKey();
  return key;
}

}  // namespace isolates::internal
