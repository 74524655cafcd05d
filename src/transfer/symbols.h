#ifndef ISOLATES_SRC_TRANSFER_SYMBOLS_H_
#define ISOLATES_SRC_TRANSFER_SYMBOLS_H_

// Names of variables and functions, from the symbol table in the file of an image: the dynamic
// linker knows only what a library exports.
//
// For reports only. The file may be stripped, cut short, damaged or another one than the image was
// loaded from: nothing that it says is believed without a check, and it is read and not mapped,
// because a mapped file that shrinks kills the process. No lock is taken.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/transfer/images.h"

namespace isolates::internal {

struct Symbol {
  std::string name;        // as a programmer writes it
  std::size_t offset = 0;  // of the address from where the variable or function begins
  std::size_t bytes = 0;   // of the variable or function; 0: not known

  // "`g_table` + 16"
  std::string ToString() const;
};

// The static variable at an address in the image.
std::optional<Symbol> FindStatic(const Image& image, std::uintptr_t address);

// The function at an address in the image.
std::optional<Symbol> FindFunction(const Image& image, std::uintptr_t address);

// The thread_local at this distance from where the image's thread-local storage begins.
std::optional<Symbol> FindThreadLocal(const Image& image, std::uintptr_t offset);

enum class SymbolKind : std::uint8_t { kStatic, kThreadLocal, kFunction };

// The same in an open file, if it is the one that the image was loaded from. `value` is what a
// symbol's value is compared with.
std::optional<Symbol> FindInFile(int file, const Image& image, std::uintptr_t value,
                                 SymbolKind kind);

// "Foo::cache" for "_ZN3Foo5cacheE".
std::string PlainName(std::string_view linker_name);

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_TRANSFER_SYMBOLS_H_
