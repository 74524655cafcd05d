#include "tests/fuzz/random_types.h"

namespace isolates::fuzz {

void AddRandomTypes2(std::vector<const TypeOps*>& types) { AddRandomTypes<2>(types); }

}  // namespace isolates::fuzz
