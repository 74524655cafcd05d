#include "tests/fuzz/random_types.h"

namespace isolates::fuzz {

void AddRandomTypes3(std::vector<const TypeOps*>& types) { AddRandomTypes<3>(types); }

}  // namespace isolates::fuzz
