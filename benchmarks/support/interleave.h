// The bracketed runner: candidates and their limit are taken in turns, in one process, and the
// limit before and after each repetition. Where the two disagree the machine has changed in
// between, and the repetition is dropped.
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
  int wanted = 15;             // it ends when so many repetitions were kept,
  int most_repetitions = 100;  // or so many were made,
  double most_seconds = 20;    // or a repetition has ended after so long
  double tolerance = 0.10;     // between the two figures of the limit
  bool warm_up = true;         // one repetition before, which does not count
};

struct Compared {
  std::string name;
  Spread value;
  Spread ratio;  // to the mean of the limit before and after, each repetition by itself
};

struct Interleaved {
  int kept = 0;
  int dropped = 0;
  bool enough = false;  // as many were kept as were wanted
  Spread limit;         // of those kept
  std::vector<Compared> candidates;
};

// The candidates of a repetition run in their order, and in every second one in the reverse of it.
Interleaved Interleave(const std::function<double()>& limit,
                       const std::vector<Candidate>& candidates,
                       const InterleaveOptions& options = {});

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_INTERLEAVE_H_
