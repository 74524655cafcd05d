// The counters of another program, found by its number or by the file that holds them.

#ifndef ISOLATES_TOOLS_TOP_ATTACH_H_
#define ISOLATES_TOOLS_TOP_ATTACH_H_

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "src/base/stats_copy.h"

namespace isolates::top {

// Says in a sentence why there is nothing to see.
class AttachError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A segment, mapped for reading. What is mapped stays when the program ends.
class Attached {
 public:
  // `target`: the number of a process, or a path. Throws AttachError.
  explicit Attached(const std::string& target);
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  ~Attached();

  internal::StatsCopy Copy() const { return internal::CopyStats(*header_); }
  // The program has ended, or its runtime has.
  bool gone() const;

 private:
  const internal::StatsHeader* header_ = nullptr;
  std::size_t bytes_ = 0;
};

// Where the program of that number keeps its counters.
std::string PathOf(const std::string& pid);
// The numbers of the programs of this user that can be attached to.
std::vector<std::string> RunningPrograms();

}  // namespace isolates::top

#endif  // ISOLATES_TOOLS_TOP_ATTACH_H_
