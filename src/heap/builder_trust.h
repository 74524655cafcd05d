#ifndef ISOLATES_SRC_HEAP_BUILDER_TRUST_H_
#define ISOLATES_SRC_HEAP_BUILDER_TRUST_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "isolates/detail/main_heap.h"

namespace isolates::internal {

// Which kinds of parcels deserve a fresh heap (rule H3). For the whole process: workers come and
// go, and a distrust that ended with its worker would let the number of heaps grow without end. Any
// thread; a mutex beside the microseconds that a heap costs.
class BuilderTrust {
 public:
  constexpr BuilderTrust() noexcept = default;

  // True if the next parcel of `builder` may have a fresh heap; else one turn of its distrust is
  // over.
  bool MayHaveFresh(std::uintptr_t builder);
  // A fresh heap had to be retired.
  void NoteFailure(std::uintptr_t builder) noexcept;
  // As if nothing of it had ever failed.
  void Forgive(std::uintptr_t builder) noexcept;

 private:
  struct State {
    unsigned failures = 0;   // not yet forgiven
    std::uint64_t skip = 0;  // so many parcels more use pooled heaps
  };
  // Only builders with failures; as many as a program has kinds of parcels.
  using States =
      std::unordered_map<std::uintptr_t, State, std::hash<std::uintptr_t>, std::equal_to<>,
                         MainAllocator<std::pair<const std::uintptr_t, State>>>;

  std::mutex mutex_;
  States* states_ = nullptr;  // made at the first failure, never freed
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_HEAP_BUILDER_TRUST_H_
