#include "tests/fuzz/random_types.h"

namespace isolates::fuzz {

void AddRandomTypes0(std::vector<const TypeOps*>& types) { AddRandomTypes<0>(types); }

}  // namespace isolates::fuzz
