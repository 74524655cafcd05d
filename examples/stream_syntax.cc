// A stream with one value a second. (Dart: stream_syntax.dart)
//
// Time is moved by hand here, as in a test: the program does not take the five seconds.

#include <chrono>
#include <iostream>
#include <memory>
#include <utility>

#include "isolates/isolates.h"

namespace {

using isolates::Delay;
using isolates::Future;
using isolates::ManualClock;
using isolates::PeriodicStream;
using isolates::RuntimeOptions;
using isolates::Start;
using isolates::Stream;
using isolates::Task;
using std::chrono_literals::operator""s;

Task<> PrintFive(Stream<int> stream) {
  for (int i = 0; i < 5; ++i) {
    std::cout << *co_await stream.Next() << '\n';
  }
}

Task<> Main(std::shared_ptr<ManualClock> clock) {
  Stream<int> stream = PeriodicStream(1s, [](int i) { return i * i; });

  const Future<void> printed = Start(PrintFive(std::move(stream)));
  while (!printed.ready()) {
    clock->Advance(1s);
    co_await Delay(0s);
  }
}

}  // namespace

int main() {
  auto clock = std::make_shared<ManualClock>();
  RuntimeOptions options;
  options.clock = clock;
  isolates::ConfigureRuntime(options);
  return isolates::RunMain([clock] { return Main(clock); });
}
