// Memory that runs out: a scenario runs again and again, and each time one allocation more succeeds
// before the first one fails. Each run ends; its errors come out where somebody can see them; every
// future completes, every accepted message is received or a dead letter, and nothing leaks (under
// AddressSanitizer).
//
// The scenarios run in a simulation, which tells what waits for ever. What the simulation needs for
// itself does not fail.

#include "src/heap/allocation_faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/detail/port_core.h"
#include "isolates/isolates.h"
#include "isolates/simulation.h"
#include "tests/faults/scenario.h"
#include "tests/faults/tally.h"

namespace isolates {
namespace {

using internal::AllocationFaults;
using testing::IsEmpty;

// ThreadSanitizer keeps for each thread the frames that exceptions have unwound, so that its work
// grows with their number.
#if defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kStep = 37;
#else
constexpr std::uint64_t kStep = 1;
#endif

struct Sweep {
  std::uint64_t seed = 1;
  std::uint64_t failures = 1;        // allocations that fail, one after the other
  bool every_letter_is_told = true;  // dead letters are all letters
};

// The number of the run, for a program that is ended in it.
std::uint64_t current_fault = 0;

void TellFault(int) {
  std::fprintf(stderr, "the program was ended when allocation %llu failed\n",
               static_cast<unsigned long long>(current_fault));
}

// Runs the scenario until nothing fails any more. Returns how many allocations there were, about.
std::uint64_t RunWithFaults(Step scenario, const Sweep& sweep) {
  const auto former = std::signal(SIGABRT, &TellFault);
  SetUnhandledErrorHandler([](const RemoteError&) {});
  Simulate(sweep.seed, scenario);  // what is made once in a process
  std::uint64_t fault = 1;
  for (bool failed = true; failed; fault += kStep) {
    current_fault = fault;
    Tally::Clear();
    const std::uint64_t dead_before = internal::DeadLetterCount();
    std::optional<SimulationReport> report;
    AllocationFaults::Arm(fault, sweep.failures);
    try {
      report = Simulate(sweep.seed, scenario);
    } catch (const std::bad_alloc&) {
    } catch (const RemoteError& error) {
      if (error.type() != "std::bad_alloc") ADD_FAILURE() << error.what();
    }
    failed = AllocationFaults::seen() >= fault;
    AllocationFaults::Disarm();
    if (report) {
      EXPECT_THAT(report->waiting, IsEmpty()) << "fault " << fault;
    }
    EXPECT_EQ(Tally::spoiled.load(), 0) << "fault " << fault;
    const auto dead = static_cast<int>(internal::DeadLetterCount() - dead_before);
    const int missing = Tally::accepted.load() - Tally::received.load();
    if (sweep.every_letter_is_told) {
      EXPECT_EQ(missing, dead) << "fault " << fault;
    } else {
      EXPECT_LE(missing, dead) << "fault " << fault;
    }
    if (testing::Test::HasFailure()) break;
  }
  SetUnhandledErrorHandler(nullptr);
  std::signal(SIGABRT, former);
  return fault;
}

TEST(AllocationFaultsTest, EveryLetterIsReceivedOrReturnedOrCounted) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    EXPECT_GT(RunWithFaults(&ExchangeLetters, {.seed = seed}), 50U);
  }
}

TEST(AllocationFaultsTest, EveryRunOfTheWholeLibraryEnds) {
  EXPECT_GT(RunWithFaults(&UseEverything, {.every_letter_is_told = false}), 200U);
}

// The way out of an error needs memory, too.
TEST(AllocationFaultsTest, SeveralFailuresInARow) {
  for (const std::uint64_t failures : {2, 3, 10}) {
    RunWithFaults(&ExchangeLetters, {.failures = failures});
    RunWithFaults(&UseEverything, {.failures = failures, .every_letter_is_told = false});
  }
}

// A thread that has woken nobody yet has no place in the queues of ready isolates, and gets none.
TEST(AllocationFaultsTest, IsolatesAreWokenAndKilledWithoutMemory) {
  std::vector<Isolate> isolates;
  std::vector<Future<ExitInfo>> ends;
  for (int i = 0; i < 20; ++i) {
    const bool urgent = i % 2 == 1;
    isolates.push_back(Isolate::Spawn(
                           [](int) {
                             ReceivePort<int> port;
                             std::move(port).Listen([](int) {});
                           },
                           i, SpawnOptions().Urgent(urgent))
                           .Get());
    ends.push_back(isolates.back().Ended());
  }
  std::thread([&] {
    AllocationFaults::Arm(1, UINT32_MAX);
    for (const Isolate& isolate : isolates) isolate.Kill(ControlPriority::kImmediate);
    AllocationFaults::Disarm();
  }).join();
  EXPECT_GE(AllocationFaults::seen(), isolates.size());
  for (auto& end : ends) {
    try {
      EXPECT_NE(end.Get().reason, ExitReason::kFinished);
    } catch (const std::bad_alloc&) {  // it ended before there was memory again
    }
  }
}

// Who looks at an isolate that sleeps takes it for the time (Isolate's rule I1); it is given back
// where there is no memory to describe it, too. (Else the answer never comes.)
void LookWithoutMemory() {
  ReceivePort<int> answers;
  ReceivePort<SendPort<int>> ready;
  const Isolate isolate =
      Isolate::Spawn(
          [](std::pair<SendPort<int>, SendPort<SendPort<int>>> given) {
            ReceivePort<int> port("a port with a name that is longer than a short string");
            given.second.Send(port.send_port());
            std::move(port).Listen([to = given.first](int number) { to.Send(int(number)); });
          },
          std::pair(answers.send_port(), ready.send_port()))
          .Get();
  const SendPort<int> port = *ready.Receive(kForever);
  const auto sleeps = [&isolate] {
    for (const LiveIsolate& life : LiveIsolates()) {
      if (life.id == isolate.id() && life.state == LiveIsolate::State::kIdle) return true;
    }
    return false;
  };
  int refused = 0;
  for (std::uint64_t fault = 1; fault < 60; ++fault) {
    while (!sleeps()) std::this_thread::yield();
    AllocationFaults::Arm(fault);
    try {
      LiveIsolates();
    } catch (const std::bad_alloc&) {
      ++refused;
    }
    AllocationFaults::Disarm();
    port.Send(int(fault));
    EXPECT_EQ(answers.Receive(kForever), static_cast<int>(fault));
  }
  // With mimalloc only the library's own blocks fail, and descriptions have none.
  if (allocator() == Allocator::kMalloc) {
    EXPECT_GT(refused, 10);
  }
  isolate.Kill(ControlPriority::kImmediate);
  isolate.Ended().Get();
}

TEST(AllocationFaultsTest, ALookThatFindsNoMemoryGivesTheIsolateBack) {
  std::thread(LookWithoutMemory).join();
}

// A processor that was reserved in vain is given back, and it is given back without memory.
void DedicatedWithoutMemory() {
  const int cpu = runtime_info().cpus.back();
  const auto spawn = [cpu] {
    return Isolate::Spawn(
               [](int) {
                 ReceivePort<int> port;
                 std::move(port).Listen([](int) {});
               },
               0, SpawnOptions().Dedicated(cpu))
        .Get();
  };
  const auto none_left = [] {
    while (runtime_info().isolates_live > 0) std::this_thread::yield();
  };
  SetUnhandledErrorHandler([](const RemoteError&) {});
  bool failed = true;
  for (std::uint64_t fault = 1; failed; ++fault) {
    std::optional<Isolate> isolate;
    AllocationFaults::Arm(fault);
    try {
      isolate = spawn();
    } catch (const std::exception&) {  // not this time
    }
    failed = AllocationFaults::seen() >= fault;
    AllocationFaults::Disarm();
    if (isolate) isolate->Kill(ControlPriority::kImmediate);
    none_left();
    ASSERT_EQ(runtime_info().cpus.back(), cpu) << "fault " << fault;
  }
  const AllocationFaults::Exempt this_thread;
  for (int i = 0; i < 20; ++i) {
    const Isolate isolate = spawn();
    AllocationFaults::Arm(1, UINT32_MAX);
    isolate.Kill(ControlPriority::kImmediate);
    none_left();
    AllocationFaults::Disarm();
  }
  SetUnhandledErrorHandler(nullptr);
}

TEST(AllocationFaultsTest, DedicatedIsolatesComeAndGoWithoutMemory) {
  std::thread(DedicatedWithoutMemory).join();
}

// Children that were started before the memory ran out do not stay behind.
void SuperviseWithoutMemory() {
  (void)Isolate::Current();
  const auto child = [](const char* name) {
    return ChildSpec(
        name,
        [](int) {
          ReceivePort<int> port;
          std::move(port).Listen([](int) {});
        },
        0);
  };
  SetUnhandledErrorHandler([](const RemoteError&) {});
  // What the children allocate meanwhile counts too: not always the same one fails.
  for (std::uint64_t run = 0; run < 500; ++run) {
    const std::uint64_t fault = run % 50 + 1;
    std::vector<ChildSpec> children = {child("a"), child("b")};
    AllocationFaults::Arm(fault);
    try {
      const Supervisor supervisor(std::move(children));
      AllocationFaults::Disarm();
    } catch (const std::exception&) {  // not this time
    }
    AllocationFaults::Disarm();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (runtime_info().isolates_live > 1 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    ASSERT_EQ(runtime_info().isolates_live, 1U) << "fault " << fault;
  }
  SetUnhandledErrorHandler(nullptr);
}

TEST(AllocationFaultsTest, ASupervisorThatFindsNoMemoryLeavesNoChildren) {
  std::thread(SuperviseWithoutMemory).join();
}

// (With mimalloc only the library's own blocks fail, and a shutdown needs none of them.)
void ShutDownTwice() {
  ReceivePort<int> ready;
  Isolate::Spawn(
      [](SendPort<int> out) {
        ReceivePort<int> port;
        std::move(port).Listen([](int) {});
        out.Send(1);
      },
      ready.send_port())
      .Get();
  (void)ready.Receive(kForever);
  while (LiveIsolates().back().state != LiveIsolate::State::kIdle) std::this_thread::yield();
  AllocationFaults::Arm(1, UINT32_MAX);
  bool refused = false;
  try {
    Shutdown(ShutdownMode::kDrain, std::chrono::seconds(20));
  } catch (const std::bad_alloc&) {
    refused = true;
  }
  AllocationFaults::Disarm();
  if (!refused && allocator() == Allocator::kMalloc) std::_Exit(1);
  const ShutdownReport report = Shutdown(ShutdownMode::kDrain, std::chrono::seconds(20));
  const auto left = runtime_info().isolates_live - 1;  // this thread is one
  std::_Exit(report.still_running.empty() && left == 0 ? 0 : 2);
}

TEST(AllocationFaultsDeathTest, AShutdownThatFindsNoMemoryMayBeRepeated) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(ShutDownTwice(), testing::ExitedWithCode(0), "");
}

void StartWithOptions() {
  RuntimeOptions options;
  options.workers = 3;
  options.pin_workers = false;
  ConfigureRuntime(options);
  for (std::uint64_t fault = 1;; ++fault) {
    AllocationFaults::Arm(fault);
    try {
      const std::size_t places = runtime_info().cpus.size();
      std::_Exit(places == 4 && (fault > 1 || allocator() != Allocator::kMalloc) ? 0 : 1);
    } catch (const std::bad_alloc&) {  // the next one tries again
    }
  }
}

TEST(AllocationFaultsDeathTest, ARuntimeThatFindsNoMemoryKeepsItsOptions) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(StartWithOptions(), testing::ExitedWithCode(0), "");
}

// With the runtime's own threads and its scheduler, which must not need memory to make an isolate
// ready. (Where an isolate waits for ever, the test does.)
TEST(AllocationFaultsTest, WithRealThreads) {
  const AllocationFaults::Exempt this_thread;
  SetUnhandledErrorHandler([](const RemoteError&) {});
  patience = std::chrono::milliseconds(20);
  for (const std::uint64_t failures : {1, 3}) {
    std::uint64_t fault = failures;
    // Not each: time passes here, and the schedule differs each time.
    for (bool failed = true; failed; fault += 10 + kStep) {
      std::thread([&] {
        AllocationFaults::Arm(fault, failures);
        try {
          Start(UseEverything()).Get();
        } catch (const std::exception&) {  // there was no memory for the rest
        }
      }).join();
      while (runtime_info().isolates_live > 0) std::this_thread::yield();
      AllocationFaults::Disarm();
      failed = AllocationFaults::seen() >= fault;
    }
    EXPECT_GT(fault, 200U);
  }
  patience = std::chrono::seconds(1);
  SetUnhandledErrorHandler(nullptr);
}

}  // namespace
}  // namespace isolates
