// Computes without blocking the current isolate. (Dart: isolate_run_syntax.dart)

#include <iostream>

#include "isolates/isolates.h"

namespace {

using isolates::Isolate;
using isolates::Task;

int SlowFib(int n) { return n <= 1 ? 1 : SlowFib(n - 1) + SlowFib(n - 2); }

// Compute without blocking current isolate.
Task<> Fib40() {
  const int result = co_await Isolate::Run([] { return SlowFib(40); });
  std::cout << "Fib(40) = " << result << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Fib40); }
