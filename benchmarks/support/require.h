// A program that gives a wrong result says so and fails at once.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_REQUIRE_H_
#define ISOLATES_BENCHMARKS_SUPPORT_REQUIRE_H_

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace isolates::bench {

inline void Require(bool right, std::string_view what) {
  if (right) return;
  std::fprintf(stderr, "wrong result: %.*s\n", static_cast<int>(what.size()), what.data());
  std::fflush(stdout);
  std::_Exit(1);
}

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_REQUIRE_H_
