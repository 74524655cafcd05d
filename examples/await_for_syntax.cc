// A stream made of another one. (Dart: await_for_syntax.dart)

#include <iostream>
#include <utility>

#include "isolates/isolates.h"

namespace {

using isolates::Stream;
using isolates::Task;

Stream<int> SumStream(Stream<int> stream) {
  int sum = 0;
  while (auto value = co_await stream.Next()) {
    co_yield sum += *value;
  }
}

Stream<int> CountStream(int to) {
  for (int i = 1; i <= to; ++i) {
    co_yield i;
  }
}

Task<> Main() {
  Stream<int> sums = SumStream(CountStream(5));
  while (auto sum = co_await sums.Next()) {
    std::cout << *sum << '\n';
  }
}

}  // namespace

int main() { return isolates::RunMain(Main); }
