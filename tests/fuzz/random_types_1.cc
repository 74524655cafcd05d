#include "tests/fuzz/random_types.h"

namespace isolates::fuzz {

void AddRandomTypes1(std::vector<const TypeOps*>& types) { AddRandomTypes<1>(types); }

}  // namespace isolates::fuzz
