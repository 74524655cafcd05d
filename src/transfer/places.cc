#include "src/transfer/places.h"

#include <cinttypes>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "isolates/detail/heap.h"
#include "isolates/detail/threads.h"
#include "isolates/heap.h"
#include "src/transfer/images.h"
#include "src/transfer/symbols.h"

namespace isolates::internal {
namespace {

// " `name`", or what to say instead.
std::string NameOrElse(const std::optional<Symbol>& symbol, std::string_view otherwise) {
  return symbol.has_value() ? ' ' + symbol->ToString() : std::string(otherwise);
}

// "of isolate 'parser'"; threads that run no isolate have no name.
std::string Of(const std::string& name, bool this_thread) {
  if (!name.empty()) return "of isolate '" + name + "'";
  return this_thread ? "of this thread" : "of another thread";
}

AddressPlace PlaceOfVariable(PlaceKind kind, std::string text,
                             const std::optional<Symbol>& symbol) {
  AddressPlace place{kind, std::move(text)};
  if (symbol.has_value()) {
    place.symbol = symbol->name;
    place.bytes = symbol->bytes;
  }
  return place;
}

std::string_view BaseName(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

// " of libfeed.so"; the program itself goes without saying.
std::string OfImage(const Image& image) {
  return image.file.empty() ? std::string() : " of " + std::string(BaseName(image.file));
}

// A thread_local of the calling thread, or of another thread if its image was there at start.
std::optional<AddressPlace> AsThreadLocal(const WipedVector<Image>& images,
                                          std::uintptr_t address) {
  const std::uintptr_t this_self = SelfOfThisThread();
  const std::vector<KnownThread> threads = KnownThreads();
  const auto name_of = [&](std::uintptr_t self) -> std::string {
    for (const KnownThread& thread : threads) {
      if (thread.self == self) return ' ' + Of(thread.name, self == this_self);
    }
    return ' ' + Of({}, self == this_self);
  };
  const auto place = [&](const Image& image, std::uintptr_t offset, std::uintptr_t self) {
    const std::optional<Symbol> symbol = FindThreadLocal(image, offset);
    return PlaceOfVariable(
        PlaceKind::kThreadLocal,
        "the thread_local" + NameOrElse(symbol, " storage" + OfImage(image)) + name_of(self),
        symbol);
  };
  for (const Image& image : images) {
    if (image.thread_locals.Holds(address)) {
      return place(image, address - image.thread_locals.begin, this_self);
    }
    if (image.thread_local_offset == 0) continue;
    const std::uintptr_t bytes = image.thread_locals.end - image.thread_locals.begin;
    for (const KnownThread& thread : threads) {
      const std::uintptr_t begin =
          thread.self + static_cast<std::uintptr_t>(image.thread_local_offset);
      if (address - begin < bytes) return place(image, address - begin, thread.self);
    }
  }
  return std::nullopt;
}

std::optional<AddressPlace> AsStatic(const WipedVector<Image>& images, std::uintptr_t address) {
  for (const Image& image : images) {
    if (!image.HoldsStatic(address)) continue;
    const std::optional<Symbol> symbol = FindStatic(image, address);
    const std::string of_program = image.file.empty() ? " of the program" : "";
    if (image.HoldsWritable(address)) {
      return PlaceOfVariable(
          PlaceKind::kWritableStatic,
          "the writable static" + NameOrElse(symbol, " storage" + of_program) + OfImage(image),
          symbol);
    }
    if (image.at_start) {
      return PlaceOfVariable(
          PlaceKind::kConstStatic,
          "the constant" + NameOrElse(symbol, " data" + of_program) + OfImage(image), symbol);
    }
    return PlaceOfVariable(PlaceKind::kLaterLibrary,
                           std::string(BaseName(image.file)) +
                               ", a library that was loaded while the program ran" +
                               NameOrElse(symbol, ""),
                           symbol);
  }
  return std::nullopt;
}

// What the system has mapped at the address.
enum class Mapping : std::uint8_t { kNone, kFile, kAnonymous, kNotKnown };

Mapping MappingAt(std::uintptr_t address, std::string* file) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(std::fopen("/proc/self/maps", "re"),
                                                             &std::fclose);
  if (maps == nullptr) return Mapping::kNotKnown;
  char line[512];
  bool at_line_start = true;
  while (std::fgets(line, sizeof(line), maps.get()) != nullptr) {
    const std::string_view text(line);
    const bool whole = std::exchange(at_line_start, text.ends_with('\n'));
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (!whole || std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &begin, &end) != 2 ||
        address < begin || address >= end) {
      continue;
    }
    const std::size_t path = text.find('/');
    if (path == std::string_view::npos) return Mapping::kAnonymous;
    *file = BaseName(text.substr(path, text.find('\n') - path));
    return Mapping::kFile;
  }
  return Mapping::kNone;
}

AddressPlace InMappings(std::uintptr_t address, const OwnerInfo& info) {
  std::string file;
  const Mapping mapping = MappingAt(address, &file);
  if (mapping == Mapping::kNone) return {PlaceKind::kForeign, "memory that is not mapped"};
  if (mapping == Mapping::kFile) return {PlaceKind::kForeign, "the mapped file '" + file + "'"};
  // Plain malloc cannot tell its own memory from other.
  if (info.owner == BlockOwner::kMain) return {PlaceKind::kMainHeap, "the main heap"};
  return {PlaceKind::kForeign,
          "memory that belongs to no heap (mapped by the program, or the stack of a thread that "
          "the library does not know)"};
}

}  // namespace

AddressPlace PlaceOf(const void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const WipedVector<Image> images = LoadedImages();
  // First: a thread's thread_locals can lie in the memory of its stack.
  if (auto place = AsThreadLocal(images, at)) return *std::move(place);
  if (const auto name = StackNameOf(address)) {
    return {PlaceKind::kStack, "the stack " + Of(*name, IsOnThisStack(address))};
  }
  if (auto place = AsStatic(images, at)) return *std::move(place);
  const OwnerInfo info = OwnerOf(address);
  if (info.owner == BlockOwner::kHeap) {
    return {PlaceKind::kIsolateHeap, "the heap of isolate '" + info.heap->owner_name() + "'"};
  }
  if (info.owner == BlockOwner::kMain && allocator() == Allocator::kMimalloc) {
    return {PlaceKind::kMainHeap, "the main heap"};
  }
  return InMappings(at, info);
}

}  // namespace isolates::internal
