#ifndef ISOLATES_HEAP_H_
#define ISOLATES_HEAP_H_

// What a program may ask about the heaps of its isolates. The heaps themselves are internal: an
// isolate's heap is the default of its thread while it runs, so ordinary `new` builds in it.

#include <cstddef>
#include <string>

namespace isolates {

// The allocator that this program was linked with.
enum class Allocator {
  kMimalloc,  // one heap for each isolate, parcels can be dropped as a whole
  kMalloc,    // plain malloc: same behaviour by moves and destructors, no heaps (for sanitizers)
};

// The allocator in use. Any thread.
Allocator allocator() noexcept;

// Heaps of the process, and what became of them.
struct HeapCounters {
  std::size_t created = 0;         // heaps made since the start of the process
  std::size_t destroyed = 0;       // parcel heaps dropped as a whole
  std::size_t live = 0;            // created - destroyed
  std::size_t pooled_idle = 0;     // heaps in the common pool (not those that workers keep ready)
  std::size_t parcels_fresh = 0;   // parcels that got a heap of their own
  std::size_t parcels_pooled = 0;  // parcels that had to use a pooled heap: not droppable
  std::size_t guests = 0;          // isolates that got a heap in use because of the limit
};

// The counters now. Any thread.
HeapCounters heap_counters() noexcept;

// The allocator and the settings that it took from the environment.
struct AllocatorReport {
  std::string version;                  // "mimalloc 3.6.1" or "malloc"
  bool thp_allowed = false;             // transparent huge pages: MIMALLOC_ALLOW_THP
  std::size_t arena_reserve_bytes = 0;  // MIMALLOC_ARENA_RESERVE
  std::size_t heap_limit = 0;           // see SetHeapLimit
};

// What is in force. Any thread.
AllocatorReport allocator_report();

// The limit unless SetHeapLimit is called.
inline constexpr std::size_t kDefaultHeapLimit = 1024;
// The highest limit that may be set.
inline constexpr std::size_t kMaxHeapLimit = 16384;

// Sets how many heaps may live at a time (clamped to [1, kMaxHeapLimit]). Past the limit isolates
// share the heaps that exist, which costs them nothing but the separation of their memory, and
// parcels are built in pooled heaps, which makes them not droppable as a whole.
void SetHeapLimit(std::size_t heaps) noexcept;

}  // namespace isolates

#endif  // ISOLATES_HEAP_H_
