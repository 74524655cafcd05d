#include "src/heap/poison.h"

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

// Provided by AddressSanitizer's runtime; absent otherwise.
extern "C" {
[[gnu::weak]] void __asan_poison_memory_region(const volatile void* start, std::size_t bytes);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* start, std::size_t bytes);
[[gnu::weak]] void __asan_set_error_report_callback(void (*callback)(const char* report));
[[gnu::weak]] void* __asan_get_report_address();
}

namespace isolates::internal {
namespace {

constinit std::mutex mutex;
constinit Poison* first = nullptr;  // the mutex

template <class Do>
void ForEach(const Poison::Blocks& blocks, Do action) {
  for (const AddressRange& block : blocks) {
    action(reinterpret_cast<const void*>(block.begin), block.end - block.begin);  // NOLINT
  }
}

}  // namespace

bool Poison::Available() noexcept { return &__asan_poison_memory_region != nullptr; }

Poison::Poison(Blocks blocks, const std::string& text)
    : blocks_(std::move(blocks)),
      line_("isolates: use after hand-over: of an address that lies in " + text + '\n') {
  const std::lock_guard lock(mutex);
  __asan_set_error_report_callback(&OnReport);
  next_ = first;
  if (first != nullptr) {
    first->prev_ = this;
  }
  first = this;
  ForEach(blocks_, &__asan_poison_memory_region);
}

Poison::~Poison() {
  const std::lock_guard lock(mutex);
  ForEach(blocks_, &__asan_unpoison_memory_region);
  (prev_ != nullptr ? prev_->next_ : first) = next_;
  if (next_ != nullptr) {
    next_->prev_ = prev_;
  }
}

// On the thread of the late use, which cannot hold the mutex: nothing above touches a block. Takes
// no memory: AddressSanitizer is in the middle of a report.
void Poison::OnReport(const char*) {
  const auto address = reinterpret_cast<std::uintptr_t>(__asan_get_report_address());
  const std::lock_guard lock(mutex);
  for (const Poison* poison = first; poison != nullptr; poison = poison->next_) {
    for (const AddressRange& block : poison->blocks_) {
      if (address >= block.begin && address < block.end) {
        const std::string& line = poison->line_;
        [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
        return;
      }
    }
  }
}

}  // namespace isolates::internal
