// The atomics that lock-free algorithms are templated on. Production uses std::atomic; the model
// checker puts its own in their place, so that it checks the production source.

#ifndef ISOLATES_DETAIL_ATOMICS_H_
#define ISOLATES_DETAIL_ATOMICS_H_

#include <atomic>

namespace isolates::internal {

// The system has what ExecuteHeavyBarrier needs: membarrier(2), private expedited.
bool HasHeavyBarrier() noexcept;
// Executes a full memory barrier on all threads of the process, at some moment of the call, which
// takes about 1 microsecond. Only if HasHeavyBarrier().
void ExecuteHeavyBarrier() noexcept;

struct StdAtomics {
  template <class T>
  using Atomic = std::atomic<T>;

  // Asymmetric barriers: between a store and a later load of one thread the light one costs
  // nothing; a thread that executes the heavy one between its own store and load makes it a full
  // barrier. Not fences that a sanitizer would have to know: what is read is ordered by the
  // operations themselves.
  static void LightBarrier() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }
  static void HeavyBarrier() noexcept { ExecuteHeavyBarrier(); }
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_ATOMICS_H_
