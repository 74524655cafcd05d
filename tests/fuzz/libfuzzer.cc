// The fuzzer as a libFuzzer target: the engine's bytes make all decisions. Needs clang:
//
//   bazel/bazelw build --config=fuzz //tests/fuzz:transfer_libfuzzer
//   bazel-bin/tests/fuzz/transfer_libfuzzer -max_len=4096 -max_total_time=300

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/fuzz/legs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  isolates::fuzz::Bench bench;
  isolates::fuzz::Choices random(data, size);
  const std::string wrong = VerifyLeg(bench, random);
  if (!wrong.empty()) {
    std::fprintf(stderr, "%s", wrong.c_str());
    std::abort();
  }
  return 0;
}
