// Allocations of the library that fail on demand: what happens then is tested for each of them. In
// checked builds only; in others nothing of this is left.

#ifndef ISOLATES_SRC_HEAP_ALLOCATION_FAULTS_H_
#define ISOLATES_SRC_HEAP_ALLOCATION_FAULTS_H_

#include <atomic>
#include <cstdint>
#include <new>

#include "isolates/detail/check.h"

namespace isolates::internal {

class AllocationFaults {
 public:
  // From now on the allocations are counted, from 1; number `first` fails, and the `count` - 1
  // after it. Any thread; allocations of others meanwhile belong to either count.
  static void Arm(std::uint64_t first, std::uint64_t count = 1) noexcept {
    // relaxed - threads whose allocations are to fail are started, or woken, afterwards.
    first_.store(first, std::memory_order_relaxed);
    end_.store(first + count, std::memory_order_relaxed);
    seen_.store(0, std::memory_order_relaxed);
  }
  static void Disarm() noexcept {
    end_.store(0, std::memory_order_relaxed);  // relaxed - see Arm
  }
  // Allocations since Arm.
  static std::uint64_t seen() noexcept {
    return seen_.load(std::memory_order_relaxed);  // relaxed - a counter
  }

  // Every allocation of the library calls it first. Throws std::bad_alloc.
  static void Check() {
    if constexpr (kCheckedBuild) {
      // relaxed - see Arm.
      if (end_.load(std::memory_order_relaxed) == 0 || exempt_ > 0) return;
      const std::uint64_t number = seen_.fetch_add(1, std::memory_order_relaxed) + 1;
      if (number >= first_.load(std::memory_order_relaxed) &&
          number < end_.load(std::memory_order_relaxed)) {
        throw std::bad_alloc();
      }
    }
  }

  // While it lives, allocations of the calling thread succeed and are not counted.
  class Exempt {
   public:
    Exempt() noexcept {
      if constexpr (kCheckedBuild) ++exempt_;
    }
    ~Exempt() {
      if constexpr (kCheckedBuild) --exempt_;
    }
    Exempt(const Exempt&) = delete;
    Exempt& operator=(const Exempt&) = delete;
  };

 private:
  static inline constinit std::atomic<std::uint64_t> first_{0};
  static inline constinit std::atomic<std::uint64_t> end_{0};  // 0: none fails
  static inline constinit std::atomic<std::uint64_t> seen_{0};
  static inline constinit thread_local int exempt_ = 0;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_HEAP_ALLOCATION_FAULTS_H_
