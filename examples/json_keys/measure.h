// The job, a number of times, with all its times.

#ifndef ISOLATES_EXAMPLES_JSON_KEYS_MEASURE_H_
#define ISOLATES_EXAMPLES_JSON_KEYS_MEASURE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/json_keys/options.h"
#include "isolates/isolates.h"

namespace json_keys {

// One value for each repetition.
using Samples = std::vector<std::int64_t>;

std::int64_t Median(Samples samples);

struct Measured {
  std::size_t keys = 0;
  std::uint64_t file_bytes = 0;
  isolates::Receipt receipt;  // of the last repetition
  Samples parse_ns;
  Samples verify_ns;
  Samples handover_ns;
  Samples drop_ns;
  // With --compare.
  Samples copy_ns;
  Samples destructor_ns;
};

// Throws what the worker threw, as RemoteError, or TimeoutError.
Measured Measure(const Options& options);

}  // namespace json_keys

#endif  // ISOLATES_EXAMPLES_JSON_KEYS_MEASURE_H_
