#include "examples/exchange/reference.h"

#include <array>
#include <cstddef>

#include "examples/exchange/matching_engine.h"

namespace exchange {

ReferenceResult RunReference(OrderSource& source, std::uint16_t symbols, const RiskLimits& limits) {
  ReferenceResult result;
  Digest digest;
  RiskCheck risk(limits);
  MatchingEngine engine(symbols);
  std::array<std::byte, kOutputBytes> bytes{};
  for (Order order; source.Next(order);) {
    const std::uint64_t sequence = ++result.orders;
    order.verdict = risk.Check(sequence, order);
    const Outcome& outcome = engine.Apply(sequence, order);
    for (const Settlement& settlement : outcome.settlements) risk.Settle(settlement);
    for (const Output& output : outcome.outputs) {
      EncodeOutput(sequence, output, bytes.data());
      digest.Add(bytes.data(), bytes.size());
      ++result.outputs;
      if (output.type == OutputType::kTrade) ++result.trades;
      if (output.type == OutputType::kRejected) ++result.rejected;
    }
  }
  result.digest = digest.value();
  return result;
}

}  // namespace exchange
