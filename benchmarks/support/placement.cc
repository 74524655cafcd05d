#include "benchmarks/support/placement.h"

#include <pthread.h>
#include <sched.h>

namespace isolates::bench {
namespace {

void PinTo(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

std::vector<int> FindAllowedCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

// Before main, hence before anything is pinned.
const std::vector<int> allowed_at_start = FindAllowedCpus();

}  // namespace

std::optional<Placement> ParsePlacement(std::string_view text) {
  for (const Placement placement : {Placement::kSame, Placement::kCross, Placement::kFree}) {
    if (text == ToString(placement)) return placement;
  }
  return std::nullopt;
}

std::string_view ToString(Placement placement) {
  switch (placement) {
    case Placement::kSame:
      return "same";
    case Placement::kCross:
      return "cross";
    case Placement::kFree:
      return "free";
  }
  return "";
}

const std::vector<int>& AllowedCpus() { return allowed_at_start; }

std::optional<CpuPair> TwoCpus() {
  if (AllowedCpus().size() < 2) return std::nullopt;
  return CpuPair{AllowedCpus()[0], AllowedCpus()[1]};
}

void RestrictProcess(Placement placement) {
  if (placement == Placement::kSame) PinTo(AllowedCpus().front());
}

PinnedHere::PinnedHere(int cpu) {
  CPU_ZERO(&before_);
  pthread_getaffinity_np(pthread_self(), sizeof(before_), &before_);
  PinTo(cpu);
}
PinnedHere::~PinnedHere() { pthread_setaffinity_np(pthread_self(), sizeof(before_), &before_); }

}  // namespace isolates::bench
