#ifndef ISOLATES_TESTS_FUZZ_ORACLE_H_
#define ISOLATES_TESTS_FUZZ_ORACLE_H_

// Compares what the library refused with what was planted.

#include <string>
#include <vector>

#include "isolates/transfer.h"
#include "tests/fuzz/graph.h"

namespace isolates::fuzz {

const char* NameOf(Wrong wrong);

// What a violation says is wrong, read from its words.
Wrong WrongOf(const Violation& violation);

// Empty if the violations are exactly the expected ones: kinds and paths.
std::string Differences(const std::vector<Violation>& violations, const Graph& graph,
                        const Survey& survey, bool strict);

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_ORACLE_H_
