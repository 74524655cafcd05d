// The bracketed runner: candidates and their limit are taken in turns, in one process, the limit
// before and after each candidate. Where the two disagree the machine has changed in between, and
// what was measured there is dropped.
//
//   const auto compared = Interleave([&] { return RawBounce(cpus); },
//                                    {{"port", [&] { return PortRoundTrip(); }},
//                                     {"moodycamel", [&] { return MoodycamelRoundTrip(cpus); }}});
//   compared.candidates[0].ratio.median  // of port to the raw bounce
//
// What the functions return is theirs to choose, as long as all return the same kind of figure:
// nanoseconds, or operations in a second.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_INTERLEAVE_H_
#define ISOLATES_BENCHMARKS_SUPPORT_INTERLEAVE_H_

#include <functional>
#include <string>
#include <vector>

#include "benchmarks/support/spread.h"

namespace isolates::bench {

struct Candidate {
  std::string name;
  std::function<double()> measure;
};

struct InterleaveOptions {
  int wanted = 15;             // it ends when so many figures of each candidate were kept,
  int most_repetitions = 100;  // or so many of each were taken,
  double most_seconds = 20;    // or each was taken once and so much time has passed
  double tolerance = 0.10;     // between the two figures of the limit
  bool warm_up = true;         // all are taken once before, which does not count
};

// Of what was kept.
struct Compared {
  std::string name;
  int kept = 0;
  int dropped = 0;
  Spread value;
  Spread limit;  // the mean of before and after
  Spread ratio;  // of each value to its own limit
};

struct Interleaved {
  int kept = 0;         // of the candidate that has the fewest
  int dropped = 0;      // of the one that has the most
  bool enough = false;  // as many as were wanted were kept of each
  Spread limit;         // all that were taken
  std::vector<Compared> candidates;
};

// Candidates come in their order, and every second time in the reverse of it. One that has enough
// is not taken any more.
Interleaved Interleave(const std::function<double()>& limit,
                       const std::vector<Candidate>& candidates,
                       const InterleaveOptions& options = {});

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_INTERLEAVE_H_
