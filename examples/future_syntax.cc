// A future and what to do with its value. (Dart: future_syntax.dart)

#include <iostream>
#include <string>
#include <utility>

#include "examples/support/dart.h"
#include "isolates/isolates.h"

namespace {

using examples::ReadAsString;
using examples::Trim;
using isolates::Future;
using isolates::Task;

Future<std::string> ReadFileAsync(std::string filename) {
  // ReadAsString() returns a Future.
  // Then() registers a callback, which runs when the text is there.
  return ReadAsString(std::move(filename)).Then([](std::string contents) {
    return Trim(contents);
  });
}

Task<> Main() {
  const std::string contents = co_await ReadFileAsync("examples/with_keys.json");
  std::cout << "from " << contents.front() << " to " << contents.back() << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Main); }
