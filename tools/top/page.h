// What isolates-top shows, as text.

#ifndef ISOLATES_TOOLS_TOP_PAGE_H_
#define ISOLATES_TOOLS_TOP_PAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/stats_copy.h"

namespace isolates::top {

// The counters at a moment of CLOCK_MONOTONIC (ns).
struct Look {
  internal::StatsCopy stats;
  std::uint64_t time = 0;
};

// The lines of a page: what happened between two looks, and what is at the second. `gone`: the
// program has ended.
std::vector<std::string> FormatPage(const Look& before, const Look& now, bool gone);

// "740ns", "1.25us", "33.1ms", "2.07s", "4m10s".
std::string FormatDuration(std::uint64_t nanoseconds);
// "7", "950", "12.3k", "4.56M".
std::string FormatCount(double count);
// The first `width` letters of a UTF-8 text, filled up with spaces.
std::string Fit(std::string_view text, std::size_t width);

}  // namespace isolates::top

#endif  // ISOLATES_TOOLS_TOP_PAGE_H_
