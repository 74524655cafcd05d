#ifndef ISOLATES_SRC_HEAP_HEAP_REGISTRY_H_
#define ISOLATES_SRC_HEAP_HEAP_REGISTRY_H_

// From the allocator's heap to ours: a radix tree over the address of the allocator's heap object,
// because the verification pass asks for every owned block and must take no lock.
//
// Roles: any thread reads (Find); Insert and Erase run under the mutex of HeapBook's list.
// R1. A node, once linked, is never removed or freed: a reader can always walk on.
// R2. Find is asked only for heaps of live blocks that the asker owns. Such a heap's entry was
//     inserted before its first block existed and is erased after the last one is gone, so the
//     asker's ownership of the block orders Insert before Find before Erase.
// R3. Two heap objects never share a slot: they are larger than kGrain (checked in Insert).
// Not promised: an answer for an address whose heap may be destroyed meanwhile.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "isolates/detail/heap.h"
#include "isolates/detail/main_heap.h"

namespace isolates::internal {

class HeapRegistry {
 public:
  constexpr HeapRegistry() noexcept = default;

  void Insert(const backend::RawHeap* raw, Heap* heap);
  void Erase(const backend::RawHeap* raw) noexcept;

  Heap* Find(const backend::RawHeap* raw) const noexcept {
    const std::uintptr_t key = Key(raw);
    // acquire - pairs with the release in Child: the node's cleared slots are visible.
    const Middle* const middle = root_[Index(key, 2)].load(std::memory_order_acquire);
    if (middle == nullptr) {
      return nullptr;
    }
    const Leaf* const leaf = middle->slots[Index(key, 1)].load(std::memory_order_acquire);
    if (leaf == nullptr) {
      return nullptr;
    }
    // acquire - pairs with the release in Insert: the Heap's fields are visible.
    return leaf->slots[Index(key, 0)].load(std::memory_order_acquire);
  }

 private:
  static constexpr unsigned kGrainBits = 10;
  static constexpr unsigned kLevelBits = 12;
  static constexpr unsigned kRootBits = 14;  // 10 + 12 + 12 + 14 = 48 bits of address
  static constexpr std::size_t kFan = std::size_t{1} << kLevelBits;

  struct Leaf : MainHeapObject {
    std::array<std::atomic<Heap*>, kFan> slots{};
  };
  struct Middle : MainHeapObject {
    std::array<std::atomic<Leaf*>, kFan> slots{};
  };

  static std::uintptr_t Key(const backend::RawHeap* raw) noexcept {
    return reinterpret_cast<std::uintptr_t>(raw) >> kGrainBits;
  }
  static std::size_t Index(std::uintptr_t key, unsigned level) noexcept {
    const std::uintptr_t part = key >> (level * kLevelBits);
    return level == 2 ? part & ((std::size_t{1} << kRootBits) - 1) : part & (kFan - 1);
  }

  std::array<std::atomic<Middle*>, std::size_t{1} << kRootBits> root_{};
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_HEAP_HEAP_REGISTRY_H_
