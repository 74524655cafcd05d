// Reads and parses a file in the main isolate, which waits. (Dart: sync_number_of_keys.dart)

#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "examples/support/dart.h"

namespace {

using examples::ReadAsStringSync;
using examples::Trim;
using nlohmann::json;

constexpr char kFilename[] = "examples/with_keys.json";

std::string ReadFileSync() {
  const std::string contents = ReadAsStringSync(kFilename);
  return Trim(contents);
}

}  // namespace

int main() {
  // Read some data.
  const std::string file_data = ReadFileSync();
  const json json_data = json::parse(file_data);

  // Use that data.
  std::cout << "Number of JSON keys: " << json_data.size() << '\n';
}
