#ifndef ISOLATES_SRC_HEAP_QUARANTINE_H_
#define ISOLATES_SRC_HEAP_QUARANTINE_H_

#include <array>
#include <cstddef>
#include <mutex>

#include "isolates/detail/heap.h"
#include "src/heap/trap.h"

namespace isolates::internal {

// Checked builds: heaps that were dropped keep their addresses, guarded, until others have followed
// them. Bounded in number and in address space; their memory has been given back. Any thread.
class Quarantine {
 public:
  static constexpr std::size_t kHeaps = 64;
  static constexpr std::size_t kBytes = std::size_t{1} << 30;

  struct Entry {
    Heap* heap = nullptr;
    trap::Guard* guard = nullptr;
    std::size_t bytes = 0;
  };

  constexpr Quarantine() noexcept = default;

  // Takes the heap in and calls leave(entry) for those that have to go for it, the oldest first,
  // under the mutex: at most this one itself.
  template <class Leave>
  void Push(const Entry& entry, Leave leave) noexcept {
    const std::lock_guard lock(mutex_);
    entries_[(first_ + count_) % entries_.size()] = entry;
    ++count_;
    bytes_ += entry.bytes;
    while (count_ > kHeaps || bytes_ > kBytes) {
      const Entry oldest = entries_[first_];
      first_ = (first_ + 1) % entries_.size();
      --count_;
      bytes_ -= oldest.bytes;
      leave(oldest);
    }
  }

 private:
  std::mutex mutex_;
  std::array<Entry, kHeaps + 1> entries_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_HEAP_QUARANTINE_H_
