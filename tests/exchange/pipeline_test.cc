// The pipeline of isolates against the reference, byte by byte.

#include "examples/exchange/pipeline.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

#include "examples/exchange/journal.h"
#include "examples/exchange/reference.h"
#include "isolates/isolates.h"
#include "isolates/simulation.h"

namespace exchange {
namespace {

PipelineConfig Config(std::uint64_t seed, std::uint64_t orders) {
  PipelineConfig config;
  config.flow.generator = {.seed = seed, .orders = orders, .rate = 1'000'000, .symbols = 3};
  config.symbols = 3;
  config.paced = false;
  config.spins = false;
  return config;
}

ReferenceResult ReferenceOf(const PipelineConfig& config) {
  const auto source = OpenFlow(config.flow);
  return RunReference(*source, config.symbols, config.limits);
}

void ExpectIdentical(const PipelineResult& result, const PipelineConfig& config) {
  const ReferenceResult reference = ReferenceOf(config);
  EXPECT_EQ(result.feed.error, "");
  EXPECT_EQ(result.feed.orders, reference.orders);
  EXPECT_EQ(result.outputs, reference.outputs);
  EXPECT_EQ(result.digest, reference.digest);
}

TEST(ReferenceTest, OrdersTradeAndAreRefused) {
  const ReferenceResult result = ReferenceOf(Config(1, 100'000));
  EXPECT_EQ(result.orders, 100'000U);
  EXPECT_GT(result.trades, 10'000U);
  EXPECT_GT(result.rejected, 100U);
}

TEST(PipelineTest, IsTheReferenceOnThreads) {
  for (const bool spins : {false, true}) {
    PipelineConfig config = Config(2, 30'000);
    config.spins = spins;
    ExpectIdentical(RunPipelineHere(config), config);
  }
}

TEST(PipelineTest, IsTheReferenceAtAPace) {
  PipelineConfig config = Config(3, 10'000);
  config.paced = true;
  config.warm_up = 2'000;
  const PipelineResult result = RunPipelineHere(config);
  ExpectIdentical(result, config);
  EXPECT_EQ(result.hops.size(), 7U);
  for (const HopReport& hop : result.hops) EXPECT_EQ(hop.count, 8'000U) << hop.name;
}

TEST(PipelineTest, IsTheReferenceAfterEachLengthOfAJournal) {
  const std::string path = testing::TempDir() + "pipeline_journal";
  std::remove(path.c_str());
  PipelineConfig config = Config(4, 3'000);
  config.journal = path;
  ExpectIdentical(RunPipelineHere(config), config);
  EXPECT_EQ(ScanJournal(path, {config.symbols, config.limits}).records, 3'000U);
  for (const std::uint64_t bytes : {100'000, 60'001, 5'000, 40, 3}) {
    std::filesystem::resize_file(path, bytes);
    config.recovered = ScanJournal(path, {config.symbols, config.limits});
    config.warm_up = config.recovered.records;
    ExpectIdentical(RunPipelineHere(config), config);
    EXPECT_EQ(ScanJournal(path, {config.symbols, config.limits}).records, 3'000U);
  }
}

TEST(PipelineTest, AFlowThatIsNoneIsAnError) {
  PipelineConfig config = Config(5, 1);
  const std::string path = testing::TempDir() + "short_flow";
  {
    FlowWriter writer(path, {.symbols = 3, .orders = 2});
    writer.Write({.id = 1, .price = 5, .quantity = 1});
    writer.Finish();
  }
  config.flow.input = path;
  const PipelineResult result = RunPipelineHere(config);
  EXPECT_EQ(result.feed.orders, 1U);
  EXPECT_NE(result.feed.error.find("byte 64: the flow ends after 1 of 2 orders"), std::string::npos)
      << result.feed.error;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 4;
#else
constexpr std::uint64_t kSeeds = 20;
#endif

// More orders than the risk check lags behind, so that it waits for settlements.
TEST(PipelineTest, IsTheReferenceUnderEverySchedule) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const PipelineConfig config = Config(seed, 3'000);
    PipelineResult result;
    const auto options = isolates::SimulationOptions(seed).MaxEventsInATurn(seed % 2 == 0 ? 1 : 64);
    const auto report = isolates::Simulate(options, [&]() -> isolates::Task<> {
      auto run = RunPipeline(config);
      result = co_await std::move(run);
    });
    EXPECT_TRUE(report.waiting.empty());
    ExpectIdentical(result, config);
  }
}

}  // namespace
}  // namespace exchange
