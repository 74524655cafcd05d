// What a run of the exchange says.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_REPORT_H_
#define ISOLATES_EXAMPLES_EXCHANGE_REPORT_H_

#include <optional>
#include <string>

#include "examples/exchange/pipeline.h"
#include "examples/exchange/reference.h"

namespace exchange {

struct RunReport {
  PipelineResult pipeline;
  std::optional<ReferenceResult> reference;
  Placement placement = Placement::kShared;
  std::string memory;  // locked, or why not
  JournalState recovered;
  std::uint64_t warm_up = 0;
  std::string title;  // what was run

  bool identical() const {
    return reference && reference->digest == pipeline.digest &&
           reference->orders == pipeline.feed.orders;
  }
};

std::string ToTable(const RunReport& report);
// One line.
std::string ToJson(const RunReport& report);
// A page with pictures, which needs no other file.
std::string ToPage(const RunReport& report);

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_REPORT_H_
