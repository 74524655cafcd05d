// The linker puts __wrap_f in the place of f in the objects of the program (BUILD), and f in that
// of
// __real_f. `new` is replaced as the standard allows; it ends in the same allocator, in the heap
// that is the thread's default.

#include "benchmarks/support/allocations.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace isolates::bench {
namespace {

// A line for each thread, as long as there are few.
struct alignas(64) Slot {
  std::atomic<std::uint64_t> count{0};
};
constexpr std::size_t kSlots = 64;
constinit std::array<Slot, kSlots> slots{};
constinit std::atomic<std::size_t> threads{0};
constinit thread_local Slot* own = nullptr;

// relaxed, all - counters; nothing is published by them.
Slot& Own() noexcept {
  if (own == nullptr) own = &slots[threads.fetch_add(1, std::memory_order_relaxed) % kSlots];
  return *own;
}
void CountOne() noexcept { Own().count.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

std::uint64_t Allocations() {
  std::uint64_t all = 0;
  for (const Slot& slot : slots) all += slot.count.load(std::memory_order_relaxed);  // relaxed
  return all;
}

std::uint64_t OwnAllocations() {
  return Own().count.load(std::memory_order_relaxed);  // relaxed - a counter
}

}  // namespace isolates::bench

using isolates::bench::CountOne;

// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming): the linker's names
extern "C" {
void* __real_malloc(std::size_t bytes);
void* __real_aligned_alloc(std::size_t alignment, std::size_t bytes);
// mimalloc's, by which the library allocates for itself. Weak: with plain malloc they are not
// there.
void* __real_mi_theap_malloc(void* theap, std::size_t bytes) __attribute__((weak));
void* __real_mi_theap_malloc_aligned(void* theap, std::size_t bytes, std::size_t alignment)
    __attribute__((weak));

void* __wrap_malloc(std::size_t bytes);
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes);
void* __wrap_mi_theap_malloc(void* theap, std::size_t bytes);
void* __wrap_mi_theap_malloc_aligned(void* theap, std::size_t bytes, std::size_t alignment);

void* __wrap_malloc(std::size_t bytes) {
  CountOne();
  return __real_malloc(bytes);
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  CountOne();
  return __real_aligned_alloc(alignment, bytes);
}
void* __wrap_mi_theap_malloc(void* theap, std::size_t bytes) {
  CountOne();
  return __real_mi_theap_malloc(theap, bytes);
}
void* __wrap_mi_theap_malloc_aligned(void* theap, std::size_t bytes, std::size_t alignment) {
  CountOne();
  return __real_mi_theap_malloc_aligned(theap, bytes, alignment);
}
}
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

void* operator new(std::size_t bytes) {
  CountOne();
  if (void* const block = __real_malloc(bytes == 0 ? 1 : bytes)) return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  CountOne();
  const auto align = static_cast<std::size_t>(alignment);
  const std::size_t whole = (bytes + align - 1) / align * align;
  if (void* const block = __real_aligned_alloc(align, whole == 0 ? align : whole)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
