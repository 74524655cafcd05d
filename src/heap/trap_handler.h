#ifndef ISOLATES_SRC_HEAP_TRAP_HANDLER_H_
#define ISOLATES_SRC_HEAP_TRAP_HANDLER_H_

#include "src/heap/trap_table.h"

namespace isolates::internal::trap {

// From now on a fault at an address that the table knows is reported on the error output. Every
// fault then goes to whoever handled it before (a handler that the program installs later comes
// first, and has to call on ours). Once for the process; later calls do nothing. Linux reports
// inaccessible pages by SIGSEGV only.
void InstallTrapHandler(const TrapTable* table) noexcept;

}  // namespace isolates::internal::trap

#endif  // ISOLATES_SRC_HEAP_TRAP_HANDLER_H_
