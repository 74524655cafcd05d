// Idle isolates: very many that listen to a port of their own and get nothing. What it stresses:
// the memory of an isolate.

#include <unistd.h>

#include <string>

#include "benchmarks/programs/idle.h"
#include "benchmarks/programs/program.h"

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  using isolates::bench::BytesOfEach;
  // The first ones pay for what all share.
  BytesOfEach(100, true);
  const auto measure = [&](const char* name, int count, bool light) {
    isolates::bench::Result result;
    result.name = std::to_string(count) + name;
    result.value = result.min = result.max = BytesOfEach(count, light);
    result.unit = "B each";
    program.Add(result);
  };
  measure(" light isolates", program.Scale(100'000, 1'000), true);
  measure(" isolates with a heap", program.Scale(2'000, 50), false);
  const int status = program.Finish();
  _exit(status);  // ending a hundred thousand isolates one by one is not part of this
}
