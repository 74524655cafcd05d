#ifndef ISOLATES_TESTS_FUZZ_RANDOM_TYPES_H_
#define ISOLATES_TESTS_FUZZ_RANDOM_TYPES_H_

// The random types, spread over several files so that each compiles in reasonable time.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tests/fuzz/type_ops.h"
#include "tests/fuzz/types.h"

namespace isolates::fuzz {

inline constexpr std::size_t kTypesPerFile = 8;

template <std::uint64_t First, std::size_t... I>
void AddRandomTypes(std::vector<const TypeOps*>& types, std::index_sequence<I...>) {
  (types.push_back(&kTypeOps<RandomType<First + I>>), ...);
}
template <std::uint64_t File>
void AddRandomTypes(std::vector<const TypeOps*>& types) {
  AddRandomTypes<File * kTypesPerFile>(types, std::make_index_sequence<kTypesPerFile>{});
}

void AddRandomTypes0(std::vector<const TypeOps*>& types);
void AddRandomTypes1(std::vector<const TypeOps*>& types);
void AddRandomTypes2(std::vector<const TypeOps*>& types);
void AddRandomTypes3(std::vector<const TypeOps*>& types);
void AddRandomTypes4(std::vector<const TypeOps*>& types);
void AddRandomTypes5(std::vector<const TypeOps*>& types);

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_RANDOM_TYPES_H_
