// Files of any size for measurements that can be repeated.

#ifndef ISOLATES_EXAMPLES_JSON_KEYS_GENERATE_H_
#define ISOLATES_EXAMPLES_JSON_KEYS_GENERATE_H_

#include <cstdint>
#include <string>

namespace json_keys {

// Writes exactly `bytes` bytes: an object of records, the same ones every time. Throws
// std::system_error.
void Generate(const std::string& path, std::uint64_t bytes);

}  // namespace json_keys

#endif  // ISOLATES_EXAMPLES_JSON_KEYS_GENERATE_H_
