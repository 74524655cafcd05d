// The registry is a list of entries that are never freed, only reused, so that readers need no
// lock: a reader walks the list and reads each entry's bounds.
//
//   word        writer                              readers
//   next        its creator, before publication     everybody
//   taken       claimed by RegisterThisThread,      RegisterThisThread
//               given back at the thread's end
//   low, high   the thread of the entry             everybody (0, 0: nobody's)
//   self        the thread of the entry             everybody (0: nobody's)
//   name        the thread of the entry             everybody; a torn name garbles a report, no
//   more

#include "isolates/detail/threads.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace isolates::internal {
namespace {

constexpr std::size_t kNameWords = 8;

struct Entry {
  std::atomic<bool> taken{true};
  std::atomic<std::uintptr_t> low{0};
  std::atomic<std::uintptr_t> high{0};
  std::atomic<std::uintptr_t> self{0};
  std::array<std::atomic<std::uint64_t>, kNameWords> name{};
  Entry* next = nullptr;
};

std::atomic<Entry*> entries{nullptr};

Entry* ClaimEntry() {
  // acquire - pairs with the publication below: the entry's fields are visible.
  for (Entry* entry = entries.load(std::memory_order_acquire); entry != nullptr;
       entry = entry->next) {
    bool free = false;
    // acquire - pairs with ~ThisThread: the former owner's last stores come before ours.
    if (entry->taken.compare_exchange_strong(free, true, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
      return entry;
    }
  }
  auto* entry = new Entry;
  entry->next = entries.load(std::memory_order_relaxed);  // relaxed - first guess
  // release - pairs with every walk over the list.
  while (!entries.compare_exchange_weak(entry->next, entry, std::memory_order_release,
                                        std::memory_order_relaxed)) {
  }
  return entry;
}

struct ThisThread {
  Entry* entry = nullptr;
  ~ThisThread() {
    if (entry == nullptr) return;
    // relaxed - a reader that still sees the old bounds only words a report by them.
    entry->low.store(0, std::memory_order_relaxed);
    entry->high.store(0, std::memory_order_relaxed);
    entry->self.store(0, std::memory_order_relaxed);
    // release - pairs with ClaimEntry.
    entry->taken.store(false, std::memory_order_release);
    entry = nullptr;
  }
};

thread_local ThisThread this_thread;

// With each turn that a thread runs: short names are to be written quickly. What lies behind the
// name's end is left over from others.
void WriteName(Entry& entry, std::string_view name) noexcept {
  const std::size_t bytes = std::min(name.size(), 8 * kNameWords - 1);
  for (std::size_t i = 0; 8 * i <= bytes; ++i) {
    std::uint64_t word = 0;
    if (bytes > 8 * i) {  // an empty name has no address
      std::memcpy(&word, name.data() + 8 * i, std::min(bytes - 8 * i, sizeof(word)));
    }
    entry.name[i].store(word, std::memory_order_relaxed);  // relaxed - text of reports only
  }
}

const Entry* Find(const void* address) noexcept {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  // acquire - pairs with ClaimEntry's publication.
  for (const Entry* entry = entries.load(std::memory_order_acquire); entry != nullptr;
       entry = entry->next) {
    // relaxed - a thread whose stack holds something that the caller knows registered before the
    // caller could learn of the address; that hand-over carries the happens-before edge.
    if (wanted >= entry->low.load(std::memory_order_relaxed) &&
        wanted < entry->high.load(std::memory_order_relaxed)) {
      return entry;
    }
  }
  return nullptr;
}

std::string NameOf(const Entry& entry) {
  std::array<std::uint64_t, kNameWords + 1> words{};
  for (std::size_t i = 0; i < kNameWords; ++i) {
    words[i] = entry.name[i].load(std::memory_order_relaxed);  // relaxed - text of reports only
  }
  return std::string(reinterpret_cast<const char*>(words.data()));
}

}  // namespace

std::uintptr_t SelfOfThisThread() noexcept {
  const pthread_t self = pthread_self();
  std::uintptr_t word = 0;
  static_assert(sizeof(self) == sizeof(word));
  std::memcpy(&word, &self, sizeof(word));  // an integer or a pointer
  return word;
}

void RegisterThisThread(std::string_view name) {
  if (this_thread.entry == nullptr) {
    Entry* entry = ClaimEntry();
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
      void* low = nullptr;
      std::size_t size = 0;
      if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
        // relaxed - see Find.
        entry->low.store(reinterpret_cast<std::uintptr_t>(low), std::memory_order_relaxed);
        entry->high.store(reinterpret_cast<std::uintptr_t>(low) + size, std::memory_order_relaxed);
      }
      pthread_attr_destroy(&attributes);
    }
    // relaxed - see Find.
    entry->self.store(SelfOfThisThread(), std::memory_order_relaxed);
    this_thread.entry = entry;
  }
  WriteName(*this_thread.entry, name);
}

void NameThisThread(std::string_view name) noexcept {
  if (this_thread.entry != nullptr) WriteName(*this_thread.entry, name);
}

bool IsOnAnyStack(const void* address) noexcept { return Find(address) != nullptr; }

bool IsOnThisStack(const void* address) noexcept {
  return this_thread.entry != nullptr && Find(address) == this_thread.entry;
}

std::optional<std::string> StackNameOf(const void* address) {
  const Entry* entry = Find(address);
  if (entry == nullptr) return std::nullopt;
  return NameOf(*entry);
}

std::vector<KnownThread> KnownThreads() {
  std::vector<KnownThread> threads;
  // acquire - pairs with ClaimEntry's publication.
  for (const Entry* entry = entries.load(std::memory_order_acquire); entry != nullptr;
       entry = entry->next) {
    // relaxed - see Find.
    const std::uintptr_t self = entry->self.load(std::memory_order_relaxed);
    if (self != 0) threads.push_back({self, NameOf(*entry)});
  }
  return threads;
}

}  // namespace isolates::internal
