#include "tests/fuzz/random_types.h"

namespace isolates::fuzz {

void AddRandomTypes5(std::vector<const TypeOps*>& types) { AddRandomTypes<5>(types); }

}  // namespace isolates::fuzz
