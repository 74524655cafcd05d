#ifndef ISOLATES_SRC_HEAP_POISON_H_
#define ISOLATES_SRC_HEAP_POISON_H_

// The trap under AddressSanitizer (plain malloc, where no page belongs to one value alone): the
// blocks themselves are poisoned, and the report of a late use is followed by words.

#include <string>
#include <vector>

#include "isolates/detail/main_heap.h"
#include "src/heap/trap_table.h"

namespace isolates::internal {

// Blocks that are poisoned while it lives. Any thread; a mutex guards the list of all.
class Poison : public MainHeapObject {
 public:
  using Blocks = std::vector<AddressRange, MainAllocator<AddressRange>>;

  // Whether the program runs under AddressSanitizer.
  static bool Available() noexcept;

  // `text` goes on from "an address that lies in ".
  Poison(Blocks blocks, const std::string& text);
  ~Poison();
  Poison(const Poison&) = delete;
  Poison& operator=(const Poison&) = delete;

 private:
  static void OnReport(const char* report);

  const Blocks blocks_;
  const std::string line_;
  Poison* next_ = nullptr;  // the list's mutex
  Poison* prev_ = nullptr;  // the list's mutex
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_HEAP_POISON_H_
