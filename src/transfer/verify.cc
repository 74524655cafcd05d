#include <string>
#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/detail/threads.h"
#include "isolates/detail/transfer_verify.h"
#include "src/transfer/passes.h"

namespace isolates {
namespace {

std::string Summary(const std::vector<Violation>& violations) {
  std::string text = "message refused: " + violations.front().ToString();
  if (violations.size() > 1) {
    text += "; and " + std::to_string(violations.size() - 1) + " more";
  }
  return text;
}

}  // namespace

TransferError::TransferError(std::vector<Violation> violations)
    : Error(Summary(violations)), violations_(std::move(violations)) {}

namespace internal {

// Without a name: no isolate runs here.
void KnowThisStack() noexcept {
  const char here = 0;
  if (IsOnAnyStack(&here)) return;
  const MainHeapScope scope;
  RegisterThisThread({});
}

std::vector<Violation> WordViolations(const Walker& first, const void* value, RunWalk run,
                                      const WalkOptions& options, std::string_view root_label) {
  std::vector<Violation> violations;
  Walker second(options);
  second.Record(first, root_label, &violations);
  run(value, second);
  return violations;
}

std::vector<Violation> WalkAndReport(const void* value, RunWalk run, const WalkOptions& options,
                                     std::string_view root_label, VerifyReport* report) {
  const MainHeapScope scope;
  KnowThisStack();
  WalkOptions counting = options;
  counting.count_blocks = true;
  Walker first(counting);
  run(value, first);
  report->blocks = first.census().blocks;
  report->bytes = first.census().bytes;
  report->edges = first.edges();
  if (first.clean()) return {};
  return WordViolations(first, value, run, options, root_label);
}

void ThrowTransferError(std::vector<Violation> violations) {
  throw TransferError(std::move(violations));
}

void VerifyValue(const void* value, RunWalk run, const WalkOptions& options,
                 std::string_view root_label) {
  KnowThisStack();
  Walker first(options);
  run(value, first);
  if (first.clean()) return;
  // The report and the error are ours: they do not belong into the sender's heap.
  const MainHeapScope scope;
  ThrowTransferError(WordViolations(first, value, run, options, root_label));
}

}  // namespace internal
}  // namespace isolates
