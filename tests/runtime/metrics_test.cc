// The metrics are sound text of the format, and say what was counted.

#include "isolates/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "isolates/isolates.h"
#include "src/runtime/metrics_text.h"
#include "tests/runtime/prometheus_text.h"

namespace isolates {
namespace {

using internal::HistogramsCopy;
using internal::IsolateCopy;
using internal::MetricsOf;
using internal::StatsCopy;
using prometheus::Family;
using prometheus::Labels;
using prometheus::Parser;

// Names that the format has to escape.
constexpr const char* kHardName = "a \"name\" with \\ and\na line";

StatsCopy SomeStats() {
  StatsCopy stats;
  internal::ThreadCopy thread;
  thread.id = 100;
  thread.name = "isolates-w1";
  thread.turns = 12;
  thread.busy = 1'500'000'001;
  stats.threads.push_back(thread);
  IsolateCopy isolate;
  isolate.id = 7;
  isolate.name = kHardName;
  isolate.received = 42;
  HistogramsCopy histograms;
  // 100 ns, 1 us and a minute.
  for (const std::uint64_t duration : {100ULL, 1000ULL, 60'000'000'000ULL}) {
    ++histograms.waiting.buckets[internal::StatsHistogram::BucketOf(duration)];
    ++histograms.waiting.count;
    histograms.waiting.sum += duration;
  }
  isolate.histograms = histograms;
  stats.isolates.push_back(isolate);
  isolate.id = 8;
  isolate.histograms.reset();
  stats.isolates.push_back(isolate);
  internal::PortCopy port;
  port.id = 3;
  port.isolate = 7;
  port.depth = 5;
  stats.ports.push_back(port);
  return stats;
}

TEST(MetricsTest, EachCounterIsASampleWithItsLabels) {
  RuntimeInfo info;
  info.isolates_started = 17;
  const StatsCopy stats = SomeStats();
  auto families = Parser::Parse(MetricsOf(info, &stats));
  EXPECT_EQ(families["isolates_started_total"].Value("isolates_started_total"), 17);
  EXPECT_EQ(families["isolates_thread_turns_total"].Value(
                "isolates_thread_turns_total", {{"thread", "isolates-w1"}, {"tid", "100"}}),
            12);
  EXPECT_EQ(families["isolates_thread_busy_seconds_total"].Value(
                "isolates_thread_busy_seconds_total", {{"thread", "isolates-w1"}, {"tid", "100"}}),
            1.500000001);
  EXPECT_EQ(families["isolates_isolate_received_messages_total"].Value(
                "isolates_isolate_received_messages_total", {{"isolate", kHardName}, {"id", "7"}}),
            42);
  // The port has no name, and so no label for it.
  EXPECT_EQ(families["isolates_port_depth"].Value("isolates_port_depth",
                                                  {{"id", "3"}, {"isolate_id", "7"}}),
            5);
  for (const auto& [name, family] : families) {
    EXPECT_FALSE(family.help.empty()) << name;
    EXPECT_FALSE(family.type.empty()) << name;
  }
}

TEST(MetricsTest, HistogramsAreCumulative) {
  const StatsCopy stats = SomeStats();
  const std::string name = "isolates_turn_waiting_seconds";
  const Family family = Parser::Parse(MetricsOf({}, &stats))[name];
  EXPECT_EQ(family.type, "histogram");
  const auto bucket = [&](const char* le) {
    return family.Value(name + "_bucket", {{"isolate", kHardName}, {"id", "7"}, {"le", le}});
  };
  EXPECT_EQ(bucket("0.000000063"), 0);
  EXPECT_EQ(bucket("0.000000255"), 1);
  EXPECT_EQ(bucket("0.000001023"), 2);
  EXPECT_EQ(bucket("17.179869183"), 2);
  EXPECT_EQ(bucket("68.719476735"), 3);
  EXPECT_EQ(bucket("+Inf"), 3);
  const Labels labels = {{"isolate", kHardName}, {"id", "7"}};
  EXPECT_EQ(family.Value(name + "_count", labels), 3);
  EXPECT_EQ(family.Value(name + "_sum", labels), 60.0000011);
}

TEST(MetricsTest, WithoutInstrumentsTheRuntimeIsLeft) {
  const auto families = Parser::Parse(MetricsOf({}, nullptr));
  EXPECT_EQ(families.size(), 5U);
  EXPECT_EQ(families.count("isolates_live"), 1U);
}

// The running process.
TEST(MetricsTest, WhatHappensRises) {
  const auto read = [] {
    std::ostringstream text;
    WriteMetrics(text);
    return Parser::Parse(text.str());
  };
  const std::string started = "isolates_started_total";
  const double before = read()[started].Value(started);
  for (int i = 0; i < 3; ++i) (void)Isolate::Run([] { return 1; }).Get();
  EXPECT_EQ(read()[started].Value(started), before + 3);
}

// --- the parser refuses what a server could misread

std::string Refusal(const std::string& text) {
  try {
    (void)Parser::Parse(text);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PrometheusTextTest, SoundTextIsAccepted) {
  EXPECT_EQ(Refusal("# HELP a_total What.\n# TYPE a_total counter\na_total{x=\"1\"} 2\n"
                    "a_total{x=\"\\\"\\\\\\n\"} 3e4\n\n# a comment\n"),
            "accepted");
  EXPECT_EQ(Refusal("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\n"
                    "h_sum 3\nh_count 2\n"),
            "accepted");
}

TEST(PrometheusTextTest, BrokenTextIsRefused) {
  const std::string counter = "# TYPE a_total counter\n";
  const std::string histogram = "# TYPE h histogram\n";
  const std::map<std::string, std::string> broken = {
      {"the last line has no end", counter + "a_total 1"},
      {"no TYPE", "a_total 1\n"},
      {"a second TYPE", counter + counter},
      {"TYPE behind", "# TYPE b gauge\nb 1\n# TYPE b gauge\n"},
      {"no type", "# TYPE a_total number\n"},
      {"a counter that is not named so", "# TYPE a counter\na 1\n"},
      {"a counter below zero", counter + "a_total -1\n"},
      {"a sample twice", counter + "a_total 1\na_total 2\n"},
      {"no number", counter + "a_total 1x\n"},
      {"a sample without a value", counter + "a_total\n"},
      {"something behind", counter + "a_total 1 2 \n"},
      {"a name is missing", "1a 1\n"},
      {"labels without end", counter + "a_total{x=\"1\" 1\n"},
      {"a value of a label without end", counter + "a_total{x=\"1} 1\n"},
      {"an escape that is none", counter + "a_total{x=\"\\t\"} 1\n"},
      {"a label without a value", counter + "a_total{x=1} 1\n"},
      {"a label twice", counter + "a_total{x=\"1\",x=\"2\"} 1\n"},
      {"a second group", counter + "a_total 1\n# TYPE b gauge\nb 1\na_total{x=\"1\"} 2\n"},
      {"no bucket +Inf", histogram + "h_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n"},
      {"buckets are not cumulative",
       histogram + "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"},
      {"_count is not +Inf", histogram + "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n"},
      {"no _sum", histogram + "h_bucket{le=\"+Inf\"} 1\nh_count 1\n"},
      {"a bucket without le", histogram + "h_bucket 1\nh_sum 1\nh_count 1\n"},
      {"no buckets", histogram + "h_sum 1\nh_count 1\n"},
  };
  for (const auto& [why, text] : broken) {
    EXPECT_THAT(Refusal(text), testing::HasSubstr(why == "TYPE behind" ? "a second TYPE" : why))
        << text;
  }
}

}  // namespace
}  // namespace isolates
