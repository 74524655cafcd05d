#ifndef ISOLATES_DETAIL_MAIN_HEAP_H_
#define ISOLATES_DETAIL_MAIN_HEAP_H_

// Memory for the library's own objects. They never live in an isolate's heap (which may be dropped
// or handed on), so they name the main heap instead of using the thread's default.

#include <cstddef>
#include <limits>
#include <new>
#include <type_traits>

namespace isolates::internal {

// Allocates from the main heap, whatever the thread's default is. Throws std::bad_alloc.
[[nodiscard]] void* MainAllocate(std::size_t bytes, std::size_t align = alignof(std::max_align_t));
void MainFree(void* block) noexcept;

// Base of classes whose objects, made by `new`, live in the main heap.
struct MainHeapObject {
  static void* operator new(std::size_t bytes) { return MainAllocate(bytes); }
  static void* operator new(std::size_t bytes, std::align_val_t align) {
    return MainAllocate(bytes, static_cast<std::size_t>(align));
  }
  static void* operator new(std::size_t, void* place) noexcept { return place; }
  static void* operator new[](std::size_t bytes) { return MainAllocate(bytes); }
  static void* operator new[](std::size_t bytes, std::align_val_t align) {
    return MainAllocate(bytes, static_cast<std::size_t>(align));
  }
  static void operator delete(void* block) noexcept { MainFree(block); }
  static void operator delete(void* block, std::align_val_t) noexcept { MainFree(block); }
  static void operator delete(void*, void*) noexcept {}
  static void operator delete[](void* block) noexcept { MainFree(block); }
  static void operator delete[](void* block, std::align_val_t) noexcept { MainFree(block); }
};

// Standard allocator for the containers inside such objects.
template <class T>
class MainAllocator {
 public:
  using value_type = T;
  using is_always_equal = std::true_type;
  using propagate_on_container_move_assignment = std::true_type;

  MainAllocator() noexcept = default;
  template <class U>
  MainAllocator(const MainAllocator<U>&) noexcept {}  // NOLINT: conversion is the interface

  [[nodiscard]] T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      throw std::bad_array_new_length();
    }
    constexpr std::size_t kAlign =
        alignof(T) > alignof(std::max_align_t) ? alignof(T) : alignof(std::max_align_t);
    return static_cast<T*>(MainAllocate(count * sizeof(T), kAlign));
  }
  void deallocate(T* block, std::size_t) noexcept { MainFree(block); }

  template <class U>
  bool operator==(const MainAllocator<U>&) const noexcept {
    return true;
  }
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_MAIN_HEAP_H_
