// The library's own scenarios under many schedules, each of which can be replayed by its seed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "isolates/simulation.h"
#include "tests/faults/scenario.h"
#include "tests/faults/tally.h"
#include "tests/patterns/scenarios.h"
#include "tests/stress/storms.h"

namespace isolates {
namespace {

using testing::IsEmpty;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 50;
#else
constexpr std::uint64_t kSeeds = 200;
#endif

using Program = void (*)();

struct Case {
  const char* name;
  Program program;
};

class SeedsTest : public testing::TestWithParam<Case> {};

TEST_P(SeedsTest, EveryScheduleEndsAndIsReplayed) {
  std::optional<std::vector<SimulationStep>> other;
  bool differ = false;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto options = SimulationOptions(seed).MaxEventsInATurn(seed % 2 == 0 ? 1 : 4);
    const SimulationReport report = Simulate(options, GetParam().program);
    EXPECT_THAT(report.waiting, IsEmpty());
    EXPECT_EQ(Simulate(options, GetParam().program).trace, report.trace);
    if (HasFailure()) return;
    differ = differ || (other.has_value() && *other != report.trace);
    other = report.trace;
  }
  EXPECT_TRUE(differ);  // the seeds are no mere decoration
}

INSTANTIATE_TEST_SUITE_P(
    All, SeedsTest,
    testing::Values(Case{"FanIn", [] { FanIn(5, 70); }},
                    Case{"SpawnExitKill", [] { SpawnExitKill(20, 30); }},
                    Case{"Tree", [] { EXPECT_EQ(Isolate::Run(Tree, 3).Get(), 8); }},
                    Case{"BlockingTree", [] { EXPECT_EQ(Isolate::Run(BlockingTree, 3).Get(), 8); }},
                    Case{"ParcelsAndTrees", [] { ParcelsAndTrees(1, 3); }},
                    Case{"SendRisingNumbers", [] { SendRisingNumbers(20); }},
                    Case{"SelectFromTwoPorts", [] { SelectFromTwoPorts(20); }},
                    Case{"BlockInASelect", [] { BlockInASelect(20); }},
                    Case{"BroadcastToMany", [] { BroadcastToMany(4, 10); }},
                    Case{"AskAServerThatDies", [] { AskAServerThatDies(3, 8); }}),
    [](const testing::TestParamInfo<Case>& one) { return std::string(one.param.name); });

TEST(SeedsOfCoroutinesTest, EveryLetterIsReceivedOrCounted) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Tally::Clear();
    const std::uint64_t dead_before = runtime_info().dead_letters;
    const SimulationReport report = Simulate(seed, &ExchangeLetters);
    const auto dead = static_cast<int>(runtime_info().dead_letters - dead_before);
    EXPECT_THAT(report.waiting, IsEmpty());
    EXPECT_EQ(Tally::spoiled.load(), 0);
    EXPECT_EQ(Tally::accepted.load(), Tally::received.load() + dead) << "seed " << seed;
    EXPECT_EQ(Simulate(seed, &ExchangeLetters).trace, report.trace) << "seed " << seed;
    if (testing::Test::HasFailure()) return;
  }
}

TEST(SeedsOfCoroutinesTest, TheWholeLibraryIsReplayed) {
  for (std::uint64_t seed = 1; seed <= kSeeds / 5; ++seed) {
    const SimulationReport report = Simulate(seed, &UseEverything);
    EXPECT_THAT(report.waiting, IsEmpty());
    EXPECT_EQ(Simulate(seed, &UseEverything).trace, report.trace) << "seed " << seed;
    if (testing::Test::HasFailure()) return;
  }
}

// --- a program with a race, message by message

struct Account {
  enum class Kind { kRead, kWrite, kAdd };
  Kind kind = Kind::kRead;
  int value = 0;
};
using AccountPort = Requester<Account, int>;

void KeepAccount(SendPort<AccountPort> out) {
  RequestPort<Account, int> port;
  out.Send(port.requester());
  std::move(port).Handle([balance = 0](Account message) mutable {
    if (message.kind == Account::Kind::kWrite) balance = message.value;
    if (message.kind == Account::Kind::kAdd) balance += message.value;
    return balance;
  });
}

Task<> PayInBadly(AccountPort account) {
  auto read = account.Call(Account{Account::Kind::kRead});
  const int balance = co_await read;
  auto written = account.Call(Account{Account::Kind::kWrite, balance + 1});
  co_await written;
}
Task<> PayInWell(AccountPort account) {
  auto added = account.Call(Account{Account::Kind::kAdd, 1});
  co_await added;
}

int final_balance = 0;

template <Task<> (*kPayIn)(AccountPort)>
void TwoPayIn() {
  ReceivePort<AccountPort> in;
  const Isolate keeper = Isolate::Spawn(KeepAccount, in.send_port()).Get();
  const AccountPort account = *in.Receive(kForever);
  auto one = Isolate::Run(kPayIn, account);
  auto two = Isolate::Run(kPayIn, account);
  one.Get();
  two.Get();
  final_balance = account.Call(Account{}).Get();
  keeper.Kill();
}

TEST(SeedsOfARaceTest, ALostUpdateIsFoundAndReplayedByItsSeed) {
  int lost = 0;
  int kept = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const SimulationReport report = Simulate(seed, &TwoPayIn<&PayInBadly>);
    const int balance = final_balance;
    ++(balance == 2 ? kept : lost);
    EXPECT_EQ(Simulate(seed, &TwoPayIn<&PayInBadly>).trace, report.trace);
    EXPECT_EQ(final_balance, balance) << "seed " << seed;
  }
  EXPECT_GT(lost, 0);
  EXPECT_GT(kept, 0);
}

TEST(SeedsOfARaceTest, NothingIsLostWhereOneMessageDoesIt) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Simulate(seed, &TwoPayIn<&PayInWell>);
    EXPECT_EQ(final_balance, 2) << "seed " << seed;
  }
}

}  // namespace
}  // namespace isolates
