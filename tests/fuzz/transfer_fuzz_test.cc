// The fuzzer with fixed seeds, for a few seconds; the long form is transfer_fuzz (main.cc).

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/transfer.h"
#include "tests/fuzz/legs.h"
#include "tests/fuzz/type_ops.h"
#include "tests/fuzz/types.h"

namespace isolates::fuzz {

// A type whose trait is wrong: its walk forgets a member.
struct Forgetful {
  std::vector<std::string> kept;
  std::string_view forgotten;
};
template <>
struct Shape<Forgetful> : AggregateShape<Forgetful, std::vector<std::string>, std::string_view> {
  static void Fill(Forgetful& value, Builder& builder) { FillIn(value.kept, builder); }
  static void Go(Forgetful& value, Survey& survey) {
    GoMember(".kept", value.kept, survey);
    GoMember(".forgotten", value.forgotten, survey);
  }
};

}  // namespace isolates::fuzz

template <>
struct isolates::TransferTraits<isolates::fuzz::Forgetful> {
  using Parts = internal::TypeList<std::vector<std::string>, std::string_view>;
  static constexpr TransferClass kClass = TransferClass::kPlain;
  static constexpr bool kDroppable = true;
  static void Walk(const fuzz::Forgetful& value, internal::Walker& walker) {
    walker.Member(".kept", value.kept);
  }
};

namespace isolates::fuzz {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kShare = 10;
#else
constexpr std::uint64_t kShare = 1;
#endif

Outcome Go(Leg leg, std::uint64_t graphs, unsigned threads) {
  fuzz::Run run;
  run.leg = leg;
  run.seed = 3;
  run.graphs = graphs / kShare;
  run.threads = threads;
  return RunGraphs(run);
}

TEST(TransferFuzzTest, PlantedViolationsAreFoundAndSoundGraphsPass) {
  const Outcome outcome = Go(Leg::kVerify, 16'000, 2);
  EXPECT_EQ(outcome.failed, 0U) << outcome.failures;
  // Every kind was planted.
  for (std::size_t i = 0; i < static_cast<std::size_t>(Wrong::kCount); ++i) {
    const bool possible = HeapsAreKnown() || static_cast<Wrong>(i) != Wrong::kStranger;
    EXPECT_EQ(outcome.counts.by_wrong[i] > 0, possible) << i;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(Stray::kCount); ++i) {
    EXPECT_GT(outcome.counts.views[i], 0U) << NameOf(static_cast<Stray>(i));
  }
}

TEST(TransferFuzzTest, ParcelsAreDroppedWholeExactlyIfTheyMayBe) {
  // One thread: heaps that were given up are looked at.
  const Outcome outcome = Go(Leg::kParcel, 6'000, 1);
  EXPECT_EQ(outcome.failed, 0U) << outcome.failures;
  // Every way was taken.
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    const auto reason = static_cast<DropReason>(i);
    const bool possible =
        reason != DropReason::kNoParcel && (reason == DropReason::kPlainMalloc) != HeapsAreKnown();
    EXPECT_EQ(outcome.counts.parcels[i] > 0, possible) << ToString(reason);
  }
}

TEST(TransferFuzzTest, GraphsArriveAsTheyWereBuilt) {
  const Outcome outcome = Go(Leg::kProperty, 1'000, 2);
  EXPECT_EQ(outcome.failed, 0U) << outcome.failures;
}

// A violation of which the oracle knows nothing is a difference, and is reported.
TEST(TransferFuzzTest, TheFuzzerCanFail) {
  fuzz::Run run;
  run.leg = Leg::kVerify;
  run.graphs = 200;
  run.threads = 1;
  run.secret = true;
  const Outcome outcome = RunGraphs(run);
  EXPECT_EQ(outcome.passed, 0U);
  EXPECT_EQ(outcome.failed, run.graphs);
  EXPECT_NE(outcome.failures.find("falsely refused: view at "), std::string::npos);
  EXPECT_NE(outcome.failures.find("replay: "), std::string::npos);
}

TEST(TransferFuzzTest, AWalkThatForgetsAMemberIsNoticed) {
  fuzz::Run run;
  run.leg = Leg::kVerify;
  run.graphs = 500;
  run.threads = 1;
  run.only = &kTypeOps<Forgetful>;
  const Outcome outcome = RunGraphs(run);
  EXPECT_GT(outcome.failed, 0U);
  EXPECT_NE(outcome.failures.find("missed: view at value.forgotten"), std::string::npos)
      << outcome.failures;
}

// The same graphs and the same outcome, whatever the number of threads.
TEST(TransferFuzzTest, ThreadsDoNotChangeTheGraphs) {
  const Outcome one = Go(Leg::kVerify, 2'000, 1);
  const Outcome three = Go(Leg::kVerify, 2'000, 3);
  EXPECT_EQ(one.passed, three.passed);
  for (std::size_t i = 0; i < static_cast<std::size_t>(Wrong::kCount); ++i) {
    EXPECT_EQ(one.counts.by_wrong[i], three.counts.by_wrong[i]) << i;
  }
}

}  // namespace
}  // namespace isolates::fuzz
