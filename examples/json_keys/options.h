// The command line of count_json_keys.

#ifndef ISOLATES_EXAMPLES_JSON_KEYS_OPTIONS_H_
#define ISOLATES_EXAMPLES_JSON_KEYS_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace json_keys {

struct Options {
  std::string path = "/usr/share/iso-codes/json/iso_639-3.json";
  bool help = false;
  bool compare = false;
  bool json = false;
  std::optional<int> repeat;
  std::optional<std::chrono::milliseconds> deadline;
  // --generate: write `path` with so many bytes instead.
  std::optional<std::uint64_t> generate_bytes;
};

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws UsageError.
Options ParseOptions(const std::vector<std::string>& arguments);

extern const char kHelp[];

}  // namespace json_keys

#endif  // ISOLATES_EXAMPLES_JSON_KEYS_OPTIONS_H_
