// What the algorithms need to know of the processor.

#ifndef ISOLATES_DETAIL_CPU_H_
#define ISOLATES_DETAIL_CPU_H_

#include <cstddef>

namespace isolates::internal {

// std::hardware_destructive_interference_size may change with compiler flags and so must not appear
// in headers that several binaries share; 64 bytes is right for x86-64 and most of arm64.
inline constexpr std::size_t kCacheLine = 64;

// Tells the processor that this is a spin loop.
inline void CpuPause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

// Asks for a cache line that will be written soon. Any address; does nothing else.
inline void PrefetchForWriting(const void* address) noexcept {
#if defined(__x86_64__)
  // The builtin makes a prefetch for reading of it, unless the compiler may assume newer processors
  // than x86-64's first. Those that do not know the instruction ignore it.
  asm volatile("prefetchw %0" ::"m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, 1);
#endif
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_CPU_H_
