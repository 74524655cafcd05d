// With plain malloc, what `new` allocates fails on demand, too: coroutine frames, texts, the
// scenario's own objects. (mimalloc's `new` may not be replaced: there, only what the library
// allocates by itself fails.)

#include <cstdlib>
#include <new>

#include "src/heap/allocation_faults.h"

void* operator new(std::size_t bytes) {
  isolates::internal::AllocationFaults::Check();
  if (void* const block = std::malloc(bytes)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
