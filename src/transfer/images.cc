#include "src/transfer/images.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "isolates/detail/heap.h"
#include "isolates/detail/threads.h"

namespace isolates::internal {
namespace {

using MainRanges = std::vector<AddressRange, MainAllocator<AddressRange>>;

AddressRange RangeOf(const dl_phdr_info& image, const ElfW(Phdr) & header) noexcept {
  const std::uintptr_t begin = image.dlpi_addr + header.p_vaddr;
  return {begin, begin + header.p_memsz};
}

bool IsWritable(const ElfW(Phdr) & header) noexcept { return (header.p_flags & PF_W) != 0; }

// Protection comes in whole pages; the loader leaves an incomplete last page writable.
AddressRange WholePages(AddressRange range) noexcept {
  const auto page = static_cast<std::uintptr_t>(getpagesize());
  return {range.begin / page * page, range.end / page * page};
}

template <class Ranges>
void AddImmutable(const dl_phdr_info& image, Ranges& ranges) {
  for (int i = 0; i < image.dlpi_phnum; ++i) {
    const auto& header = image.dlpi_phdr[i];
    const AddressRange range = RangeOf(image, header);
    if (header.p_type == PT_LOAD && !IsWritable(header)) {
      ranges.push_back(range);
    } else if (header.p_type == PT_GNU_RELRO) {
      ranges.push_back(WholePages(range));
    }
  }
}

AddressRange ThreadLocalsOf(const dl_phdr_info& image) noexcept {
  for (int i = 0; i < image.dlpi_phnum; ++i) {
    const auto& header = image.dlpi_phdr[i];
    if (header.p_type == PT_TLS && image.dlpi_tls_data != nullptr) {
      const auto begin = reinterpret_cast<std::uintptr_t>(image.dlpi_tls_data);
      return {begin, begin + header.p_memsz};
    }
  }
  return {};
}

// ---- what was there at start ----

struct ThreadLocalAtStart {
  std::uintptr_t image;  // its base
  std::ptrdiff_t offset;
};

struct AtStart {
  MainRanges immutable;  // sorted; neighbours that touch are one
  std::vector<std::uintptr_t, MainAllocator<std::uintptr_t>> bases;
  std::vector<ThreadLocalAtStart, MainAllocator<ThreadLocalAtStart>> thread_locals;
  // All of the thread_locals, from pthread_self().
  std::ptrdiff_t thread_locals_begin = 0;
  std::ptrdiff_t thread_locals_end = 0;
  std::uintptr_t main_self = 0;
};

// Thread-local storage that came with the thread lies beside its descriptor; what was allocated
// later can be anywhere.
bool IsBesideDescriptor(std::ptrdiff_t offset) noexcept {
  constexpr std::ptrdiff_t kNear = 1 << 20;
  return std::abs(offset) < kNear;
}

int NoteImage(dl_phdr_info* image, std::size_t, void* target) {
  auto& start = *static_cast<AtStart*>(target);
  AddImmutable(*image, start.immutable);
  start.bases.push_back(image->dlpi_addr);
  const AddressRange locals = ThreadLocalsOf(*image);
  if (locals.begin == locals.end) return 0;
  const auto offset = static_cast<std::ptrdiff_t>(locals.begin - start.main_self);
  if (!IsBesideDescriptor(offset)) return 0;
  const auto end = static_cast<std::ptrdiff_t>(locals.end - start.main_self);
  const bool first = start.thread_locals.empty();
  start.thread_locals.push_back({image->dlpi_addr, offset});
  start.thread_locals_begin = first ? offset : std::min(start.thread_locals_begin, offset);
  start.thread_locals_end = first ? end : std::max(start.thread_locals_end, end);
  return 0;
}

void SortAndJoin(MainRanges& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.begin < b.begin; });
  std::size_t kept = 0;
  for (const AddressRange& range : ranges) {
    if (range.begin >= range.end) continue;
    if (kept != 0 && range.begin <= ranges[kept - 1].end) {
      ranges[kept - 1].end = std::max(ranges[kept - 1].end, range.end);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept);
}

// Made once and never destroyed: verification may run until the very end.
const AtStart& Start() {
  static const AtStart* const start = [] {
    const MainHeapScope scope;
    auto* const made = new AtStart;
    made->main_self = SelfOfThisThread();
    dl_iterate_phdr(&NoteImage, made);
    SortAndJoin(made->immutable);
    return made;
  }();
  return *start;
}

// Taken before main, on the main thread, that is before the program can open further images.
[[maybe_unused]] const AtStart& taken_at_start = Start();

// ---- what is there now ----

int CopyImage(dl_phdr_info* info, std::size_t, void* target) {
  constexpr std::size_t kMaxNotes = 4096;
  Image image;
  if (info->dlpi_name != nullptr) image.file = info->dlpi_name;
  image.base = info->dlpi_addr;
  const AtStart& start = Start();
  image.at_start =
      std::find(start.bases.begin(), start.bases.end(), image.base) != start.bases.end();
  image.headers.assign(info->dlpi_phdr, info->dlpi_phdr + info->dlpi_phnum);
  AddImmutable(*info, image.immutable);
  image.thread_locals = ThreadLocalsOf(*info);
  for (const ThreadLocalAtStart& local : start.thread_locals) {
    if (local.image == image.base) image.thread_local_offset = local.offset;
  }
  for (const auto& header : image.headers) {
    const AddressRange range = RangeOf(*info, header);
    if (header.p_type == PT_LOAD && IsWritable(header)) {
      image.writable.push_back(range);
    } else if (header.p_type == PT_NOTE && image.notes.empty() &&
               header.p_filesz == header.p_memsz && header.p_memsz <= kMaxNotes &&
               image.HoldsStatic(range.begin) && image.HoldsStatic(range.end - 1)) {
      image.notes.resize(header.p_memsz);
      std::memcpy(image.notes.data(), reinterpret_cast<const void*>(range.begin),  // NOLINT
                  header.p_memsz);
    }
  }
  static_cast<WipedVector<Image>*>(target)->push_back(std::move(image));
  return 0;
}

}  // namespace

bool IsImmutableStatic(const void* data, std::size_t bytes) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const MainRanges& ranges = Start().immutable;
  // Most views lead into heaps, and those mostly lie on one side of all images.
  if (begin < ranges.front().begin || begin >= ranges.back().end) return false;
  const auto after = std::upper_bound(
      ranges.begin(), ranges.end(), begin,
      [](std::uintptr_t address, const AddressRange& range) { return address < range.begin; });
  if (after == ranges.begin()) return false;
  const AddressRange& range = *(after - 1);
  return begin < range.end && bytes <= range.end - begin;
}

bool IsInImage(const void* address) noexcept {
  // The loader keeps this lookup for unwinders: any thread, no lock. It does not change the
  // address.
  dl_find_object found;
  return _dl_find_object(const_cast<void*>(address), &found) == 0;  // NOLINT
}

bool IsThreadLocal(const void* address) noexcept {
  const AtStart& start = Start();
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const auto in = [&start, at](std::uintptr_t self) {
    const auto offset = static_cast<std::ptrdiff_t>(at - self);
    return offset >= start.thread_locals_begin && offset < start.thread_locals_end;
  };
  return in(SelfOfThisThread()) || in(start.main_self);
}

bool Image::HoldsStatic(std::uintptr_t address) const noexcept {
  return std::any_of(headers.begin(), headers.end(), [&](const ElfW(Phdr) & header) {
    return header.p_type == PT_LOAD && address - base - header.p_vaddr < header.p_memsz;
  });
}

bool Image::HoldsWritable(std::uintptr_t address) const noexcept {
  const auto holds = [address](const AddressRange& range) { return range.Holds(address); };
  return std::any_of(writable.begin(), writable.end(), holds) &&
         std::none_of(immutable.begin(), immutable.end(), holds);
}

WipedVector<Image> LoadedImages() {
  WipedVector<Image> images;
  dl_iterate_phdr(&CopyImage, &images);
  return images;
}

}  // namespace isolates::internal
