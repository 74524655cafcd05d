// Wake-up: from Send to the handler of an isolate that has waited, and the processor time of a
// runtime in which nothing happens, by idle strategy. What it stresses: going to sleep and being
// woken.
//
// The limit is the wake-up of a thread by a bare futex.

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

constexpr int kPauseUs = 2'000;  // long enough for all strategies to sleep, if they ever do

void Pause(int microseconds) {
  const timespec pause{microseconds / 1'000'000, microseconds % 1'000'000 * 1'000L};
  nanosleep(&pause, nullptr);
}

struct Answer {
  std::int64_t number;
  std::int64_t handled;  // the time
};

// Answers each number with the time at which it was handled; ends on 0.
void TellTime(std::pair<SendPort<Answer>, SendPort<SendPort<std::int64_t>>> ports) {
  ReceivePort<std::int64_t> numbers;
  ports.second.Send(numbers.send_port());
  std::move(numbers).Listen(
      [answers = ports.first](ReceivePort<std::int64_t>& port, std::int64_t number) {
        answers.Send(Answer{number, Nanoseconds()});
        if (number == 0) port.Close();
      });
}

Histogram WakeUps(int count) {
  ReceivePort<Answer> answers;
  ReceivePort<SendPort<std::int64_t>> connected;
  Crew crew;
  crew.Start(TellTime, std::pair(answers.send_port(), connected.send_port()));
  const SendPort<std::int64_t> to = *connected.Receive(kForever);
  Histogram times;
  for (std::int64_t i = 1; i <= count; ++i) {
    Pause(kPauseUs);
    const std::int64_t start = Nanoseconds();
    to.Send(std::int64_t{i});
    const Answer answer = *answers.Receive(kForever);
    Require(answer.number == i, "each number is answered in its turn");
    times.Record(static_cast<std::uint64_t>(std::max<std::int64_t>(0, answer.handled - start)));
  }
  to.Send(std::int64_t{0});
  answers.Receive(kForever).value();
  crew.Wait();
  return times;
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
double IdlePercent(int idle_ms) {
  Pause(200'000);  // whatever was adapting has settled
  const Stopwatch watch;
  const double before = ProcessorSeconds();
  Pause(idle_ms * 1'000);
  return 100 * (ProcessorSeconds() - before) / watch.seconds();
}

struct Row {
  std::string name;
  std::shared_ptr<const IdleStrategy> strategy;
};

void Run(Program& program) {
  const int wake_ups = program.Scale(50, 5);
  const std::vector<Row> rows = {{"BusySpin", BusySpin()},
                                 {"BackOff", BackOff()},
                                 {"SpinThenPark", SpinThenPark()},
                                 {"Park", Park()}};
  std::vector<Histogram> all(rows.size());
  const auto wake = [&](std::size_t i) {
    SetIdleStrategy(rows[i].strategy);
    const Histogram times = WakeUps(wake_ups);
    all[i].Merge(times);
    return static_cast<double>(times.Percentile(50));
  };
  if (const auto cpus = program.cpus()) {
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      candidates.push_back({rows[i].name + ", wake-up (limit: a futex)", [=] { return wake(i); }});
    }
    program.Compare([=] { return FutexWakeUp(*cpus, wake_ups, kPauseUs); }, candidates, "ns");
  } else {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      program.Measure(rows[i].name + ", wake-up", "ns", [=] { return wake(i); });
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    program.Latency(rows[i].name + ", wake-up", all[i]);
  }
  for (const Row& row : rows) {
    SetIdleStrategy(row.strategy);
    program.Measure(row.name + ", an idle runtime", "% of a processor",
                    [&] { return IdlePercent(program.Scale(300, 50)); });
  }
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
