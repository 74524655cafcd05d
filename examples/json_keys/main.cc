// Counts the keys of a JSON file that a worker isolate has read and parsed, and tells how long
// everything took. See kHelp in options.cc.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "examples/json_keys/generate.h"
#include "examples/json_keys/measure.h"
#include "examples/json_keys/options.h"
#include "isolates/isolates.h"

namespace {

using json_keys::Measured;
using json_keys::Median;
using json_keys::Options;
using json_keys::Samples;

std::string OneDecimal(double number) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.1f", number);
  return text;
}

std::string TimeText(std::int64_t ns) {
  const auto number = static_cast<double>(ns);
  if (ns < 10'000) return std::to_string(ns) + " ns";
  if (ns < 10'000'000) return OneDecimal(number / 1e3) + " us";
  return OneDecimal(number / 1e6) + " ms";
}

std::string Summary(const Samples& samples) {
  std::string text = TimeText(Median(samples));
  if (samples.size() > 1) {
    const auto [min, max] = std::minmax_element(samples.begin(), samples.end());
    text += " (" + TimeText(*min) + " .. " + TimeText(*max) + ")";
  }
  return text;
}

// How many times the usual way takes as long as ours.
std::string Ratio(const Samples& usual, const Samples& ours) {
  const auto divisor = static_cast<double>(std::max<std::int64_t>(Median(ours), 1));
  return OneDecimal(static_cast<double>(Median(usual)) / divisor) + " times";
}

void PrintText(const Options& options, const Measured& measured) {
  const isolates::Receipt& receipt = measured.receipt;
  std::cout << "Number of JSON keys: " << measured.keys << '\n'
            << "file       " << options.path << ", " << measured.file_bytes << " bytes\n"
            << "memory     " << receipt.reachable_blocks << " blocks, " << receipt.reachable_bytes
            << " bytes\n"
            << "parse      " << Summary(measured.parse_ns) << '\n'
            << "verify     " << Summary(measured.verify_ns) << '\n'
            << "hand-over  " << Summary(measured.handover_ns) << '\n'
            << "drop       " << Summary(measured.drop_ns)
            << (receipt.droppable
                    ? ", as a whole\n"
                    : ", by destructors: " + std::string(ToString(receipt.reason)) + "\n");
  if (options.compare) {
    std::cout << "deep copy    " << Summary(measured.copy_ns) << ": "
              << Ratio(measured.copy_ns, measured.handover_ns) << " the hand-over\n"
              << "destructors  " << Summary(measured.destructor_ns) << ": "
              << Ratio(measured.destructor_ns, measured.drop_ns) << " the drop\n";
  }
}

void PrintJson(const Options& options, const Measured& measured) {
  nlohmann::ordered_json object;
  object["keys"] = measured.keys;
  object["bytes"] = measured.receipt.reachable_bytes;
  object["blocks"] = measured.receipt.reachable_blocks;
  object["parse_ns"] = Median(measured.parse_ns);
  object["verify_ns"] = Median(measured.verify_ns);
  object["handover_ns"] = Median(measured.handover_ns);
  object["drop_ns"] = Median(measured.drop_ns);
  if (options.compare) {
    object["copy_ns"] = Median(measured.copy_ns);
    object["destructor_ns"] = Median(measured.destructor_ns);
  }
  std::cout << object.dump() << '\n';
}

void Main(const std::vector<std::string>& arguments) {
  const Options options = json_keys::ParseOptions(arguments);
  // `bazel run` starts programs elsewhere; names of files are meant from where the user is.
  if (const char* const directory = std::getenv("BUILD_WORKING_DIRECTORY")) {
    std::filesystem::current_path(directory);
  }
  if (options.help) {
    std::cout << json_keys::kHelp;
  } else if (options.generate_bytes) {
    json_keys::Generate(options.path, *options.generate_bytes);
  } else {
    const Measured measured = json_keys::Measure(options);
    options.json ? PrintJson(options, measured) : PrintText(options, measured);
  }
  if (!std::cout.flush()) throw std::runtime_error("cannot write the output");
}

}  // namespace

int main(int argc, char** argv) {
  const auto fail = [](std::string_view message, int status) {
    std::cerr << "count_json_keys: " << message << '\n';
    return status;
  };
  try {
    Main(std::vector<std::string>(argv + 1, argv + argc));
    return 0;
  } catch (const json_keys::UsageError& e) {
    return fail(std::string(e.what()) + "; see --help", 2);
  } catch (const isolates::RemoteError& e) {
    return fail(e.message(), 1);
  } catch (const std::exception& e) {
    return fail(e.what(), 1);
  }
}
