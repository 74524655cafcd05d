#include "tests/fuzz/random_types.h"

namespace isolates::fuzz {

void AddRandomTypes4(std::vector<const TypeOps*>& types) { AddRandomTypes<4>(types); }

}  // namespace isolates::fuzz
