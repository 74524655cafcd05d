#include "benchmarks/support/report_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace isolates::bench {
namespace {

std::string Number(double value, const char* none) {
  if (!std::isfinite(value)) return none;
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + '"';
}

// For readers: three digits, whatever the size.
std::string Short(double value) {
  if (!std::isfinite(value)) return "-";
  std::array<char, 40> text{};
  const double size = std::abs(value);
  const int digits = size == 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

}  // namespace

Result ResultOf(const Compared& candidate, std::string unit) {
  Result result;
  result.name = candidate.name;
  result.value = candidate.value.median;
  result.unit = std::move(unit);
  result.limit = candidate.limit.median;
  result.ratio = candidate.ratio.median;
  result.kept = candidate.kept;
  result.dropped = candidate.dropped;
  result.min = candidate.value.min;
  result.max = candidate.value.max;
  return result;
}

Result ResultOf(std::string name, const Spread& spread, std::string unit, int repetitions) {
  Result result;
  result.name = std::move(name);
  result.value = spread.median;
  result.unit = std::move(unit);
  result.kept = repetitions;
  result.min = spread.min;
  result.max = spread.max;
  return result;
}

std::string ToJson(std::span<const Result> results) {
  std::string json = "[";
  const char* separator = "\n";
  for (const Result& result : results) {
    json += std::exchange(separator, ",\n");
    json += "  {\"name\": " + Quoted(result.name) + ", \"value\": " + Number(result.value, "null") +
            ", \"unit\": " + Quoted(result.unit) + ", \"limit\": " + Number(result.limit, "null") +
            ", \"ratio\": " + Number(result.ratio, "null") +
            ", \"kept\": " + std::to_string(result.kept) +
            ", \"dropped\": " + std::to_string(result.dropped) +
            ", \"min\": " + Number(result.min, "null") + ", \"max\": " + Number(result.max, "null");
    json += ", \"reach\": " + Number(result.reach.value_or(kUnknown), "null");
    json += ", \"reached\": ";
    json += !result.reached ? "null" : *result.reached ? "true" : "false";
    json += "}";
  }
  return json + "\n]\n";
}

std::string ToMarkdown(std::span<const Result> results) {
  const bool reaches =
      std::any_of(results.begin(), results.end(), [](const Result& one) { return one.reach; });
  std::string table = "| what | median | min .. max | unit | limit | ratio | kept, dropped |";
  table += reaches ? " reach | reached |\n" : "\n";
  table += reaches ? "|---|---|---|---|---|---|---|---|---|\n" : "|---|---|---|---|---|---|---|\n";
  for (const Result& result : results) {
    table += "| " + result.name + " | " + Short(result.value) + " | " + Short(result.min) + " .. " +
             Short(result.max) + " | " + result.unit + " | " + Short(result.limit) + " | " +
             Short(result.ratio) + " | " + std::to_string(result.kept) + ", " +
             std::to_string(result.dropped) + " |";
    if (reaches) {
      table += " " + Short(result.reach.value_or(kUnknown)) + " | ";
      if (result.reached) table += *result.reached ? "yes " : "no ";
      table += "|";
    }
    table += "\n";
  }
  return table;
}

}  // namespace isolates::bench
