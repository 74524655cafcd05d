// Where the threads of a benchmark run: on one processor, on two, or where the system puts them.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_PLACEMENT_H_
#define ISOLATES_BENCHMARKS_SUPPORT_PLACEMENT_H_

#include <sched.h>

#include <optional>
#include <string_view>
#include <vector>

namespace isolates::bench {

enum class Placement {
  kSame,   // all threads of the process on one processor
  kCross,  // each party on a processor of its own
  kFree,   // nothing is pinned
};

// "same", "cross", "free"; otherwise nothing.
std::optional<Placement> ParsePlacement(std::string_view text);
std::string_view ToString(Placement placement);

// The processors that the process was allowed to use when it started, ascending.
const std::vector<int>& AllowedCpus();

struct CpuPair {
  int near;  // of the thread that measures
  int far;
};

// The first two allowed processors; nothing if there is only one.
std::optional<CpuPair> TwoCpus();

// For kSame: pins the calling thread, and so all that it starts from now on, to one processor. At
// the start of main, before the first use of the library.
void RestrictProcess(Placement placement);

// The calling thread stays on one processor while this lives. A refusal by the system is ignored.
class PinnedHere {
 public:
  explicit PinnedHere(int cpu);
  PinnedHere(const PinnedHere&) = delete;
  PinnedHere& operator=(const PinnedHere&) = delete;
  ~PinnedHere();

 private:
  cpu_set_t before_;
};

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_PLACEMENT_H_
