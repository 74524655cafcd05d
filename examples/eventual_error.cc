// An error that happens later, in another isolate. (Dart: the example of Isolate.run with
// eventualError)
//
// The exception object itself stays in its isolate. What arrives is its type, message and place.

#include <chrono>
#include <iostream>

#include "isolates/isolates.h"

namespace {

using isolates::Delay;
using isolates::Isolate;
using isolates::RemoteError;
using isolates::RunOptions;
using isolates::StateError;
using isolates::Task;
using std::chrono_literals::operator""ms;

Task<int> EventualError() {
  co_await Delay(1ms);
  throw StateError("In a bad state!");
}

Task<> Main() {
  try {
    co_await Isolate::Run(RunOptions().DebugName("worker"), EventualError);
  } catch (const RemoteError& e) {
    std::cout << "type:    " << e.type() << '\n'
              << "message: " << e.message() << '\n'
              << "isolate: " << e.isolate_name() << '\n';
  }
}

}  // namespace

int main() { return isolates::RunMain(Main); }
