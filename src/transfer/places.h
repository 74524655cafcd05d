#ifndef ISOLATES_SRC_TRANSFER_PLACES_H_
#define ISOLATES_SRC_TRANSFER_PLACES_H_

// What an address is, in words. For reports only: it reads files and takes the loader's lock.

#include <cstddef>
#include <cstdint>
#include <string>

namespace isolates::internal {

enum class PlaceKind : std::uint8_t {
  kThreadLocal,
  kStack,
  kWritableStatic,
  kConstStatic,   // of an image that stays
  kLaterLibrary,  // constant data of a library that was loaded while the program ran
  kIsolateHeap,
  kMainHeap,
  kForeign,  // memory that belongs to no heap
};

struct AddressPlace {
  PlaceKind kind;
  // "the stack of isolate 'parser'", "the writable static `g_cache`", "the heap of isolate 'feed'".
  std::string text;
  // Of a static or thread_local variable, if known.
  std::string symbol = {};
  std::size_t bytes = 0;
};

// Works in the caller's default heap: the main heap, for reports.
AddressPlace PlaceOf(const void* address);

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_TRANSFER_PLACES_H_
