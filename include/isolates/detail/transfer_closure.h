#ifndef ISOLATES_DETAIL_TRANSFER_CLOSURE_H_
#define ISOLATES_DETAIL_TRANSFER_CLOSURE_H_

// Closures (rule V4). What a lambda captures cannot be asked for, so its bytes are looked through
// for words that lead into a stack, a live coroutine frame or an isolate object.
//
// For a trivially copyable closure this is exact: with the padding cleared, each of its words is a
// captured value. (Only members of packed structs lie across words, and are not seen.) Other
// closures hold objects that point into themselves or keep stale bytes (short strings, empty
// containers): there a hit is a warning, and refuses only if the caller is strict.

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>

#include "isolates/detail/transfer_padding.h"
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

// A closure that is nothing but its bits. Not is_trivially_copyable: for a closure with a
// reference, whose assignment is deleted, g++ 12 says no once somebody has asked for its assignment
// (std::pair does).
template <class T>
inline constexpr bool kIsBits =
    std::is_trivially_copy_constructible_v<T> && std::is_trivially_destructible_v<T>;

template <class T>
void ScanClosure(const T& closure, Walker& walker) {
  if constexpr (kIsBits<T>) {
    const ValuesOf<T> values(closure);
    walker.Words(values.data(), sizeof(T), std::addressof(closure), /*exact=*/true);
  } else {
    alignas(T) unsigned char copy[sizeof(T)];
    std::memcpy(copy, static_cast<const void*>(std::addressof(closure)), sizeof(T));
    walker.Words(copy, sizeof(T), std::addressof(closure), /*exact=*/false);
  }
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_CLOSURE_H_
