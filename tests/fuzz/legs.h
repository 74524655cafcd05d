#ifndef ISOLATES_TESTS_FUZZ_LEGS_H_
#define ISOLATES_TESTS_FUZZ_LEGS_H_

// What is tried with a graph. Each function takes one seed (or the bytes of a fuzzing engine), does
// one graph and returns what went wrong, or nothing.

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/graph.h"
#include "tests/fuzz/random.h"
#include "tests/fuzz/worker.h"

namespace isolates::fuzz {

// One for each thread.
struct Bench {
  Worker worker;
  Survey survey;
  PlantCounts counts;
  bool secret = false;  // plant something that the oracle does not know: every leg must notice
  const TypeOps* only = nullptr;  // this type instead of all
  bool alone = false;             // no other thread takes heaps: retired ones can be looked at
};

// The type of the next graph.
const TypeOps& PickType(const Bench& bench, Choices& random);

enum class Leg : std::uint8_t { kVerify, kParcel, kProperty, kAll };

// Planted violations are found, all of them and nothing else; the owned blocks are the live ones.
std::string VerifyLeg(Bench& bench, Choices& random);
// Parcels are dropped whole exactly if they may be, and leave nothing behind.
std::string ParcelLeg(Bench& bench, Choices& random);
// A graph arrives as it was built.
std::string PropertyLeg(Bench& bench, Choices& random);

// kAll: mostly the first leg, with some of the others, by seed.
std::string RunGraph(Bench& bench, Leg leg, Choices& random);

struct Run {
  std::uint64_t seed = 1;
  std::uint64_t graphs = 20'000;
  std::uint64_t first = 0;
  unsigned threads = 2;
  Leg leg = Leg::kAll;
  bool secret = false;
  const TypeOps* only = nullptr;
};
struct Outcome {
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  PlantCounts counts;
  std::string failures;  // the first few
};
// Graph i of a run is made from GraphSeed(seed, i), whatever the number of threads.
Outcome RunGraphs(const Run& run);

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_LEGS_H_
