#include "benchmarks/support/interleave.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "benchmarks/support/report_json.h"

namespace isolates::bench {
namespace {

// Gives the figures one after the other, and notes that it was asked.
std::function<double()> Script(std::vector<double> figures, std::string name, std::string& calls) {
  return [figures = std::move(figures), name = std::move(name), &calls,
          next = std::size_t{0}]() mutable {
    calls += name;
    return figures[next++ % figures.size()];
  };
}

InterleaveOptions Options(int wanted, int most) {
  InterleaveOptions options;
  options.wanted = wanted;
  options.most_repetitions = most;
  options.most_seconds = 1e9;
  options.warm_up = false;
  return options;
}

TEST(InterleaveTest, BracketsEachAndTurnsTheOrder) {
  std::string calls;
  const auto run =
      Interleave(Script({1}, "L", calls),
                 {{"a", Script({2}, "a", calls)}, {"b", Script({3}, "b", calls)}}, Options(2, 9));
  EXPECT_EQ(calls, "LaLbLbLaL");
  EXPECT_TRUE(run.enough);
  EXPECT_EQ(run.kept, 2);
  EXPECT_EQ(run.dropped, 0);
}

TEST(InterleaveTest, DropsWhatStandsBetweenLimitsThatDisagree) {
  std::string calls;
  // Before and after: 100 and 110 (kept), 110 and 200 (dropped), 200 and 190 (kept).
  const auto run = Interleave(Script({100, 110, 200, 190}, "L", calls),
                              {{"a", Script({210, 9'999, 390}, "a", calls)}}, Options(2, 3));
  EXPECT_TRUE(run.enough);
  ASSERT_EQ(run.candidates.size(), 1U);
  const Compared& a = run.candidates[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.kept, 2);
  EXPECT_EQ(a.dropped, 1);
  EXPECT_EQ(a.limit.min, 105);
  EXPECT_EQ(a.limit.max, 195);
  EXPECT_EQ(a.value.min, 210);
  EXPECT_EQ(a.value.max, 390);
  EXPECT_EQ(a.value.median, 300);
  EXPECT_DOUBLE_EQ(a.ratio.min, 2);
  EXPECT_DOUBLE_EQ(a.ratio.max, 2);
}

TEST(InterleaveTest, TakesNoMoreOfACandidateThatHasEnough) {
  std::string calls;
  // The first figure of b is dropped.
  const auto run =
      Interleave(Script({1, 1, 2, 2, 2, 2}, "L", calls),
                 {{"a", Script({1}, "a", calls)}, {"b", Script({1}, "b", calls)}}, Options(1, 9));
  EXPECT_EQ(calls, "LaLbLbL");
  EXPECT_TRUE(run.enough);
  EXPECT_EQ(run.candidates[0].dropped, 0);
  EXPECT_EQ(run.candidates[1].dropped, 1);
}

TEST(InterleaveTest, SaysThatTooFewWereKept) {
  std::string calls;
  const auto run =
      Interleave(Script({100, 200}, "L", calls), {{"a", Script({1}, "a", calls)}}, Options(3, 5));
  EXPECT_EQ(run.kept, 0);
  EXPECT_EQ(run.dropped, 5);
  EXPECT_FALSE(run.enough);
  EXPECT_TRUE(std::isnan(run.candidates[0].ratio.median));
}

TEST(InterleaveTest, EndsWhenTheTimeIsOverButNotBeforeEachWasTaken) {
  std::string calls;
  InterleaveOptions options = Options(10, 10);
  options.most_seconds = -1;
  const auto run =
      Interleave(Script({1}, "L", calls),
                 {{"a", Script({1}, "a", calls)}, {"b", Script({1}, "b", calls)}}, options);
  EXPECT_EQ(calls, "LaLbL");
  EXPECT_EQ(run.kept, 1);
  EXPECT_FALSE(run.enough);
}

TEST(InterleaveTest, WarmsUpWithoutCounting) {
  std::string calls;
  InterleaveOptions options = Options(1, 1);
  options.warm_up = true;
  const auto run =
      Interleave(Script({50, 1, 1}, "L", calls), {{"a", Script({7, 2}, "a", calls)}}, options);
  EXPECT_EQ(calls, "LaLaL");
  EXPECT_EQ(run.candidates[0].value.max, 2);
  EXPECT_EQ(run.limit.max, 1);
}

TEST(SpreadTest, OfFiveFigures) {
  const Spread spread = SpreadOf({50, 10, 30, 20, 40});
  EXPECT_EQ(spread.min, 10);
  EXPECT_EQ(spread.lower_quartile, 20);
  EXPECT_EQ(spread.median, 30);
  EXPECT_EQ(spread.upper_quartile, 40);
  EXPECT_EQ(spread.max, 50);
}

TEST(ReportJsonTest, HasOneShape) {
  Compared candidate;
  candidate.name = "a \"b\"";
  candidate.kept = 2;
  candidate.dropped = 1;
  candidate.limit = SpreadOf({100});
  candidate.value = SpreadOf({150, 250});
  candidate.ratio = SpreadOf({1.5, 2.5});
  std::vector<Result> results = {ResultOf(candidate, "ns"),
                                 ResultOf("alone", SpreadOf({}), "us", 0)};
  results[0].reach = 2.5;
  results[0].reached = true;
  EXPECT_EQ(ToJson(results),
            "[\n"
            R"(  {"name": "a \"b\"", "value": 200, "unit": "ns", "limit": 100, "ratio": 2, )"
            R"("kept": 2, "dropped": 1, "min": 150, "max": 250, "reach": 2.5, "reached": true},)"
            "\n"
            R"(  {"name": "alone", "value": null, "unit": "us", "limit": null, "ratio": null, )"
            R"("kept": 0, "dropped": 0, "min": null, "max": null, "reach": null, )"
            R"("reached": null})"
            "\n]\n");
}

TEST(ReportJsonTest, ATableTellsWhatIsToBeReachedIfAnythingIs) {
  std::vector<Result> results = {ResultOf("alone", SpreadOf({3}), "us", 1)};
  EXPECT_EQ(ToMarkdown(results),
            "| what | median | min .. max | unit | limit | ratio | kept, dropped |\n"
            "|---|---|---|---|---|---|---|\n"
            "| alone | 3.00 | 3.00 .. 3.00 | us | - | - | 1, 0 |\n");
  results.push_back(results[0]);
  results[0].reach = 2.5;
  results[0].reached = false;
  EXPECT_EQ(
      ToMarkdown(results),
      "| what | median | min .. max | unit | limit | ratio | kept, dropped | reach | reached |\n"
      "|---|---|---|---|---|---|---|---|---|\n"
      "| alone | 3.00 | 3.00 .. 3.00 | us | - | - | 1, 0 | 2.50 | no |\n"
      "| alone | 3.00 | 3.00 .. 3.00 | us | - | - | 1, 0 | - | |\n");
}

}  // namespace
}  // namespace isolates::bench
