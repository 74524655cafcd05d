#ifndef ISOLATES_SRC_TRANSFER_IMAGES_H_
#define ISOLATES_SRC_TRANSFER_IMAGES_H_

// The program and the libraries that are loaded: which of their memory is immutable, which is
// static, which is thread-local.
//
// The questions of an accepted walk (the first three) take no lock: they rest on a list that is
// made before main, and on the loader's own lock-free lookup for what came later. LoadedImages
// takes the loader's lock and is for reports.

#include <link.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "isolates/detail/main_heap.h"

namespace isolates::internal {

// True if [data, data + bytes) lies in memory that nobody can write to and that stays: segments
// without write permission, or made read-only after relocation (RELRO), of the images that were
// loaded when the program started. Images opened later can be closed again and do not count.
bool IsImmutableStatic(const void* data, std::size_t bytes) noexcept;

// True if the address lies in a loaded image (now).
bool IsInImage(const void* address) noexcept;

// True if the address is that of a thread_local of the calling thread or of the main thread, of an
// image that was loaded at start. (Those of other threads lie in the memory of their stacks.)
bool IsThreadLocal(const void* address) noexcept;

// Memory of the main heap that is wiped when it is given back: addresses of globals that a report
// leaves behind would be found by the audit in whatever is built there next.
template <class T>
class WipingAllocator : public MainAllocator<T> {
 public:
  template <class U>
  struct rebind {
    using other = WipingAllocator<U>;
  };

  WipingAllocator() noexcept = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) noexcept {}  // NOLINT: conversion is the interface

  void deallocate(T* block, std::size_t count) noexcept {
    std::memset(static_cast<void*>(block), 0, count * sizeof(T));
    MainAllocator<T>::deallocate(block, count);
  }
};
template <class T>
using WipedVector = std::vector<T, WipingAllocator<T>>;

struct AddressRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool Holds(std::uintptr_t address) const noexcept { return address >= begin && address < end; }
};

// A copy of what the loader knows of an image: it may be gone when it is read.
struct Image {
  std::string file;  // empty: the program itself
  std::uintptr_t base = 0;
  bool at_start = false;
  std::vector<ElfW(Phdr)> headers;
  std::vector<std::byte> notes;         // of its first PT_NOTE segment, which tells versions apart
  WipedVector<AddressRange> writable;   // by its segments; some of it may be immutable
  WipedVector<AddressRange> immutable;  // as long as the image is loaded
  AddressRange thread_locals;           // of the calling thread; empty: none, or not yet used
  // Where they begin in every thread, from its pthread_self(); only if at_start.
  std::ptrdiff_t thread_local_offset = 0;

  bool HoldsStatic(std::uintptr_t address) const noexcept;
  bool HoldsWritable(std::uintptr_t address) const noexcept;
};

WipedVector<Image> LoadedImages();

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_TRANSFER_IMAGES_H_
