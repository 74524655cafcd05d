// What the passes over a value have in common.

#ifndef ISOLATES_SRC_TRANSFER_PASSES_H_
#define ISOLATES_SRC_TRANSFER_PASSES_H_

#include <string_view>
#include <vector>

#include "isolates/detail/transfer_verify.h"

namespace isolates::internal {

// An address in the caller's own stack must be known as one.
void KnowThisStack() noexcept;

// Walks again to say where what `first` refused is. With the main heap as the default.
std::vector<Violation> WordViolations(const Walker& first, const void* value, RunWalk run,
                                      const WalkOptions& options, std::string_view root_label);

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_TRANSFER_PASSES_H_
