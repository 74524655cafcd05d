// For zero_cost_test.sh, which reads the machine code: the verification of types whose name begins
// with Zero must be nothing but a return, that of the others must look at the value.

#include <cstdint>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "isolates/transfer.h"

namespace isolates::internal {
namespace {

struct Point {
  double x;
  double y;
  int tags[4];
};
struct Order {
  std::uint64_t id;
  std::string client;
  std::optional<std::string> note;
  std::vector<Point> path;
};
struct Tree {
  std::string name;
  std::vector<std::unique_ptr<Tree>> children;
};
struct Quote {
  std::uint64_t id;
  std::string_view symbol;
};

}  // namespace

#define ISOLATES_PROBE(name, ...) \
  extern "C" void name(const __VA_ARGS__& value) { VerifyForSend(value, "message"); }

ISOLATES_PROBE(ZeroNumber, std::uint64_t)
ISOLATES_PROBE(ZeroPoint, Point)
ISOLATES_PROBE(ZeroString, std::string)
ISOLATES_PROBE(ZeroVector, std::vector<std::vector<std::string>>)
ISOLATES_PROBE(ZeroOrders, std::vector<Order>)
ISOLATES_PROBE(ZeroMap, std::map<std::string, std::vector<Order>>)
ISOLATES_PROBE(ZeroTree, Tree)
ISOLATES_PROBE(ZeroVariant,
               std::tuple<std::variant<int, std::string, Order>, std::unique_ptr<Tree>>)
ISOLATES_PROBE(ZeroParcel, Parcel<Tree>)

ISOLATES_PROBE(LookStringView, std::string_view)
ISOLATES_PROBE(LookPointer, int*)
ISOLATES_PROBE(LookSpan, std::vector<std::span<const double>>)
ISOLATES_PROBE(LookShared, std::shared_ptr<std::string>)
ISOLATES_PROBE(LookPmr, std::pmr::vector<int>)
ISOLATES_PROBE(LookQuote, Quote)

extern "C" void LookOrdersOnDemand(const std::vector<Order>& value) {
  VerifyForSend(value, "message", VerifyLevel::kAlways);
}

}  // namespace isolates::internal
