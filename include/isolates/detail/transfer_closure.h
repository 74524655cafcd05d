#ifndef ISOLATES_DETAIL_TRANSFER_CLOSURE_H_
#define ISOLATES_DETAIL_TRANSFER_CLOSURE_H_

// Closures (rule V4). What a lambda captures cannot be asked for, so its bytes are looked through
// for words that lead into a stack, a live coroutine frame or an isolate object.
//
// For a trivially copyable closure this is exact: with the padding cleared, each of its words is a
// captured value. Other closures hold objects that point into themselves or keep stale bytes (short
// strings, empty containers): there a hit is a warning, and refuses only if the caller is strict.

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>

#include "isolates/detail/transfer_traits.h"

namespace isolates::internal {

struct HazardRange {
  const void* low;
  const void* high;
  const char* what;  // "a coroutine frame", "an isolate"
};

// Says what lives at the address ("a coroutine frame") or nullptr. Any thread, no lock.
using HazardLookup = const char* (*)(const void* address) noexcept;

// Installed by the room that knows coroutine frames and isolates.
void SetHazardLookup(HazardLookup lookup) noexcept;

template <class T>
void ScanClosure(const T& closure, Walker& walker) {
  alignas(T) unsigned char copy[sizeof(T)];
  std::memcpy(copy, static_cast<const void*>(std::addressof(closure)), sizeof(T));
#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
  // Padding holds whatever was on the stack before. (Without this builtin it may refuse falsely.)
  if constexpr (std::is_trivially_copyable_v<T>) {
    __builtin_clear_padding(reinterpret_cast<T*>(copy));
  }
#endif
#endif
  walker.Words(copy, sizeof(T), std::addressof(closure), std::is_trivially_copyable_v<T>);
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_CLOSURE_H_
