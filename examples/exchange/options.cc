#include "examples/exchange/options.h"

#include <cstdint>
#include <memory>

#include "examples/exchange/arguments.h"

namespace exchange {

const char kHelp[] =
    R"(exchange [--orders=N] [--rate=R] [--seed=S] [--symbols=K] [--input=FILE|-]
         [--journal=FILE [--recover]] [--market-data=FILE] [--page=FILE] [--json]

Runs an exchange on an order flow that it makes itself, or that comes from a file or a pipe, and tells the
latency of each hop, whether anything was allocated or faulted in steady state, and whether the results are
those of the single-threaded reference, byte by byte.

  --orders=N         of the generated flow that are measured (1000000)
  --rate=R           of the generated flow, orders a second on average (100000)
  --seed=S           of the generated flow (1)
  --symbols=K        of the generated flow, or at most of a piped one (8)
  --input=FILE       an order flow (see generate); "-": standard input. Its times are kept
  --warm-up=N        orders before those that are measured, as fast as they can be (200000; 0 with --input)
  --unpaced          all orders as fast as they can be
  --journal=FILE     appends each order to this file; an order is acknowledged when it is durable there.
                     Without it a temporary file is written and removed
  --recover          goes on with the journal: replays it, and then takes the flow from the first order that
                     is not in it. The flow is given from its beginning
  --acks=FD          writes acknowledgements to this descriptor: the sequence of the last order that is
                     durable, eight bytes, little endian
  --market-data=FILE writes the output stream
  --placement=P      "dedicated": a processor for each stage; "shared": one for the feed, the others share.
                     By default as the machine allows
  --idle=I           what workers do while they wait: "spin", "adaptive" (the default), "back-off", "park"
  --no-lock          does not lock memory
  --no-check         without the reference
  --page=FILE        a page (HTML, nothing else is needed) with the latencies as pictures
  --json             the last line is one JSON object; times in nanoseconds
  --help

Exit status: 0, 1 after a failure or if the results differ, 2 if the command line is wrong.
)";

namespace {

std::shared_ptr<const isolates::IdleStrategy> IdleOf(const std::string& name) {
  if (name == "spin") return isolates::BusySpin();
  if (name == "adaptive") return isolates::SpinThenPark();
  if (name == "back-off") return isolates::BackOff();
  if (name == "park") return isolates::Park();
  throw UsageError("--idle= wants spin, adaptive, back-off or park, not '" + name + "'");
}

}  // namespace

Options ParseOptions(const std::vector<std::string>& arguments) {
  Options options;
  GeneratorOptions& generator = options.flow.generator;
  generator.rate = 100'000;
  std::uint64_t warm_up = 0;
  for (const std::string& text : arguments) {
    const Argument<UsageError> argument(text);
    if (argument.Is("--help")) {
      options.help = true;
    } else if (argument.Is("--json")) {
      options.json = true;
    } else if (argument.Is("--no-check")) {
      options.check = false;
    } else if (argument.Is("--no-lock")) {
      options.lock = false;
    } else if (argument.Is("--recover")) {
      options.recover = true;
    } else if (argument.Is("--unpaced")) {
      options.paced = false;
    } else if (argument.Is("--acks-too-early")) {
      options.acks_too_early = true;  // not in the help: it is there to be caught by a test
    } else if (argument.Number<std::uint64_t>("--warm-up=", warm_up)) {
      options.warm_up = warm_up;
    } else if (argument.Number<std::uint64_t>("--orders=", generator.orders, 1) ||
               argument.Number<std::uint64_t>("--rate=", generator.rate, 1, 10'000'000) ||
               argument.Number("--seed=", generator.seed) ||
               argument.Number<std::uint16_t>("--symbols=", generator.symbols, 1, kMostSymbols) ||
               argument.Number("--acks=", options.acks)) {
      continue;
    } else if (const auto value = argument.Value("--placement=")) {
      if (*value != "shared" && *value != "dedicated") {
        throw UsageError("--placement= wants shared or dedicated, not '" + *value + "'");
      }
      options.placement = *value == "shared" ? Placement::kShared : Placement::kDedicated;
    } else if (const auto idle = argument.Value("--idle=")) {
      options.idle = IdleOf(*idle);
    } else if (const auto input = argument.Value("--input=")) {
      options.flow.input = *input;
    } else if (const auto journal = argument.Value("--journal=")) {
      options.journal = *journal;
    } else if (const auto output = argument.Value("--market-data=")) {
      options.output = *output;
    } else if (const auto page = argument.Value("--page=")) {
      options.page = *page;
    } else {
      throw UsageError("unknown option " + text);
    }
  }
  if (options.recover && options.journal.empty()) throw UsageError("--recover needs --journal");
  return options;
}

}  // namespace exchange
