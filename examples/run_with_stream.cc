// An isolate that computes with a stream. (Dart: the example of Isolate.run with fibStream)

#include <cstdint>
#include <iostream>
#include <utility>

#include "isolates/isolates.h"

namespace {

using isolates::ElementAt;
using isolates::Isolate;
using isolates::Stream;
using isolates::Task;

Stream<std::int64_t> FibStream() {
  std::int64_t a = 0;
  std::int64_t b = 1;
  while (true) {
    co_yield a;
    a = std::exchange(b, a + b);
  }
}

Task<> Main() {
  const std::int64_t value = co_await Isolate::Run([] { return ElementAt(FibStream(), 40); });
  std::cout << value << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Main); }
