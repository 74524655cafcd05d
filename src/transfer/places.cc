#include "src/transfer/places.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "isolates/detail/heap.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/threads.h"

namespace isolates::internal {
namespace {

struct Range {
  std::uintptr_t begin;
  std::uintptr_t end;
};

using Ranges = std::vector<Range, MainAllocator<Range>>;

int AddImmutable(dl_phdr_info* image, std::size_t, void* target) {
  auto& ranges = *static_cast<Ranges*>(target);
  const auto page = static_cast<std::uintptr_t>(getpagesize());
  for (int i = 0; i < image->dlpi_phnum; ++i) {
    const auto& header = image->dlpi_phdr[i];
    const std::uintptr_t begin = image->dlpi_addr + header.p_vaddr;
    const std::uintptr_t end = begin + header.p_memsz;
    if (header.p_type == PT_LOAD && (header.p_flags & PF_W) == 0) {
      ranges.push_back({begin, end});
    } else if (header.p_type == PT_GNU_RELRO) {
      // Protection comes in whole pages; the loader leaves an incomplete last page writable.
      ranges.push_back({begin / page * page, end / page * page});
    }
  }
  return 0;
}

// Made once and never destroyed: verification may run until the very end.
const Ranges& ImmutableAtStart() {
  static const Ranges* const ranges = [] {
    const MainHeapScope scope;
    auto* const made = new Ranges;
    dl_iterate_phdr(&AddImmutable, made);
    return made;
  }();
  return *ranges;
}

// Takes the list before main, that is before the program can open further images.
[[maybe_unused]] const Ranges& taken_at_start = ImmutableAtStart();

struct ImageQuery {
  std::uintptr_t address;
  bool found;
  bool writable;
};

int FindInImage(dl_phdr_info* image, std::size_t, void* target) {
  auto& query = *static_cast<ImageQuery*>(target);
  for (int i = 0; i < image->dlpi_phnum; ++i) {
    const auto& header = image->dlpi_phdr[i];
    const std::uintptr_t begin = image->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD && query.address >= begin &&
        query.address < begin + header.p_memsz) {
      query.found = true;
      query.writable = (header.p_flags & PF_W) != 0;
      return 1;
    }
  }
  return 0;
}

ImageQuery QueryImages(const void* address) {
  ImageQuery query{reinterpret_cast<std::uintptr_t>(address), false, false};
  dl_iterate_phdr(&FindInImage, &query);
  return query;
}

// " `name`" if the symbol is known to the dynamic linker.
std::string SymbolAt(const void* address) {
  Dl_info info;
  if (dladdr(address, &info) == 0 || info.dli_sname == nullptr) return {};
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> plain(
      abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status), &std::free);
  return std::string(" `") + (plain != nullptr ? plain.get() : info.dli_sname) + "`";
}

}  // namespace

bool IsImmutableStatic(const void* data, std::size_t bytes) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  for (const Range& range : ImmutableAtStart()) {
    if (begin >= range.begin && begin < range.end && bytes <= range.end - begin) return true;
  }
  return false;
}

bool IsInImage(const void* address) noexcept { return QueryImages(address).found; }

std::string DescribePlace(const void* address) {
  if (const auto name = StackNameOf(address)) return "the stack of isolate '" + *name + "'";
  const ImageQuery image = QueryImages(address);
  if (image.found) {
    return (image.writable ? "the writable static"
                           : "a library that was loaded while the program ran,") +
           (image.writable && SymbolAt(address).empty() ? std::string(" storage of the program")
                                                        : SymbolAt(address));
  }
  const OwnerInfo info = OwnerOf(address);
  if (info.owner == BlockOwner::kHeap)
    return "the heap of isolate '" + info.heap->owner_name() + "'";
  if (info.owner == BlockOwner::kMain) return "the main heap";
  return "memory that belongs to no heap";
}

}  // namespace isolates::internal
