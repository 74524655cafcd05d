// The one JSON shape of all results: an array of
//   {"name","value","unit","limit","ratio","kept","dropped","min","max","reach","reached"}
// What is not known is null; "reach" and "reached" of all that is not to reach anything, too.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_REPORT_JSON_H_
#define ISOLATES_BENCHMARKS_SUPPORT_REPORT_JSON_H_

#include <limits>
#include <optional>
#include <span>
#include <string>

#include "benchmarks/support/interleave.h"

namespace isolates::bench {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

struct Result {
  std::string name;
  double value = kUnknown;  // median
  std::string unit;
  double limit = kUnknown;  // median of what the value is compared with, in the same unit
  double ratio = kUnknown;  // median of the ratios
  int kept = 1;
  int dropped = 0;
  double min = kUnknown;  // of the value
  double max = kUnknown;
  std::optional<double> reach = std::nullopt;
  std::optional<bool> reached = std::nullopt;
};

// A candidate of an interleaved run.
Result ResultOf(const Compared& candidate, std::string unit);
// Figures without a limit.
Result ResultOf(std::string name, const Spread& spread, std::string unit, int repetitions);

std::string ToJson(std::span<const Result> results);
// The same as a Markdown table.
std::string ToMarkdown(std::span<const Result> results);

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_REPORT_JSON_H_
