// What waiting costs: the wake-up of an isolate and the processor time of an idle runtime for each
// idle strategy, beside the machine's own figures, and the memory of an idle isolate. A Markdown
// table.
//
//   bazel/bazelw run -c opt //benchmarks:idle_table [-- --quick]

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace {

using Clock = std::chrono::steady_clock;
using isolates::IdleStrategy;
using isolates::Isolate;
using isolates::kForever;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::SpawnOptions;

struct Sizes {
  int round_trips = 20'000;
  int wake_ups = 300;
  int pauses_us = 2'000;
  int idle_ms = 1'000;
  int light = 100'000;
  int with_heap = 2'000;
};

std::int64_t Nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

struct Spread {
  double low;  // 5 %
  double median;
  double high;  // 95 %
};

Spread SpreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double part) {
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
  };
  return {at(0.05), at(0.5), at(0.95)};
}

std::string Text(const Spread& spread, double unit) {
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%.2f (%.2f .. %.2f)", spread.median / unit,
                spread.low / unit, spread.high / unit);
  return text.data();
}

void PinTo(std::size_t place) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const std::vector<int> cpus = isolates::runtime_info().cpus;
  CPU_SET(cpus[place % cpus.size()], &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

void Pause(int microseconds) {
  const timespec pause{0, microseconds * 1000L};
  nanosleep(&pause, nullptr);
}

// --- the machine
// ----------------------------------------------------------------------------------

struct alignas(128) Line {
  std::atomic<std::uint32_t> word{0};
};

void FutexWait(std::atomic<std::uint32_t>& word, std::uint32_t seen) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
}
void FutexWake(std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

// One line goes to and fro between two processors; nanoseconds for a round trip.
Spread RawLine(int count) {
  Line line;
  std::thread other([&] {
    PinTo(1);
    for (std::uint32_t i = 1; i <= 2U * static_cast<std::uint32_t>(count); i += 2) {
      while (line.word.load(std::memory_order_acquire) != i) {
      }
      line.word.store(i + 1, std::memory_order_release);
    }
  });
  std::vector<double> times;
  for (std::uint32_t i = 1; i <= 2U * static_cast<std::uint32_t>(count); i += 2) {
    const std::int64_t start = Nanoseconds();
    line.word.store(i, std::memory_order_release);
    while (line.word.load(std::memory_order_acquire) != i + 1) {
    }
    times.push_back(static_cast<double>(Nanoseconds() - start));
  }
  other.join();
  return SpreadOf(std::move(times));
}

// From the wake to the first instruction of a thread that slept in a futex.
Spread RawFutex(const Sizes& sizes) {
  std::atomic<std::uint32_t> word{0};
  std::atomic<std::int64_t> sent{0};
  std::vector<double> times;
  std::atomic<int> done{0};
  std::thread sleeper([&] {
    PinTo(1);
    for (int i = 0; i < sizes.wake_ups; ++i) {
      while (word.load(std::memory_order_acquire) == 0) FutexWait(word, 0);
      times.push_back(static_cast<double>(Nanoseconds() - sent.load()));
      word.store(0, std::memory_order_release);
      done.fetch_add(1, std::memory_order_release);
    }
  });
  for (int i = 0; i < sizes.wake_ups; ++i) {
    while (done.load(std::memory_order_acquire) < i) sched_yield();
    Pause(sizes.pauses_us);
    sent.store(Nanoseconds());
    word.store(1, std::memory_order_release);
    FutexWake(word);
  }
  sleeper.join();
  return SpreadOf(std::move(times));
}

// --- isolates
// -------------------------------------------------------------------------------------

// Answers each number with the time at which it was handled; ends on 0.
void TellTime(std::pair<SendPort<std::int64_t>, SendPort<SendPort<std::int64_t>>> ports) {
  ReceivePort<std::int64_t> requests;
  ports.second.Send(requests.send_port());
  std::move(requests).Listen(
      [answers = ports.first](ReceivePort<std::int64_t>& port, std::int64_t number) {
        answers.Send(Nanoseconds());
        if (number == 0) port.Close();
      });
}

struct Measured {
  Spread round_trip;  // both awake
  Spread wake_up;     // from Send to the handler of an isolate that has waited
};

Measured MeasureIsolate(const Sizes& sizes) {
  ReceivePort<std::int64_t> answers;
  ReceivePort<SendPort<std::int64_t>> connected;
  Isolate::Spawn(TellTime, std::pair(answers.send_port(), connected.send_port())).Get();
  const SendPort<std::int64_t> to = *connected.Receive(kForever);
  std::vector<double> round_trips;
  for (int i = 0; i < sizes.round_trips; ++i) {
    const std::int64_t start = Nanoseconds();
    to.Send(1);
    answers.Receive(kForever).value();
    round_trips.push_back(static_cast<double>(Nanoseconds() - start));
  }
  std::vector<double> wake_ups;
  for (int i = 0; i < sizes.wake_ups; ++i) {
    Pause(sizes.pauses_us);
    const std::int64_t start = Nanoseconds();
    to.Send(1);
    wake_ups.push_back(static_cast<double>(answers.Receive(kForever).value() - start));
  }
  to.Send(0);
  answers.Receive(kForever).value();
  return {SpreadOf(std::move(round_trips)), SpreadOf(std::move(wake_ups))};
}

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Percent of one processor while nothing happens.
double IdlePercent(const Sizes& sizes) {
  Pause(200'000);  // whatever was adapting has settled
  const std::int64_t start = Nanoseconds();
  const double before = ProcessorSeconds();
  for (int i = 0; i < sizes.idle_ms; i += 100) Pause(100'000);
  return 100 * (ProcessorSeconds() - before) / (1e-9 * static_cast<double>(Nanoseconds() - start));
}

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

std::atomic<int> listening{0};

// Bytes of each of `count` isolates that listen to a port of their own. They stay.
double BytesOfIdleIsolate(int count, bool light) {
  listening = 0;
  const double before = ResidentBytes();
  for (int i = 0; i < count; ++i) {
    Isolate::Spawn(
        [](int) {
          ReceivePort<int> port;
          std::move(port).Listen([](int) {});
          listening.fetch_add(1);
        },
        0, SpawnOptions().Light(light))
        .Get();
  }
  while (listening.load() < count) Pause(1000);
  return (ResidentBytes() - before) / count;
}

}  // namespace

int main(int argc, char** argv) {
  Sizes sizes;
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) sizes = {500, 10, 500, 100, 1'000, 50};
  PinTo(0);
  const Spread line = RawLine(sizes.round_trips);
  std::printf("| what | the machine, before | after |\n|---|---|---|\n");
  const Spread futex = RawFutex(sizes);

  struct Row {
    const char* name;
    std::shared_ptr<const IdleStrategy> strategy;
    Measured measured;
    double idle_percent;
  };
  std::vector<Row> rows = {{"BusySpin", isolates::BusySpin(), {}, 0},
                           {"BackOff", isolates::BackOff(), {}, 0},
                           {"SpinThenPark", isolates::SpinThenPark(), {}, 0},
                           {"Park", isolates::Park(), {}, 0}};
  // 1,000 idle isolates beside all that follows.
  BytesOfIdleIsolate(std::min(1'000, sizes.light), true);
  for (Row& row : rows) {
    isolates::SetIdleStrategy(row.strategy);
    row.measured = MeasureIsolate(sizes);
    row.idle_percent = IdlePercent(sizes);
  }
  isolates::SetIdleStrategy(isolates::SpinThenPark());
  std::printf("| one cache line to and fro, ns | %s | %s |\n", Text(line, 1).c_str(),
              Text(RawLine(sizes.round_trips), 1).c_str());
  std::printf("| wake-up of a thread by futex, us | %s | %s |\n\n", Text(futex, 1000).c_str(),
              Text(RawFutex(sizes), 1000).c_str());
  std::printf(
      "| idle strategy | round trip, both awake, us | wake-up, us | ratio to futex | idle, %% "
      "of a processor |\n|---|---|---|---|---|\n");
  for (const Row& row : rows) {
    std::printf("| %s | %s | %s | %.2f | %.2f |\n", row.name,
                Text(row.measured.round_trip, 1000).c_str(),
                Text(row.measured.wake_up, 1000).c_str(),
                row.measured.wake_up.median / futex.median, row.idle_percent);
  }
  std::printf("\nMedians, 5 and 95 %% in brackets; 1,000 idle isolates beside.\n\n");
  std::printf("| an idle isolate with one port | number | bytes each |\n|---|---|---|\n");
  std::printf("| light | %d | %.0f |\n", sizes.light, BytesOfIdleIsolate(sizes.light, true));
  std::printf("| with a heap of its own | %d | %.0f |\n", sizes.with_heap,
              BytesOfIdleIsolate(sizes.with_heap, false));
  std::fflush(stdout);
  _exit(0);  // ending a hundred thousand isolates one by one is not part of this
}
