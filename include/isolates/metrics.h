// The counters of the runtime, for a monitoring system to fetch.

#ifndef ISOLATES_METRICS_H_
#define ISOLATES_METRICS_H_

#include <iosfwd>

namespace isolates {

// Writes what the process has counted so far in Prometheus' text format, version 0.0.4 (content
// type "text/plain; version=0.0.4"): the runtime as a whole, each thread, each isolate and port
// that lives now, and how long turns waited and lasted as histograms. Names begin with "isolates_";
// an isolate's label `id` tells isolates of one name apart.
//
// Where the instruments are compiled out (ISOLATES_INSTRUMENTS=0), only what runtime_info() knows.
// Any thread; it stops nobody, so numbers that belong together may be a few messages apart. Starts
// the runtime.
void WriteMetrics(std::ostream& out);

}  // namespace isolates

#endif  // ISOLATES_METRICS_H_
