#include "isolates/idle_strategy.h"

#include <algorithm>

#include "isolates/detail/heap.h"
#include "isolates/error.h"

namespace isolates {
namespace {

class BusySpinStrategy final : public IdleStrategy {
 public:
  Step Next(const Memory&, Duration, bool crowded) const noexcept override {
    return {crowded ? Step::Kind::kYield : Step::Kind::kLook};
  }
};

class BackOffStrategy final : public IdleStrategy {
 public:
  BackOffStrategy(Duration spin, Duration longest_sleep)
      : spin_(spin), longest_sleep_(longest_sleep) {}

  Step Next(const Memory&, Duration waited, bool crowded) const noexcept override {
    if (waited < spin_ && !crowded) return {};
    if (waited < 2 * spin_) return {Step::Kind::kYield};
    // Sleeping as long as was slept so far doubles each sleep.
    const Duration slept = waited - 2 * spin_;
    return {Step::Kind::kSleep, std::clamp(slept, kFirstSleep, longest_sleep_)};
  }

 private:
  static constexpr Duration kFirstSleep = std::chrono::microseconds(1);
  const Duration spin_;
  const Duration longest_sleep_;
};

// After the adaptive windows of hypervisors (Linux's haltpoll governor): grow fast, shrink slowly.
class SpinThenParkStrategy final : public IdleStrategy {
 public:
  SpinThenParkStrategy(Duration longest, Duration shortest)
      : longest_(longest), shortest_(shortest) {}

  Step Next(const Memory& memory, Duration waited, bool crowded) const noexcept override {
    if (waited < Window(memory) && !crowded) return {};
    return {Step::Kind::kSleep};
  }

  void Learn(Memory& memory, Duration waited) const noexcept override {
    const Duration window = Window(memory);
    if (waited <= window) {
      memory.window = window;
    } else if (waited <= longest_) {
      memory.window = std::min(longest_, std::max(2 * window, waited));
    } else {
      memory.window = std::max(shortest_, window - window / 8);
    }
  }

 private:
  Duration Window(const Memory& memory) const noexcept {
    if (memory.window < Duration::zero()) return longest_;
    return std::clamp(memory.window, shortest_, longest_);
  }

  const Duration longest_;
  const Duration shortest_;
};

class ParkStrategy final : public IdleStrategy {
 public:
  Step Next(const Memory&, Duration, bool) const noexcept override { return {Step::Kind::kSleep}; }
};

}  // namespace

void IdleStrategy::Learn(Memory&, Duration) const noexcept {}

// The objects lie in the main heap: they outlive the isolate that asks for them.

std::shared_ptr<const IdleStrategy> BusySpin() {
  const internal::MainHeapScope main_heap;
  return std::make_shared<BusySpinStrategy>();
}

std::shared_ptr<const IdleStrategy> BackOff(Duration spin, Duration longest_sleep) {
  if (spin < Duration::zero() || longest_sleep < std::chrono::microseconds(1)) {
    throw StateError("BackOff needs a spin of at least 0 and a longest sleep of at least 1 us");
  }
  const internal::MainHeapScope main_heap;
  return std::make_shared<BackOffStrategy>(spin, longest_sleep);
}

std::shared_ptr<const IdleStrategy> SpinThenPark(Duration longest, Duration shortest) {
  if (shortest < Duration::zero() || longest < shortest) {
    throw StateError("SpinThenPark needs 0 <= shortest <= longest");
  }
  const internal::MainHeapScope main_heap;
  return std::make_shared<SpinThenParkStrategy>(longest, shortest);
}

std::shared_ptr<const IdleStrategy> Park() {
  const internal::MainHeapScope main_heap;
  return std::make_shared<ParkStrategy>();
}

}  // namespace isolates
