// Writes an order flow: generate --orders=N --rate=R --seed=S --symbols=K --out=FILE

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "examples/exchange/arguments.h"
#include "examples/exchange/order_flow.h"
#include "examples/exchange/order_generator.h"

namespace exchange {
namespace {

constexpr char kHelp[] =
    R"(generate [--orders=N] [--rate=R] [--seed=S] [--symbols=K] --out=FILE|-

Writes an order flow: N orders (1000000), R a second on average (1000000), for K symbols (8), always the same
for the same seed S (1). "-": to standard output.
)";

int Generate(int argc, char** argv) {
  GeneratorOptions options;
  std::string out;
  for (int i = 1; i < argc; ++i) {
    const Argument<std::invalid_argument> argument(argv[i]);
    if (argument.Is("--help")) {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (argument.Number("--orders=", options.orders) ||
        argument.Number<std::uint64_t>("--rate=", options.rate, 0, 10'000'000) ||
        argument.Number("--seed=", options.seed) ||
        argument.Number<std::uint16_t>("--symbols=", options.symbols, 1, kMostSymbols)) {
      continue;
    }
    const auto value = argument.Value("--out=");
    if (!value) throw std::invalid_argument("unknown option " + std::string(argv[i]));
    out = *value;
  }
  if (out.empty()) throw std::invalid_argument("--out=FILE is missing");
  OrderGenerator generator(options);
  FlowWriter writer(out, {options.symbols, options.orders});
  for (Order order; generator.Next(order);) writer.Write(order);
  writer.Finish();
  return 0;
}

}  // namespace
}  // namespace exchange

int main(int argc, char** argv) {
  try {
    return exchange::Generate(argc, argv);
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "generate: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "generate: %s\n", error.what());
    return 1;
  }
}
