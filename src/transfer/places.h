#ifndef ISOLATES_SRC_TRANSFER_PLACES_H_
#define ISOLATES_SRC_TRANSFER_PLACES_H_

// What an address is.

#include <cstddef>
#include <string>

namespace isolates::internal {

// True if [data, data + bytes) lies in memory that nobody can write to and that stays: segments
// without write permission, or made read-only after relocation (RELRO), of the images that were
// loaded when the program started. Images opened later can be closed again and do not count.
bool IsImmutableStatic(const void* data, std::size_t bytes) noexcept;

// True if the address lies in a loaded image (now).
bool IsInImage(const void* address) noexcept;

// "the stack of isolate 'parser'", "the writable static `g_cache`", "the heap of isolate 'feed'".
std::string DescribePlace(const void* address);

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_TRANSFER_PLACES_H_
