#include "examples/json_keys/options.h"

#include <charconv>
#include <system_error>

namespace json_keys {
namespace {

template <class Integer>
Integer ParseNumber(const std::string& option, const std::string& text, Integer minimum) {
  Integer number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || number < minimum) {
    throw UsageError(option + ": '" + text + "' is not a number of at least " +
                     std::to_string(minimum));
  }
  return number;
}

}  // namespace

const char kHelp[] =
    R"(count_json_keys [FILE] [--repeat N] [--compare] [--json] [--deadline MS]
count_json_keys --generate BYTES FILE

Reads and parses FILE in a worker isolate, hands the document over to the main isolate without copying it,
and counts the keys of the top level there (elements, if it is an array), as Dart's jsonData.length does.
FILE is a list of languages of the system's iso-codes package if none is given.

  --repeat N     as many times; medians, with the smallest and the largest value (1; 5 with --compare)
  --compare      the usual ways, too, in turns with ours: a deep copy instead of the hand-over, destructors
                 instead of the drop
  --json         one JSON object instead, times in nanoseconds: keys, bytes, blocks, parse_ns, verify_ns,
                 handover_ns, drop_ns and, with --compare, copy_ns, destructor_ns
  --deadline MS  fails if the worker has not answered after that time
  --generate     writes a file of exactly BYTES bytes, always the same: 100000000 gives 2 million values in
                 2.4 million blocks
  --help

  memory     blocks (bytes) that the document owns, found by the verification
  parse      text to document, in the worker; without reading the file
  verify     in the worker: all blocks of the document are visited, and compared with the live blocks of its
             heap (the census)
  hand-over  from the moment at which the worker has sealed the parcel, its last step before it publishes
             it, to the moment at which the main isolate holds it and has read its root. The main isolate
             sleeps while the worker parses, and polls from then on, on a
             processor of its own: no time to wake up is contained
  drop       of the whole document, in the main isolate

Exit status: 0, 1 after a failure, 2 if the command line is wrong.
)";

Options ParseOptions(const std::vector<std::string>& arguments) {
  Options options;
  std::vector<std::string> files;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& option = arguments[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 == arguments.size()) throw UsageError(option + ": a value is missing");
      return arguments[++i];
    };
    if (option == "--help") {
      options.help = true;
    } else if (option == "--compare") {
      options.compare = true;
    } else if (option == "--json") {
      options.json = true;
    } else if (option == "--repeat") {
      options.repeat = ParseNumber(option, value(), 1);
    } else if (option == "--deadline") {
      constexpr std::int32_t kMinimum = 0;
      options.deadline = std::chrono::milliseconds(ParseNumber(option, value(), kMinimum));
    } else if (option == "--generate") {
      constexpr std::uint64_t kSmallest = 3;  // {} and the end of the line
      options.generate_bytes = ParseNumber(option, value(), kSmallest);
    } else if (option.starts_with("--")) {
      throw UsageError("unknown option " + option);
    } else {
      files.push_back(option);
    }
  }
  if (files.size() > 1) throw UsageError("more than one file");
  if (!files.empty()) options.path = files.front();
  if (options.generate_bytes && files.empty()) throw UsageError("--generate: no file to write");
  return options;
}

}  // namespace json_keys
