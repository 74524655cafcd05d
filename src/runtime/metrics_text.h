// Prometheus' text format 0.0.4, and the counters in it.

#ifndef ISOLATES_SRC_RUNTIME_METRICS_TEXT_H_
#define ISOLATES_SRC_RUNTIME_METRICS_TEXT_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "isolates/runtime.h"
#include "src/base/stats_copy.h"

namespace isolates::internal {

// Writes families one after the other: Begin, then the samples of it. Labels with an empty value
// are left out, which means the same.
class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // `type`: "counter", "gauge" or "histogram".
  void Begin(std::string_view name, std::string_view type, std::string_view help);
  void Add(Labels labels, std::uint64_t value);
  void AddSeconds(Labels labels, std::uint64_t nanoseconds);
  // Durations in seconds.
  void AddHistogram(Labels labels, const HistogramCopy& histogram);

  const std::string& text() const noexcept { return text_; }

 private:
  void AddLine(std::string_view suffix, Labels labels, std::string_view le, std::string_view value);

  std::string name_;  // of the family
  std::string text_;
};

// `stats`: nullptr where there are none.
std::string MetricsOf(const RuntimeInfo& info, const StatsCopy* stats);

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_METRICS_TEXT_H_
