// What the worker isolate does.

#ifndef ISOLATES_EXAMPLES_JSON_KEYS_LOAD_H_
#define ISOLATES_EXAMPLES_JSON_KEYS_LOAD_H_

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace json_keys {

struct Loaded {
  nlohmann::json document;  // an object or an array
  std::uint64_t file_bytes;
  std::int64_t parse_ns;
};

// Reads and parses the file; can be stopped while it parses. Throws std::runtime_error with a text
// for the user: what is wrong with the file, and where.
Loaded Load(const std::string& path);

}  // namespace json_keys

#endif  // ISOLATES_EXAMPLES_JSON_KEYS_LOAD_H_
