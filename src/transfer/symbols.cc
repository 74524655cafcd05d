#include "src/transfer/symbols.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace isolates::internal {
namespace {

using Header = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Segment = ElfW(Phdr);
using Entry = ElfW(Sym);

constexpr std::size_t kMaxName = 100;

// Reads parts of a file, and only what lies within it.
class File {
 public:
  explicit File(int descriptor) noexcept : descriptor_(descriptor) {
    struct stat facts;
    if (fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0) {
      size_ = static_cast<std::uint64_t>(facts.st_size);
    }
  }

  bool Holds(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    return bytes <= size_ && offset <= size_ - bytes;
  }
  bool Read(std::uint64_t offset, void* target, std::size_t bytes) const noexcept {
    if (!Holds(offset, bytes)) return false;
    auto* to = static_cast<char*>(target);
    while (bytes != 0) {
      const ssize_t got = pread(descriptor_, to, bytes, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      to += got;
      offset += static_cast<std::uint64_t>(got);
      bytes -= static_cast<std::size_t>(got);
    }
    return true;
  }
  template <class T>
  bool Read(std::uint64_t offset, T* target) const noexcept {
    return Read(offset, target, sizeof(T));
  }

 private:
  int descriptor_;
  std::uint64_t size_ = 0;
};

class Descriptor {
 public:
  explicit Descriptor(const char* path) noexcept
      : value_(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const noexcept { return value_; }

 private:
  const int value_;
};

// Of the same kind as this program, and the very image that is loaded: with the same segments and
// notes (the linker's build id is one).
bool IsFileOf(const File& file, const Header& header, const Image& image) {
  constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != kClass ||
      header.e_phentsize != sizeof(Segment) || header.e_phnum != image.headers.size()) {
    return false;
  }
  const Segment* notes = nullptr;
  for (std::size_t i = 0; i < image.headers.size(); ++i) {
    Segment segment;
    if (!file.Read(header.e_phoff + i * sizeof(segment), &segment) ||
        std::memcmp(&segment, &image.headers[i], sizeof(segment)) != 0) {
      return false;
    }
    if (notes == nullptr && segment.p_type == PT_NOTE) notes = &image.headers[i];
  }
  if (image.notes.empty()) return true;
  std::vector<std::byte> same(image.notes.size());
  return notes != nullptr && file.Read(notes->p_offset, same.data(), same.size()) &&
         same == image.notes;
}

bool IsWanted(const Entry& entry, SymbolKind kind) noexcept {
  if (entry.st_shndx == SHN_UNDEF) return false;
  const auto type = ELF64_ST_TYPE(entry.st_info);  // the same for both classes
  switch (kind) {
    case SymbolKind::kStatic:
      return type == STT_OBJECT;
    case SymbolKind::kThreadLocal:
      return type == STT_TLS;
    case SymbolKind::kFunction:
      return type == STT_FUNC;
  }
  return false;
}

// The smallest of those that hold the address: aliases and parts have their own symbols.
bool IsBetter(const Entry& entry, const std::optional<Entry>& best) noexcept {
  return !best.has_value() || entry.st_size < best->st_size;
}

std::optional<Entry> SearchTable(const File& file, const Section& table, std::uintptr_t value,
                                 SymbolKind kind) {
  constexpr std::size_t kChunk = 1024;
  std::optional<Entry> best;
  if (table.sh_entsize != sizeof(Entry) || !file.Holds(table.sh_offset, table.sh_size)) return best;
  std::vector<Entry> chunk(kChunk);
  const std::uint64_t count = table.sh_size / sizeof(Entry);
  for (std::uint64_t first = 0; first < count; first += kChunk) {
    const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, count - first));
    if (!file.Read(table.sh_offset + first * sizeof(Entry), chunk.data(), some * sizeof(Entry))) {
      return best;
    }
    for (std::size_t i = 0; i < some; ++i) {
      const Entry& entry = chunk[i];
      // At or behind its start, and not behind its end.
      if (IsWanted(entry, kind) && value - entry.st_value < entry.st_size &&
          value >= entry.st_value && IsBetter(entry, best)) {
        best = entry;
      }
    }
  }
  return best;
}

// Names longer than a report can bear are of no use.
std::optional<std::string> ReadName(const File& file, const Section& names, std::uint64_t at) {
  constexpr std::size_t kMaxLinkerName = 4096;
  if (names.sh_type != SHT_STRTAB || at >= names.sh_size ||
      !file.Holds(names.sh_offset, names.sh_size)) {
    return std::nullopt;
  }
  std::vector<char> text(
      static_cast<std::size_t>(std::min<std::uint64_t>(kMaxLinkerName, names.sh_size - at)));
  if (!file.Read(names.sh_offset + at, text.data(), text.size())) return std::nullopt;
  const auto end = std::find(text.begin(), text.end(), '\0');
  const auto garbles = [](char c) { return c > 0 && c < ' '; };
  // (A dot begins names that the compiler has made up, of literals for example.)
  if (end == text.end() || end == text.begin() || text.front() == '@' || text.front() == '.' ||
      std::any_of(text.begin(), end, garbles)) {
    return std::nullopt;
  }
  return std::string(text.begin(), end);
}

std::optional<Symbol> FindInImageFile(const Image& image, std::uintptr_t value, SymbolKind kind) {
  const Descriptor file(image.file.empty() ? "/proc/self/exe" : image.file.c_str());
  if (file.value() < 0) return std::nullopt;
  return FindInFile(file.value(), image, value, kind);
}

std::optional<Symbol> FindAddress(const Image& image, std::uintptr_t address, SymbolKind kind) {
  if (auto symbol = FindInImageFile(image, address - image.base, kind)) return symbol;
  // The file did not help: what is exported is in memory. (An image that came later may be going
  // just now.)
  Dl_info info;
  if (!image.at_start || dladdr(reinterpret_cast<const void*>(address), &info) == 0 ||  // NOLINT
      info.dli_sname == nullptr) {
    return std::nullopt;
  }
  return Symbol{PlainName(info.dli_sname),
                address - reinterpret_cast<std::uintptr_t>(info.dli_saddr), 0};
}

void Remove(std::string& text, std::string_view part) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
    text.erase(at, part.size());
  }
}

}  // namespace

std::string Symbol::ToString() const {
  std::string text = '`' + name + '`';
  if (offset != 0) text += " + " + std::to_string(offset);
  return text;
}

std::string PlainName(std::string_view linker_name) {
  // Some linkers write the version behind the name.
  const std::string name(linker_name.substr(0, linker_name.find('@')));
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> demangled(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  std::string plain = demangled != nullptr ? demangled.get() : name;
  Remove(plain, "(anonymous namespace)::");
  Remove(plain, "[abi:cxx11]");
  if (plain.size() > kMaxName) plain = plain.substr(0, kMaxName) + "...";
  return plain;
}

std::optional<Symbol> FindInFile(int descriptor, const Image& image, std::uintptr_t value,
                                 SymbolKind kind) {
  const File file(descriptor);
  Header header;
  if (!file.Read(0, &header) || !IsFileOf(file, header, image) ||
      header.e_shentsize != sizeof(Section)) {
    return std::nullopt;
  }
  const auto read_section = [&](std::uint64_t index, Section* section) {
    return index < header.e_shnum && file.Holds(header.e_shoff, sizeof(Section)) &&
           file.Read(header.e_shoff + index * sizeof(Section), section);
  };
  // A file has at most one table of each type.
  for (const std::uint32_t type : {SHT_SYMTAB, SHT_DYNSYM}) {
    for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
      Section table;
      if (!read_section(i, &table)) return std::nullopt;
      if (table.sh_type != type) continue;
      Section names;
      const auto entry = SearchTable(file, table, value, kind);
      if (!entry.has_value() || !read_section(table.sh_link, &names)) break;
      const auto name = ReadName(file, names, entry->st_name);
      if (!name.has_value()) break;
      return Symbol{PlainName(*name), value - static_cast<std::uintptr_t>(entry->st_value),
                    static_cast<std::size_t>(entry->st_size)};
    }
  }
  return std::nullopt;
}

std::optional<Symbol> FindStatic(const Image& image, std::uintptr_t address) {
  return FindAddress(image, address, SymbolKind::kStatic);
}

std::optional<Symbol> FindFunction(const Image& image, std::uintptr_t address) {
  return FindAddress(image, address, SymbolKind::kFunction);
}

std::optional<Symbol> FindThreadLocal(const Image& image, std::uintptr_t offset) {
  return FindInImageFile(image, offset, SymbolKind::kThreadLocal);
}

}  // namespace isolates::internal
