// Eight isolates that compute and one that must be in time: how late are the ticks of a timer that
// it has set, as an ordinary isolate, as an urgent one, and with a processor of its own?
//
//   bazel/bazelw run -c opt //benchmarks:starvation [-- --quick]

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace {

using Clock = std::chrono::steady_clock;
using isolates::Isolate;
using isolates::kForever;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::SpawnOptions;

constexpr int kComputing = 8;
constexpr std::chrono::milliseconds kTurn{2};    // how long a computing isolate computes in a turn
constexpr std::chrono::milliseconds kPeriod{1};  // of the ticks

std::atomic<bool> computing{true};
std::atomic<std::uint64_t> rounds{0};

// Computes for kTurn in each event, and sends itself the next one.
void Compute(int) {
  ReceivePort<int> port;
  const SendPort<int> itself = port.send_port();
  std::move(port).Listen([itself](ReceivePort<int>& own, int) {
    const auto end = Clock::now() + kTurn;
    std::uint64_t number = 1;
    while (Clock::now() < end) {
      for (int i = 0; i < 1000; ++i) number = number * 6364136223846793005U + 1442695040888963407U;
    }
    rounds.fetch_add(number | 1);
    if (computing.load()) {
      itself.Send(0);
    } else {
      own.Close();
    }
  });
  itself.Send(0);
}

using Delays = std::vector<double>;  // microseconds

// The delays of so many ticks, each counted from the time at which it was due: a late tick does not
// hide that the ones behind it were due, too.
isolates::Task<void> Ticks(std::pair<SendPort<Delays>, int> job) {
  Delays delays;
  const auto start = Clock::now();
  for (int tick = 1; tick <= job.second;) {
    const auto due = start + tick * kPeriod;
    co_await isolates::Delay(std::max<isolates::Duration>(due - Clock::now(), {}));
    const auto now = Clock::now();
    for (; tick <= job.second && start + tick * kPeriod <= now; ++tick) {
      const std::chrono::duration<double, std::micro> late = now - (start + tick * kPeriod);
      delays.push_back(late.count());
    }
  }
  job.first.Send(std::move(delays));
}

void Measure(const char* name, const SpawnOptions& options, int ticks) {
  computing = true;
  ReceivePort<int> ended;
  for (int i = 0; i < kComputing; ++i) {
    Isolate::Spawn(Compute, 0, SpawnOptions().OnExit(ended.send_port(), 1)).Get();
  }
  ReceivePort<Delays> result;
  Isolate::Spawn(Ticks, std::pair(result.send_port(), ticks), options).Get();
  Delays delays = *result.Receive(kForever);
  computing = false;
  for (int i = 0; i < kComputing; ++i) ended.Receive(kForever).value();
  std::sort(delays.begin(), delays.end());
  const auto at = [&](double part) {
    return delays[static_cast<std::size_t>(part * static_cast<double>(delays.size() - 1))];
  };
  std::printf("| %s | %.0f | %.0f | %.0f | %.0f |\n", name, at(0.5), at(0.99), at(0.999),
              delays.back());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  const int ticks = quick ? 50 : 10'000;
  std::printf(
      "%d isolates that compute in turns of %lld ms; %d ticks, one each %lld ms; us late\n\n",
      kComputing, static_cast<long long>(kTurn.count()), ticks,
      static_cast<long long>(kPeriod.count()));
  std::printf("| the isolate that waits for the ticks | median | 99 %% | 99.9 %% | worst |\n");
  std::printf("|---|---|---|---|---|\n");
  Measure("ordinary", SpawnOptions(), ticks);
  Measure("urgent", SpawnOptions().Urgent(), ticks);
  Measure("dedicated processor", SpawnOptions().Dedicated(), ticks);
  Measure("dedicated processor, spinning", SpawnOptions().Dedicated().Idle(isolates::BusySpin()),
          ticks);
}
