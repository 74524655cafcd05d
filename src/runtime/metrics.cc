#include "isolates/metrics.h"

#include <ostream>
#include <string>

#include "isolates/detail/heap.h"
#include "isolates/detail/instruments.h"
#include "src/runtime/metrics_text.h"
#include "src/runtime/runtime_impl.h"

namespace isolates {
namespace {

std::string Metrics() {
  const internal::MainHeapScope main_heap;
  const RuntimeInfo info = internal::Runtime::Get().Info();
  const internal::StatsHeader* const header = internal::LocalStats();
  if (header == nullptr) return internal::MetricsOf(info, nullptr);
  const internal::StatsCopy stats = internal::CopyStats(*header);
  return internal::MetricsOf(info, &stats);
}

}  // namespace

void WriteMetrics(std::ostream& out) { out << Metrics(); }

}  // namespace isolates
