// Reads a file while the main isolate may do other things. (Dart: async_number_of_keys.dart)

#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "examples/support/dart.h"
#include "isolates/isolates.h"

namespace {

using examples::ReadAsString;
using examples::Trim;
using isolates::Task;
using nlohmann::json;

constexpr char kFilename[] = "examples/with_keys.json";

Task<std::string> ReadFileAsync() {
  const std::string contents = co_await ReadAsString(kFilename);
  co_return Trim(contents);
}

Task<> Main() {
  // Read some data.
  const std::string file_data = co_await ReadFileAsync();
  const json json_data = json::parse(file_data);

  // Use that data.
  std::cout << "Number of JSON keys: " << json_data.size() << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Main); }
