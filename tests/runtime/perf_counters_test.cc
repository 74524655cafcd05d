// What turns cost is charged to their isolates, as far as the machine counts it.

#include "isolates/perf_counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::HasSubstr;

// Whether this machine, and this system, let a program count the event.
bool Counts(unsigned type, unsigned config) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = type;
  attributes.config = config;
  attributes.exclude_kernel = type == PERF_TYPE_HARDWARE ? 1 : 0;
  attributes.exclude_hv = 1;
  const long file = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
  if (file >= 0) close(static_cast<int>(file));
  return file >= 0;
}

std::optional<IsolatePerfCounts> Find(const std::string& name) {
  for (IsolatePerfCounts& isolate : ReadPerf().isolates) {
    if (isolate.name == name) return std::move(isolate);
  }
  return {};
}

// A worker that computes for each message and answers.
class Worker {
 public:
  explicit Worker(const std::string& name) {
    ReceivePort<SendPort<int>> connect;
    isolate_ =
        Isolate::Spawn(
            [](std::pair<SendPort<SendPort<int>>, SendPort<int>> ports) {
              ReceivePort<int> port;
              ports.first.Send(port.send_port());
              std::move(port).Listen([out = ports.second](int rounds) {
                volatile unsigned sum = 0;
                for (int i = 0; i < rounds; ++i) sum = sum + static_cast<unsigned>(i);
                out.Send(static_cast<int>(sum));
              });
            },
            std::pair(connect.send_port(), answers_.send_port()), SpawnOptions().DebugName(name))
            .Get();
    to_it_ = connect.Receive(kForever).value();
  }
  ~Worker() {
    isolate_->Kill();
    (void)isolate_->Ended().Get();
  }
  void Compute(int rounds) {
    to_it_.Send(int{rounds});
    (void)answers_.Receive(kForever);
  }

 private:
  ReceivePort<int> answers_;
  std::optional<Isolate> isolate_;
  SendPort<int> to_it_;
};

TEST(PerfCountersTest, WorkIsChargedToWhoDoesIt) {
  CountPerf(true);
  Worker hard("hard");
  Worker lazy("lazy");
  const auto clock_of = [](const std::string& name) {
    const auto found = Find(name);
    return found.has_value() ? found->counts.task_clock.value_or(0) : 0;
  };
  if (!Counts(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK)) {
    hard.Compute(1000);
    EXPECT_THAT(ReadPerf().missing, testing::Contains(HasSubstr("task clock: ")));
    return;
  }
  // Turns are charged when they end, which is a little later than the answer.
  while (clock_of("hard") < 1'000'000 || clock_of("lazy") == 0) {
    hard.Compute(100'000);
    if (clock_of("lazy") == 0) lazy.Compute(1);
  }
  const auto before = Find("lazy")->counts;
  while (clock_of("hard") < 20'000'000) hard.Compute(100'000);
  EXPECT_LT(Find("lazy")->counts.task_clock.value() - before.task_clock.value(), 20'000'000U);
  EXPECT_THAT(ToString(Find("hard")->counts), HasSubstr("task clock "));
}

TEST(PerfCountersTest, WhatIsNotCountedIsSaid) {
  CountPerf(true);
  Worker worker("one");
  while (!Find("one").has_value()) worker.Compute(1);
  const bool counts = Counts(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS);
  EXPECT_EQ(Find("one")->counts.instructions.has_value(), counts);
  bool missing = false;
  for (const std::string& line : ReadPerf().missing) {
    missing = missing || line.rfind("instructions: ", 0) == 0;
  }
  EXPECT_EQ(missing, !counts);
}

TEST(PerfCountersTest, ThoseThatHaveEndedAreOneEntry) {
  CountPerf(true);
  (void)Isolate::Run(RunOptions().DebugName("short"), [] { return 1; }).Get();
  const auto ended = [] {
    for (const IsolatePerfCounts& isolate : ReadPerf().isolates) {
      if (isolate.id == 0) return true;
    }
    return false;
  };
  while (!ended() || Find("short").has_value()) {
  }
}

TEST(PerfCountersTest, NothingIsChargedWhileItIsOff) {
  CountPerf(false);
  Worker worker("uncounted");
  for (int i = 0; i < 100; ++i) worker.Compute(10);
  EXPECT_FALSE(Find("uncounted").has_value());
}

}  // namespace
}  // namespace isolates
