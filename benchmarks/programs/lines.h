// Lines: the value of the parcels that are measured, of so many blocks of such a size.

#ifndef ISOLATES_BENCHMARKS_PROGRAMS_LINES_H_
#define ISOLATES_BENCHMARKS_PROGRAMS_LINES_H_

#include <unistd.h>

#include <cstddef>
#include <string>
#include <vector>

#include "benchmarks/support/require.h"

namespace isolates::bench {

using Lines = std::vector<std::string>;

// A string for each block, and their table.
inline Lines Build(std::size_t blocks, std::size_t bytes_each) {
  Lines lines;
  lines.reserve(blocks);
  for (std::size_t i = 0; i < blocks; ++i) {
    lines.emplace_back(bytes_each, static_cast<char>('a' + i % 26));
  }
  return lines;
}

inline void Check(const Lines& lines, std::size_t blocks, std::size_t bytes_each) {
  Require(lines.size() == blocks, "all blocks are there");
  Require(lines.back() == std::string(bytes_each, static_cast<char>('a' + (blocks - 1) % 26)),
          "and hold what they held");
}

inline bool HasMemoryFor(std::size_t bytes) {
  const auto free = static_cast<std::size_t>(sysconf(_SC_AVPHYS_PAGES)) *
                    static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes < free;
}

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_PROGRAMS_LINES_H_
