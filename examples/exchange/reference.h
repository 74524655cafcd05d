// The same exchange without isolates: one loop over the orders. Whatever the pipeline does must
// lead to the same bytes.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_REFERENCE_H_
#define ISOLATES_EXAMPLES_EXCHANGE_REFERENCE_H_

#include <cstdint>

#include "examples/exchange/market_data.h"
#include "examples/exchange/order_flow.h"
#include "examples/exchange/risk_check.h"

namespace exchange {

struct ReferenceResult {
  DigestValue digest;  // of all output bytes
  std::uint64_t orders = 0;
  std::uint64_t outputs = 0;
  std::uint64_t trades = 0;
  std::uint64_t rejected = 0;
};

// Reads all orders of the source.
ReferenceResult RunReference(OrderSource& source, std::uint16_t symbols, const RiskLimits& limits);

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_REFERENCE_H_
