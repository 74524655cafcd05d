// A trace in Chrome's JSON format ("Trace Event Format"; Perfetto reads it).

#ifndef ISOLATES_SRC_BASE_TRACE_JSON_H_
#define ISOLATES_SRC_BASE_TRACE_JSON_H_

#include <iosfwd>
#include <string_view>

#include "src/base/trace_messages.h"

namespace isolates::internal {

#if ISOLATES_INSTRUMENTS

std::string_view TraceKindName(TraceKind kind) noexcept;

void WriteTrace(const TraceStory& story, std::ostream& out);

#endif

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_BASE_TRACE_JSON_H_
