#ifndef ISOLATES_TESTS_FUZZ_WORKER_H_
#define ISOLATES_TESTS_FUZZ_WORKER_H_

// The surroundings of the graphs that one thread builds: heaps of its own and of strangers, and
// memory of every kind to which a plant can lead.

#include <array>
#include <cstddef>
#include <memory>
#include <memory_resource>

#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"
#include "tests/fuzz/random.h"

namespace isolates::fuzz {

inline constexpr std::size_t kRegionBytes = 4096;

struct Region {
  const std::byte* data = nullptr;
  std::size_t bytes = 0;
};

// Where a plant leads.
enum class Stray : unsigned char {
  kOwnStack,
  kOtherStack,
  kWritableStatic,
  kThreadLocal,
  kOwnHeap,      // a block of the graph's heap that the graph does not own
  kMainHeap,     // the same in the main heap
  kForeignHeap,  // the same in the unshared heap of another isolate
  kFreed,        // a block that was given back
  kBeyondEnd,    // begins in a block of the graph and ends behind it
  kRoot,         // bytes of a message that the hand-over moves
  kCount,
};
const char* NameOf(Stray stray);

// Constants that anything may lead to.
Region ImmutableStatic();

// True if blocks and other memory, and blocks of different heaps, are told apart.
bool HeapsAreKnown();
bool BlocksAreKnown();

// On the stack of the thread that uses it.
class Worker {
 public:
  Worker();
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  internal::Heap* own_heap() { return own_; }
  // Unshared: what it holds cannot be sent by others.
  internal::Heap* foreign_heap() { return foreign_; }
  // Shared: a former message.
  internal::Heap* received_heap() { return received_; }
  internal::WorkerHeaps& heaps() { return heaps_; }
  std::pmr::monotonic_buffer_resource& arena() { return arena_; }

  // Memory for kOwnStack to kFreed.
  Region RegionOf(Stray stray);

  // Nothing but the worker's own blocks is left in its heaps.
  bool OwnHeapIsEmpty() const;
  bool OtherHeapsAreEmpty() const;
  // Blocks that a graph has in the heap of the former message.
  std::size_t ReceivedBlocks() const;

 private:
  internal::WorkerHeaps heaps_;
  internal::Heap* own_;
  internal::Heap* foreign_;
  internal::Heap* received_;
  std::byte* own_block_;
  std::byte* main_block_;
  std::byte* foreign_block_;
  alignas(64) std::array<std::byte, kRegionBytes> stack_{};
  alignas(64) std::array<std::byte, kRegionBytes> arena_bytes_{};
  std::pmr::monotonic_buffer_resource arena_;
  std::size_t own_baseline_ = 0;
  std::size_t foreign_baseline_ = 0;
  std::size_t received_baseline_ = 0;
};

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_WORKER_H_
