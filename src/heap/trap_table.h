#ifndef ISOLATES_SRC_HEAP_TRAP_TABLE_H_
#define ISOLATES_SRC_HEAP_TRAP_TABLE_H_

// Which address ranges are guarded, and what to say about each: written in ordinary code, read in a
// signal handler.
//
// A guard has a place (its number, whether it stands, its text) and any number of ranges.
//
//   operation      who may call                                      progress
//   Add, Extend,   one thread at a time (the mutex of trap.cc)       bounded
//   End
//   Find           any thread at any moment, also in a handler that  wait-free
//                  interrupted one of the above
//
// Rules
//   T1. A guard is complete before its pages become inaccessible, and ends after they are
//   accessible
//       again: a thread that faults in a page that is guarded finds the guard.
//   T2. Places and ranges are never freed. One that has ended is taken for another guard as late as
//       possible, the oldest first: who faults while the pages become accessible is told, too.
//   T3. Each place and each range carries the number of its guard, which is never used twice. It is
//       cleared before the rest changes and set after: a reader that finds the same number before
//       and after the rest has read one guard's words, not a mixture.
// Not promised: an answer for a guard that has ended and whose place was taken.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace isolates::internal {

enum class TrapKind : std::uint8_t { kHandOver, kDrop };

// In one page each or more; ends are excluded.
struct AddressRange {
  std::uintptr_t begin;
  std::uintptr_t end;
};

class TrapTable {
 public:
  static constexpr std::size_t kTextBytes = 384;
  using Text = std::array<char, kTextBytes>;

  // Each range may split two of the system's mappings, of which a process has 65,530.
  static constexpr std::size_t kPlaces = 2048;
  static constexpr std::size_t kRanges = 8192;

  struct Found {
    bool any = false;
    bool stands = false;
    TrapKind kind = TrapKind::kHandOver;
    Text text{};  // ends with a zero
  };

  constexpr TrapTable() noexcept = default;

  // A new guard without ranges; nullptr if all places are taken. What does not fit is cut off.
  struct Place;
  Place* Add(TrapKind kind, std::string_view text) noexcept;
  // False if all ranges are taken.
  bool Extend(Place* place, AddressRange range) noexcept;
  // Calls visit(range) for each range of the guard.
  template <class Visit>
  void ForEachRange(const Place* place, Visit visit) const;
  void End(Place* place) noexcept;

  // The guard over this address: one that stands or, if there is none, the last that did.
  void Find(std::uintptr_t address, Found* found) const noexcept;

  struct Place {
    // Readers and the writer.
    std::atomic<std::uint64_t> number{0};  // 0: being changed, or never used
    std::atomic<bool> stands{false};
    std::atomic<TrapKind> kind{TrapKind::kHandOver};
    std::array<std::atomic<std::uint64_t>, kTextBytes / sizeof(std::uint64_t)> text{};
    // The writer.
    std::uint32_t first_range = 0;  // index + 1
    std::uint32_t next_free = 0;    // index + 1
  };

 private:
  struct Range {
    // Readers and the writer.
    std::atomic<std::uint64_t> number{0};  // as Place::number
    std::atomic<std::uintptr_t> begin{0};
    std::atomic<std::uintptr_t> end{0};
    std::atomic<std::uint32_t> place{0};  // index
    // The writer.
    std::uint32_t next = 0;  // index + 1: of the same guard, or of the queue of free ones
  };
  // Free entries in the order in which they became free; entries never used come first.
  struct FreeQueue {
    std::uint32_t used = 0;  // so many entries were ever used
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };

  static void Read(const Place& place, std::uint64_t number, Found* found) noexcept;

  std::array<Place, kPlaces> places_{};
  std::array<Range, kRanges> ranges_{};
  // The writer's count; readers look at no range beyond it.
  std::atomic<std::uint32_t> ranges_used_{0};
  std::uint64_t last_number_ = 0;  // the writer
  FreeQueue free_places_;          // the writer
  FreeQueue free_ranges_;          // the writer
};

template <class Visit>
void TrapTable::ForEachRange(const Place* place, Visit visit) const {
  for (std::uint32_t at = place->first_range; at != 0; at = ranges_[at - 1].next) {
    const Range& range = ranges_[at - 1];
    // relaxed - written by this thread or under the same mutex.
    visit(AddressRange{range.begin.load(std::memory_order_relaxed),
                       range.end.load(std::memory_order_relaxed)});
  }
}

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_HEAP_TRAP_TABLE_H_
