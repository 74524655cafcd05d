// Symbol tables in files, sound and damaged.

#include "src/transfer/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

int known_to_the_linker_alone = 1;
[[gnu::noinline]] int AFunctionOfThisFile() { return known_to_the_linker_alone; }

using Header = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Segment = ElfW(Phdr);
using Entry = ElfW(Sym);

// A file in memory.
class TestFile {
 public:
  explicit TestFile(const std::string& contents) : descriptor_(memfd_create("elf", 0)) {
    Write(contents);
  }
  ~TestFile() { close(descriptor_); }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;

  void Write(const std::string& contents) const {
    ASSERT_EQ(ftruncate(descriptor_, static_cast<off_t>(contents.size())), 0);
    ASSERT_EQ(pwrite(descriptor_, contents.data(), contents.size(), 0),
              static_cast<ssize_t>(contents.size()));
  }
  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

// The smallest ELF file with variables: `first` at 0x1000 (16 bytes), `second` at 0x2000 (8 bytes),
// an alias of its second half, and the thread_local `local` at 0x10 (4 bytes).
struct SmallElf {
  Image image;
  std::string bytes;

  SmallElf() {
    const std::string names("\0first\0second\0half\0local\0", 25);
    const std::string notes = "a note, 16 bytes";
    const Entry entries[] = {
        {},
        Make(1, STT_OBJECT, 0x1000, 16),
        Make(7, STT_OBJECT, 0x2000, 8),
        Make(14, STT_OBJECT, 0x2004, 4),
        Make(19, STT_TLS, 0x10, 4),
    };
    Header header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
    header.e_phoff = sizeof(Header);
    header.e_phentsize = sizeof(Segment);
    header.e_phnum = 2;
    header.e_shentsize = sizeof(Section);
    header.e_shnum = 3;
    Segment segments[2] = {};
    segments[0].p_type = PT_LOAD;
    segments[0].p_memsz = 0x4000;
    segments[1].p_type = PT_NOTE;
    segments[1].p_offset = sizeof(header) + sizeof(segments);
    segments[1].p_filesz = notes.size();
    Section sections[3] = {};
    sections[1].sh_type = SHT_SYMTAB;
    sections[1].sh_offset = segments[1].p_offset + notes.size();
    sections[1].sh_size = sizeof(entries);
    sections[1].sh_entsize = sizeof(Entry);
    sections[1].sh_link = 2;
    sections[2].sh_type = SHT_STRTAB;
    sections[2].sh_offset = sections[1].sh_offset + sizeof(entries);
    sections[2].sh_size = names.size();
    header.e_shoff = sections[2].sh_offset + names.size();
    Add(header);
    Add(segments);
    bytes += notes;
    Add(entries);
    bytes += names;
    Add(sections);
    image.headers.assign(segments, segments + 2);
    image.notes.resize(notes.size());
    std::memcpy(image.notes.data(), notes.data(), notes.size());
  }

  static Entry Make(unsigned name, unsigned type, std::uintptr_t value, std::size_t size) {
    Entry entry{};
    entry.st_name = name;
    entry.st_info = static_cast<unsigned char>(ELF64_ST_INFO(STB_GLOBAL, type));
    entry.st_shndx = 1;
    entry.st_value = value;
    entry.st_size = size;
    return entry;
  }
  template <class T>
  void Add(const T& part) {
    bytes.append(reinterpret_cast<const char*>(&part), sizeof(part));
  }
};

std::string Find(int file, const Image& image, std::uintptr_t value,
                 SymbolKind kind = SymbolKind::kStatic) {
  const auto symbol = FindInFile(file, image, value, kind);
  return symbol.has_value() ? symbol->ToString() : "nothing";
}

TEST(SymbolsTest, FindsTheVariableThatHoldsTheAddress) {
  const SmallElf elf;
  const TestFile file(elf.bytes);
  EXPECT_EQ(Find(file.get(), elf.image, 0x1000), "`first`");
  EXPECT_EQ(Find(file.get(), elf.image, 0x100f), "`first` + 15");
  EXPECT_EQ(Find(file.get(), elf.image, 0x1010), "nothing");
  EXPECT_EQ(Find(file.get(), elf.image, 0xfff), "nothing");
  EXPECT_EQ(Find(file.get(), elf.image, 0x2001), "`second` + 1");
  EXPECT_EQ(Find(file.get(), elf.image, 0x2005), "`half` + 1");
  EXPECT_EQ(FindInFile(file.get(), elf.image, 0x2001, SymbolKind::kStatic)->bytes, 8U);
  EXPECT_EQ(Find(file.get(), elf.image, 0x11, SymbolKind::kThreadLocal), "`local` + 1");
  EXPECT_EQ(Find(file.get(), elf.image, 0x1000, SymbolKind::kThreadLocal), "nothing");
}

TEST(SymbolsTest, AnotherFileInTheSamePlaceIsNotBelieved) {
  SmallElf elf;
  const TestFile file(elf.bytes);
  elf.image.notes[3] = std::byte{'X'};  // another build
  EXPECT_EQ(Find(file.get(), elf.image, 0x1000), "nothing");
  SmallElf other;
  other.image.headers[0].p_memsz += 1;
  EXPECT_EQ(Find(file.get(), other.image, 0x1000), "nothing");
}

TEST(SymbolsTest, StrippedAndEmptyFilesHaveNoNames) {
  SmallElf elf;
  Header header;
  std::memcpy(&header, elf.bytes.data(), sizeof(header));
  header.e_shnum = 0;
  header.e_shoff = 0;
  std::memcpy(elf.bytes.data(), &header, sizeof(header));
  EXPECT_EQ(Find(TestFile(elf.bytes).get(), elf.image, 0x1000), "nothing");
  EXPECT_EQ(Find(TestFile("").get(), elf.image, 0x1000), "nothing");
  EXPECT_EQ(Find(TestFile("#!/bin/sh\n").get(), elf.image, 0x1000), "nothing");
  EXPECT_EQ(Find(-1, elf.image, 0x1000), "nothing");
  const int folder = open("/", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(Find(folder, elf.image, 0x1000), "nothing");
  close(folder);
}

TEST(SymbolsTest, EveryLengthOfATruncatedFileIsBorne) {
  const SmallElf elf;
  const TestFile file("");
  for (std::size_t length = 0; length < elf.bytes.size(); ++length) {
    file.Write(elf.bytes.substr(0, length));
    // Up to the last section header everything that is needed is missing.
    EXPECT_EQ(Find(file.get(), elf.image, 0x1000), "nothing") << length;
  }
}

// Under AddressSanitizer a read beyond a buffer is an error; here a hang or a crash would be.
TEST(SymbolsTest, DamagedFilesAreBorne) {
  const SmallElf elf;
  const TestFile file(elf.bytes);
  std::mt19937 random(7);
  const auto interesting = [&random]() -> std::uint64_t {
    switch (random() % 5) {
      case 0:
        return 0;
      case 1:
        return ~std::uint64_t{0} - random() % 64;
      case 2:
        return std::uint64_t{1} << (random() % 64);
      case 3:
        return random() % 4096;
      default:
        return (std::uint64_t{random()} << 32) | random();
    }
  };
  std::size_t found = 0;
  for (int round = 0; round < 30000; ++round) {
    std::string bytes = elf.bytes;
    for (auto damage = 1 + random() % 3; damage != 0; --damage) {
      const std::uint64_t value = interesting();
      const std::size_t width = std::size_t{1} << (random() % 4);
      const std::size_t at = random() % (bytes.size() - width);
      std::memcpy(&bytes[at], &value, width);
    }
    file.Write(bytes);
    for (const std::uintptr_t address : {0x1000, 0x2005}) {
      const auto symbol = FindInFile(file.get(), elf.image, address, SymbolKind::kStatic);
      if (!symbol.has_value()) continue;
      ++found;
      EXPECT_LT(symbol->offset, symbol->bytes);
      EXPECT_FALSE(symbol->name.empty());
    }
  }
  EXPECT_GT(found, 1000U);  // the damage often hits what does not matter: the search did run
}

TEST(SymbolsTest, NamesAreAsInTheSource) {
  EXPECT_EQ(PlainName("_ZN3Foo5cacheE"), "Foo::cache");
  EXPECT_EQ(PlainName("_ZN12_GLOBAL__N_17counterE"), "counter");
  EXPECT_EQ(PlainName("_ZSt4cout@GLIBCXX_3.4"), "std::cout");
  EXPECT_EQ(PlainName("environ"), "environ");
  EXPECT_LT(PlainName(std::string(4000, 'x')).size(), 120U);
}

TEST(SymbolsTest, VariablesOfThisProgramAreFound) {
  const auto at = reinterpret_cast<std::uintptr_t>(&known_to_the_linker_alone);
  std::size_t found = 0;
  for (const Image& image : LoadedImages()) {
    if (!image.HoldsStatic(at)) continue;
    const auto symbol = FindStatic(image, at);
    ASSERT_TRUE(symbol.has_value());
    EXPECT_EQ(symbol->name, "isolates::internal::known_to_the_linker_alone");
    EXPECT_EQ(symbol->bytes, SymbolBytes(known_to_the_linker_alone));
    EXPECT_FALSE(image.notes.empty());
    ++found;
  }
  EXPECT_EQ(found, 1U);
}

TEST(SymbolsTest, FindsAFunctionByAnyOfItsAddresses) {
  const auto at = reinterpret_cast<std::uintptr_t>(&AFunctionOfThisFile) + 1;
  std::size_t found = 0;
  for (const Image& image : LoadedImages()) {
    if (!image.file.empty()) continue;
    const auto symbol = FindFunction(image, at);
    ASSERT_TRUE(symbol.has_value());
    EXPECT_EQ(symbol->name, "isolates::internal::AFunctionOfThisFile()");
    EXPECT_EQ(symbol->offset, 1U);
    EXPECT_FALSE(FindStatic(image, at).has_value());
    ++found;
  }
  EXPECT_EQ(found, 1U);
}

}  // namespace
}  // namespace isolates::internal
