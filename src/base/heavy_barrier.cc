// The heavy half of the asymmetric barriers (isolates/detail/atomics.h).

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "isolates/detail/atomics.h"
#include "isolates/detail/check.h"

namespace isolates::internal {
namespace {

bool MemoryBarrier(int command) noexcept { return syscall(SYS_membarrier, command, 0, 0) == 0; }

}  // namespace

bool HasHeavyBarrier() noexcept {
  static const bool has = MemoryBarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) &&
                          MemoryBarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  return has;
}

void ExecuteHeavyBarrier() noexcept {
  ISOLATES_CHECK(MemoryBarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED),
                 "membarrier fails, although the system has it");
}

}  // namespace isolates::internal
