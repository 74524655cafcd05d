#ifndef ISOLATES_SRC_HEAP_TRAP_H_
#define ISOLATES_SRC_HEAP_TRAP_H_

// The trap of checked builds: memory that is in nobody's hands is made inaccessible, and a fault in
// it is reported in words before it takes its course (a core, a debugger, the program's own
// handler).
//
// Guarded are the system's pages that hold the blocks of a heap that was never shared. mimalloc
// keeps what it knows of small blocks just before them, so that is guarded with them: the caller
// vouches that no thread has allocator state for the heap, and nobody may allocate, free, visit,
// destroy, or ask whose a block is until the end.
//
// Not caught: what the kernel reads or writes for a thread (it gets EFAULT), and heaps for which
// the table or the system's mappings do not suffice.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/heap/backend.h"
#include "src/heap/trap_table.h"

namespace isolates::internal::trap {

using Guard = TrapTable::Place;

// Until Unprotect. `text` goes on from "an address that lies in ". nullptr: nothing is guarded.
Guard* Protect(backend::RawHeap* heap, TrapKind kind, std::string_view text) noexcept;
void Unprotect(Guard* guard) noexcept;

// Whether the address is guarded now. Takes no lock.
bool IsGuarded(const void* address) noexcept;

// Guarded bytes.
std::size_t Bytes(const Guard* guard) noexcept;
// For a heap that will only be destroyed: gives the memory of its blocks back to the system. Before
// Protect.
void Discard(backend::RawHeap* heap) noexcept;

// The guards that stand.
std::size_t Standing() noexcept;

}  // namespace isolates::internal::trap

#endif  // ISOLATES_SRC_HEAP_TRAP_H_
