#include "src/heap/heap_registry.h"

#include "isolates/detail/check.h"

namespace isolates::internal {
namespace {

template <class Node>
Node* Child(std::atomic<Node*>& slot) {
  // relaxed - writers exclude each other by the list mutex.
  Node* node = slot.load(std::memory_order_relaxed);
  if (node == nullptr) {
    node = new Node;
    // release - pairs with the acquire in Find: the cleared slots.
    slot.store(node, std::memory_order_release);
  }
  return node;
}

}  // namespace

void HeapRegistry::Insert(const backend::RawHeap* raw, Heap* heap) {
  const std::uintptr_t key = Key(raw);
  ISOLATES_CHECK(key >> (kRootBits + 2 * kLevelBits) == 0,
                 "a heap object lies beyond the 48-bit address space");
  Leaf* const leaf = Child(Child(root_[Index(key, 2)])->slots[Index(key, 1)]);
  std::atomic<Heap*>& slot = leaf->slots[Index(key, 0)];
  ISOLATES_CHECK(slot.load(std::memory_order_relaxed) == nullptr,  // under the list mutex
                 "two heaps of the allocator lie within one kilobyte (rule R3)");
  // release - pairs with the acquire in Find: the Heap's fields.
  slot.store(heap, std::memory_order_release);
}

void HeapRegistry::Erase(const backend::RawHeap* raw) noexcept {
  const std::uintptr_t key = Key(raw);
  // relaxed - R2: nobody asks for this heap any more; the next Insert publishes anew.
  root_[Index(key, 2)]
      .load(std::memory_order_relaxed)
      ->slots[Index(key, 1)]
      .load(std::memory_order_relaxed)
      ->slots[Index(key, 0)]
      .store(nullptr, std::memory_order_relaxed);
}

}  // namespace isolates::internal
