#include "src/heap/trap.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "isolates/detail/check.h"
#include "isolates/detail/main_heap.h"
#include "src/heap/trap_handler.h"

namespace isolates::internal::trap {
namespace {

using Ranges = std::vector<AddressRange, MainAllocator<AddressRange>>;

constinit TrapTable table;
constinit std::mutex mutex;  // a leaf: writers of the table
// Any thread counts; no other memory depends on it.
constinit std::atomic<std::size_t> standing{0};

// How many guarded ranges touch a piece of the address space, or others of the same hash: the
// table is long, and IsGuarded is asked for each block of a graph.
class Filter {
 public:
  void Count(AddressRange range, std::uint32_t change) noexcept {
    for (std::uintptr_t piece = range.begin >> kShift; piece <= (range.end - 1) >> kShift;
         ++piece) {
      // relaxed - who may ask for an address knows it by a hand-over or by a program order that
      // comes after its guard's beginning, or must not use it; an answer cannot be newer than that.
      counts_[piece % counts_.size()].fetch_add(change, std::memory_order_relaxed);
    }
  }
  bool MayHold(std::uintptr_t address) const noexcept {
    return counts_[(address >> kShift) % counts_.size()].load(std::memory_order_relaxed) != 0;
  }

 private:
  static constexpr unsigned kShift = 16;  // mimalloc's pages are multiples of 64 KB

  std::array<std::atomic<std::uint32_t>, 1U << 14> counts_{};
};

constinit Filter filter;

std::uintptr_t PageSize() noexcept {
  static const auto size = static_cast<std::uintptr_t>(getpagesize());
  return size;
}
void* Start(AddressRange range) noexcept {
  return reinterpret_cast<void*>(range.begin);  // NOLINT: an address
}
std::size_t Length(AddressRange range) noexcept { return range.end - range.begin; }

// The system's pages that hold blocks of the heap, joined where they touch. None: there is no
// memory for the list.
Ranges PagesOf(backend::RawHeap* heap) noexcept {
  struct Listed {
    Ranges ranges;
    bool complete = true;
  } listed;
  backend::VisitAreas(
      heap,
      [](const void* begin, std::size_t bytes, void* target) {
        const auto at = reinterpret_cast<std::uintptr_t>(begin);
        auto& list = *static_cast<Listed*>(target);
        if (bytes == 0) {
          return;
        }
        try {  // no exception may pass through the allocator
          list.ranges.push_back({at / PageSize() * PageSize(),
                                 (at + bytes + PageSize() - 1) / PageSize() * PageSize()});
        } catch (const std::bad_alloc&) {
          list.complete = false;
        }
      },
      &listed);
  if (!listed.complete) {
    return {};
  }
  Ranges ranges = std::move(listed.ranges);
  std::sort(ranges.begin(), ranges.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.begin < b.begin; });
  std::size_t kept = 0;
  for (const AddressRange& range : ranges) {
    if (kept > 0 && range.begin <= ranges[kept - 1].end) {
      ranges[kept - 1].end = std::max(ranges[kept - 1].end, range.end);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept, AddressRange{});
  return ranges;
}

}  // namespace

Guard* Protect(backend::RawHeap* heap, TrapKind kind, std::string_view text) noexcept {
  const Ranges ranges = PagesOf(heap);
  if (ranges.empty()) {
    return nullptr;
  }
  InstallTrapHandler(&table);
  const std::lock_guard lock(mutex);
  Guard* const guard = table.Add(kind, text);
  if (guard == nullptr) {
    return nullptr;
  }
  for (const AddressRange& range : ranges) {
    // A range that the system refuses is listed and accessible, which does no harm.
    if (!table.Extend(guard, range)) {
      break;
    }
    filter.Count(range, 1);
    if (mprotect(Start(range), Length(range), PROT_NONE) != 0) {
      break;
    }
  }
  standing.fetch_add(1, std::memory_order_relaxed);
  return guard;
}

void Unprotect(Guard* guard) noexcept {
  const std::lock_guard lock(mutex);
  table.ForEachRange(guard, [](AddressRange range) {
    ISOLATES_CHECK(mprotect(Start(range), Length(range), PROT_READ | PROT_WRITE) == 0,
                   "the pages of a parcel cannot be made accessible (vm.max_map_count?)");
    filter.Count(range, static_cast<std::uint32_t>(-1));
  });
  table.End(guard);
  standing.fetch_sub(1, std::memory_order_relaxed);
}

bool IsGuarded(const void* address) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  if (!filter.MayHold(at)) {
    return false;
  }
  TrapTable::Found found;
  table.Find(at, &found);
  return found.any && found.stands;
}

std::size_t Bytes(const Guard* guard) noexcept {
  const std::lock_guard lock(mutex);
  std::size_t bytes = 0;
  table.ForEachRange(guard, [&bytes](AddressRange range) { bytes += Length(range); });
  return bytes;
}

void Discard(backend::RawHeap* heap) noexcept {
  backend::VisitAreas(
      heap,
      [](const void* begin, std::size_t bytes, void*) {
        // Only what holds nothing but blocks.
        const auto at = reinterpret_cast<std::uintptr_t>(begin);
        const AddressRange range{(at + PageSize() - 1) / PageSize() * PageSize(),
                                 (at + bytes) / PageSize() * PageSize()};
        if (range.begin < range.end) {
          // Refused for locked memory: then it stays for a while.
          madvise(Start(range), Length(range), MADV_DONTNEED);
        }
      },
      nullptr);
}

std::size_t Standing() noexcept { return standing.load(std::memory_order_relaxed); }

}  // namespace isolates::internal::trap
