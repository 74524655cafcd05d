// The command line of the exchange.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_OPTIONS_H_
#define ISOLATES_EXAMPLES_EXCHANGE_OPTIONS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "examples/exchange/pipeline.h"
#include "isolates/isolates.h"

namespace exchange {

struct Options {
  bool help = false;
  bool json = false;
  bool check = true;
  bool lock = true;
  bool recover = false;
  FlowOptions flow;
  std::optional<std::uint64_t> warm_up;
  std::optional<Placement> placement;
  std::shared_ptr<const isolates::IdleStrategy> idle;
  bool paced = true;
  std::string journal;
  std::string output;
  std::string page;
  int acks = -1;
  bool acks_too_early = false;
};

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws UsageError.
Options ParseOptions(const std::vector<std::string>& arguments);

extern const char kHelp[];

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_OPTIONS_H_
