// Runs a closure in a new isolate. (Dart: simple_isolate_closure.dart)

#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "examples/support/dart.h"
#include "isolates/isolates.h"

namespace {

using examples::ReadAsString;
using isolates::Isolate;
using isolates::Task;
using nlohmann::json;

constexpr char kFilename[] = "examples/with_keys.json";

Task<> Main() {
  // Spawn a new isolate to read some data.
  const json json_data = co_await Isolate::Run([]() -> Task<json> {
    const std::string file_data = co_await ReadAsString(kFilename);
    co_return json::parse(file_data);
  });

  // Use that data.
  std::cout << "Number of JSON keys: " << json_data.size() << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Main); }
