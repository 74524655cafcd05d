#include "examples/exchange/report.h"

#include <cstdarg>
#include <cstdint>
#include <cstdio>

namespace exchange {
namespace {

__attribute__((format(printf, 1, 2))) std::string Format(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return text;
}

double Microseconds(std::uint64_t ns) { return 1e-3 * static_cast<double>(ns); }

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return quoted + '"';
}

std::uint64_t Faults(const MemoryEvents& events) {
  return events.minor_faults + events.major_faults;
}
double Rate(const RunReport& report) {
  const FeedReport& feed = report.pipeline.feed;
  if (feed.seconds <= 0) return 0;
  return static_cast<double>(feed.orders - report.warm_up) / feed.seconds;
}
const char* NameOf(Placement placement) {
  return placement == Placement::kShared ? "shared" : "dedicated";
}

}  // namespace

std::string ToTable(const RunReport& report) {
  const PipelineResult& run = report.pipeline;
  std::string text = Format("%-24s%10s%12s%12s%12s  µs\n", "", "p50", "p99", "p99.9", "max");
  for (const HopReport& hop : run.hops) {
    text += Format("%-24s%10.1f%12.1f%12.1f%12.1f\n", hop.name.c_str(), Microseconds(hop.p50),
                   Microseconds(hop.p99), Microseconds(hop.p999), Microseconds(hop.max));
  }
  text += Format("%llu orders, %llu of them recovered, %llu for the warm-up; %.0f a second\n",
                 static_cast<unsigned long long>(run.feed.orders),
                 static_cast<unsigned long long>(report.recovered.records),
                 static_cast<unsigned long long>(report.warm_up), Rate(report));
  text += Format("in steady state: %llu allocations, %llu page faults; memory %s\n",
                 static_cast<unsigned long long>(run.feed.steady.allocations),
                 static_cast<unsigned long long>(Faults(run.feed.steady)), report.memory.c_str());
  text += Format("%llu messages of market data, %llu batches to the disk, placement %s\n",
                 static_cast<unsigned long long>(run.outputs),
                 static_cast<unsigned long long>(run.batches), NameOf(report.placement));
  if (report.reference) {
    text +=
        report.identical() ? "identical to the reference\n" : "NOT identical to the reference\n";
  }
  return text;
}

std::string ToJson(const RunReport& report) {
  const PipelineResult& run = report.pipeline;
  std::string json = "{";
  if (report.reference) {
    json += Format("\"identical_to_reference\": %s, ", report.identical() ? "true" : "false");
    json += Format("\"trades\": %llu, \"rejected\": %llu, ",
                   static_cast<unsigned long long>(report.reference->trades),
                   static_cast<unsigned long long>(report.reference->rejected));
  }
  json += Format("\"steady_allocations\": %llu, \"steady_page_faults\": %llu, ",
                 static_cast<unsigned long long>(run.feed.steady.allocations),
                 static_cast<unsigned long long>(Faults(run.feed.steady)));
  json += Format("\"steady_major_faults\": %llu, ",
                 static_cast<unsigned long long>(run.feed.steady.major_faults));
  json += Format("\"orders\": %llu, \"warm_up\": %llu, \"recovered\": %llu, \"torn_bytes\": %llu, ",
                 static_cast<unsigned long long>(run.feed.orders),
                 static_cast<unsigned long long>(report.warm_up),
                 static_cast<unsigned long long>(report.recovered.records),
                 static_cast<unsigned long long>(report.recovered.torn_bytes));
  json += Format("\"seconds\": %.3f, \"rate\": %.0f, \"outputs\": %llu, \"output_bytes\": %llu, ",
                 run.feed.seconds, Rate(report), static_cast<unsigned long long>(run.outputs),
                 static_cast<unsigned long long>(run.digest.bytes));
  json += Format("\"digest\": \"%016llx%016llx\", \"batches\": %llu, ",
                 static_cast<unsigned long long>(run.digest.a),
                 static_cast<unsigned long long>(run.digest.b),
                 static_cast<unsigned long long>(run.batches));
  json += "\"memory\": " + Quoted(report.memory);
  json += Format(", \"placement\": \"%s\", \"latencies\": {", NameOf(report.placement));
  const char* comma = "";
  for (const HopReport& hop : run.hops) {
    json += Format(
        "%s\"%s\": {\"p50\": %llu, \"p99\": %llu, \"p99.9\": %llu, \"max\": %llu, "
        "\"count\": %llu}",
        comma, hop.name.c_str(), static_cast<unsigned long long>(hop.p50),
        static_cast<unsigned long long>(hop.p99), static_cast<unsigned long long>(hop.p999),
        static_cast<unsigned long long>(hop.max), static_cast<unsigned long long>(hop.count));
    comma = ", ";
  }
  return json + "}}";
}

}  // namespace exchange
