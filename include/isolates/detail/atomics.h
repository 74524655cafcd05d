// The atomics that lock-free algorithms are templated on. Production uses std::atomic; the model
// checker puts its own in their place, so that it checks the production source.

#ifndef ISOLATES_DETAIL_ATOMICS_H_
#define ISOLATES_DETAIL_ATOMICS_H_

#include <atomic>

namespace isolates::internal {

struct StdAtomics {
  template <class T>
  using Atomic = std::atomic<T>;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_ATOMICS_H_
