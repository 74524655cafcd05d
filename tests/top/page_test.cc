// What isolates-top shows, and what it says when there is nothing to show.

#include "tools/top/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/base/stats_segment_util.h"
#include "tools/top/attach.h"

namespace isolates::top {
namespace {

using internal::StatsPut;
using internal::StatsSegment;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kSecond = 1'000'000'000;

// The words of the line that begins with `first`; behind the line `after`.
std::vector<std::string> Words(const std::vector<std::string>& page, const std::string& first,
                               const std::string& after) {
  const auto starts = [](const std::string& word) {
    return [word](const std::string& line) { return line.rfind(word, 0) == 0; };
  };
  const auto table = std::find_if(page.begin(), page.end(), starts(after + " "));
  const auto line = std::find_if(table, page.end(), starts(first));
  std::vector<std::string> words;
  if (line == page.end()) return words;
  std::istringstream text(*line);
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

Look LookAt(const StatsSegment& segment, std::uint64_t time) {
  return {internal::CopyStats(segment.header), time};
}

TEST(PageTest, RatesAreThoseBetweenTheLooks) {
  const auto segment = internal::MakeSegment();
  auto& thread = internal::AddThread(*segment, 77, "isolates-w1");
  auto& busy = internal::AddIsolate(*segment, 5, "busy");
  auto& lazy = internal::AddIsolate(*segment, 4, "lazy");
  auto& port = internal::AddPort(*segment, 9, 5, "orders");
  StatsPut(thread.worker, 1);
  StatsPut(thread.state, internal::kStatsParked);
  StatsPut(thread.busy, kSecond);
  StatsPut(thread.turns, 100);
  StatsPut(busy.received, 1000);
  StatsPut(port.received, 1000);
  const Look before = LookAt(*segment, 10 * kSecond);
  StatsPut(thread.busy, 2 * kSecond);
  StatsPut(thread.turns, 700);
  StatsPut(thread.isolate, 5);
  StatsPut(busy.handling, kSecond / 2);
  StatsPut(busy.turns, 40);
  StatsPut(busy.received, 5000);
  StatsPut(busy.sent, 2);
  StatsPut(lazy.handling, kSecond / 50);
  StatsPut(port.received, 5000);
  StatsPut(port.depth, 3);
  StatsPut(port.depth_max, 12);
  const auto page = FormatPage(before, LookAt(*segment, 12 * kSecond), /*gone=*/false);

  EXPECT_EQ(page[0], "isolates-top: a program (" + std::to_string(getpid()) + "), up 12.0s");
  EXPECT_EQ(page[1], "1 threads, 2 isolates, 1 ports");
  EXPECT_THAT(Words(page, "isolates-w1", "THREAD"),
              ElementsAre("isolates-w1", "sleeps", "busy", "50.0", "300", "0", "0", "0"));
  EXPECT_THAT(Words(page, "busy", "ISOLATE"), ElementsAre("busy", "5", "25.0", "20", "2.00k",
                                                          "1.00", "5000", "-", "-", "-", "-", "-"));
  EXPECT_THAT(Words(page, "orders", "PORT"),
              ElementsAre("orders", "9", "busy", "3", "12", "2.00k", "5000"));
  // By their time.
  const auto line_of = [&](const char* name) {
    return std::find_if(page.begin(), page.end(),
                        [&](const std::string& line) { return line.rfind(name, 0) == 0; });
  };
  EXPECT_LT(line_of("busy"), line_of("lazy"));
}

TEST(PageTest, ATurnThatHasNotEndedCountsAsFarAsItHasCome) {
  const auto segment = internal::MakeSegment();
  auto& stuck = internal::AddIsolate(*segment, 5, "stuck");
  StatsPut(stuck.turn_began, 2 * kSecond);
  const Look before = LookAt(*segment, 10 * kSecond);
  const Look now = LookAt(*segment, 12 * kSecond);
  EXPECT_EQ(Words(FormatPage(before, now, false), "stuck", "ISOLATE")[2], "100.0");
  // Times of another clock tell nothing.
  StatsPut(segment->header.clock, 1);
  const Look other = LookAt(*segment, 12 * kSecond);
  EXPECT_EQ(Words(FormatPage(LookAt(*segment, 10 * kSecond), other, false), "stuck", "ISOLATE")[2],
            "0.0");
}

TEST(PageTest, QuantilesAreThoseOfTheInterval) {
  const auto segment = internal::MakeSegment();
  auto& isolate = internal::AddIsolate(*segment, 5, "one");
  StatsPut(isolate.histograms, 1);
  segment->histograms[0].waiting.Record(5 * kSecond);
  const Look before = LookAt(*segment, kSecond);
  for (int i = 0; i < 10; ++i) segment->histograms[0].waiting.Record(1000);
  const auto words =
      Words(FormatPage(before, LookAt(*segment, 2 * kSecond), false), "one", "ISOLATE");
  EXPECT_EQ(words[7], "1.02us");
  EXPECT_EQ(words[8], "1.02us");
  EXPECT_EQ(words[9], "-");
}

TEST(PageTest, AProgramThatHasEndedIsSaidSo) {
  const auto segment = internal::MakeSegment();
  const Look look = LookAt(*segment, kSecond);
  EXPECT_THAT(FormatPage(look, look, /*gone=*/true)[0], HasSubstr("has ended"));
}

TEST(PageTest, NumbersAreShort) {
  EXPECT_EQ(FormatDuration(740), "740ns");
  EXPECT_EQ(FormatDuration(1250), "1.25us");
  EXPECT_EQ(FormatDuration(33'100'000), "33.1ms");
  EXPECT_EQ(FormatDuration(999'999'999), "1.00s");
  EXPECT_EQ(FormatDuration(250 * kSecond), "4m10s");
  EXPECT_EQ(FormatDuration(7260 * kSecond), "2h1m");
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(0.5), "0.50");
  EXPECT_EQ(FormatCount(950), "950");
  EXPECT_EQ(FormatCount(12'345), "12.3k");
  EXPECT_EQ(FormatCount(4'560'000), "4.56M");
  EXPECT_EQ(Fit("abc", 5), "abc  ");
  EXPECT_EQ(Fit("abcdef", 3), "abc");
  EXPECT_EQ(Fit("gr\xc3\xbc\xc3\x9f"
                "e",
                4),
            "gr\xc3\xbc\xc3\x9f");
}

// --- attaching

std::string WriteFile(const std::string& name, const void* bytes, std::size_t size) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary)
      .write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
  return path;
}

std::string Refusal(const std::string& target) {
  try {
    const Attached attached(target);
  } catch (const AttachError& error) {
    return error.what();
  }
  return "attached";
}

TEST(AttachTest, AFileOfCountersIsRead) {
  const auto segment = internal::MakeSegment();
  internal::AddIsolate(*segment, 5, "one");
  const Attached attached(WriteFile("sound", segment.get(), sizeof(StatsSegment)));
  EXPECT_EQ(attached.Copy().isolates[0].name, "one");
  EXPECT_FALSE(attached.gone());
}

TEST(AttachTest, AProgramThatHasEndedIsFoundOut) {
  const auto segment = internal::MakeSegment();
  StatsPut(segment->header.ended, 1);
  EXPECT_TRUE(Attached(WriteFile("ended", segment.get(), sizeof(StatsSegment))).gone());
  StatsPut(segment->header.ended, 0);
  StatsPut(segment->header.pid, 999'999'999);
  EXPECT_TRUE(Attached(WriteFile("killed", segment.get(), sizeof(StatsSegment))).gone());
}

TEST(AttachTest, EachRefusalSaysWhy) {
  const auto segment = internal::MakeSegment();
  EXPECT_EQ(Refusal("999999999"), "there is no process 999999999");
  EXPECT_THAT(Refusal("1"), HasSubstr("process 1 shows no counters"));
  EXPECT_EQ(Refusal("/nowhere/at/all"), "there is no file /nowhere/at/all");
  EXPECT_THAT(Refusal("/dev/null"), HasSubstr("is no file of counters"));
  EXPECT_THAT(Refusal(WriteFile("short", segment.get(), 100)), HasSubstr("too short"));
  EXPECT_THAT(Refusal(WriteFile("cut", segment.get(), 8192)), HasSubstr("cut short"));
  StatsPut(segment->header.version, 77);
  EXPECT_THAT(Refusal(WriteFile("version", segment.get(), sizeof(StatsSegment))),
              HasSubstr("its counters have layout 77, and only layout 1 can be read"));
  StatsPut(segment->header.magic, 0);
  EXPECT_THAT(Refusal(WriteFile("other", segment.get(), sizeof(StatsSegment))),
              HasSubstr("does not hold counters of isolates"));
}

}  // namespace
}  // namespace isolates::top
