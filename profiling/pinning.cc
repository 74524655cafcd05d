// Pinned against unpinned: a ping-pong of isolates on workers, and a crew that computes. With
// --placement=cross workers are bound to processors, with --placement=free they are not.
//
//   pinning --placement=cross|free [--quick] [--json]

#include <dirent.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

// How often the threads of the process that live now were moved to another processor; kUnknown if
// the system does not tell.
double Migrations() {
  DIR* const tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return kUnknown;
  double sum = 0;
  bool told = false;
  while (const dirent* const task = readdir(tasks)) {
    std::ifstream sched("/proc/self/task/" + std::string(task->d_name) + "/sched");
    for (std::string line; std::getline(sched, line);) {
      if (!line.starts_with("se.nr_migrations")) continue;
      sum += std::stod(line.substr(line.find(':') + 1));
      told = true;
    }
  }
  closedir(tasks);
  return told ? sum : kUnknown;
}

// --- ping-pong: both listen, on workers

struct Pings {
  std::uint64_t count;
  SendPort<std::vector<std::int64_t>> done;  // nanoseconds of each
};

void Echo(std::pair<SendPort<std::int64_t>, SendPort<SendPort<std::int64_t>>> ports) {
  ReceivePort<std::int64_t> numbers;
  ports.second.Send(numbers.send_port());
  std::move(numbers).Listen(
      [back = ports.first](ReceivePort<std::int64_t>& port, std::int64_t number) {
        if (number < 0) {
          port.Close();
        } else {
          back.Send(std::move(number));
        }
      });
}

Task<> Ping(Pings pings) {
  ReceivePort<std::int64_t> answers;
  ReceivePort<SendPort<std::int64_t>> connect;
  std::pair ports(answers.send_port(), connect.send_port());
  auto started = Isolate::Spawn(Echo, std::move(ports));
  co_await started;
  const SendPort<std::int64_t> to = *co_await connect.Receive();
  std::vector<std::int64_t> times;
  times.reserve(pings.count);
  for (std::uint64_t i = 0; i < pings.count; ++i) {
    const std::int64_t start = Nanoseconds();
    to.Send(std::int64_t{1});
    co_await answers.Receive();
    times.push_back(Nanoseconds() - start);
  }
  to.Send(std::int64_t{-1});
  pings.done.Send(std::move(times));
}

Histogram PingPong(std::uint64_t count) {
  ReceivePort<std::vector<std::int64_t>> done;
  Crew crew;
  crew.Start(Ping, Pings{count, done.send_port()});
  const std::vector<std::int64_t> each = *done.Receive(kForever);
  crew.Wait();
  Histogram times;
  for (const std::int64_t time : each) times.Record(static_cast<std::uint64_t>(time));
  return times;
}

// --- a crew: each computes over a table that it has made, which fits a processor's own cache

constexpr std::size_t kTable = std::size_t{1} << 17;  // of words: 1 MiB
constexpr int kRounds = 400;

std::uint64_t Compute(std::uint64_t seed) {
  std::vector<std::uint64_t> table(kTable);
  std::uint64_t number = seed;
  for (int i = 0; i < kRounds; ++i) {
    for (std::size_t step = 0; step < 2'000; ++step) {
      number =
          number * 6364136223846793005U + 1442695040888963407U + table[(number >> 32) % kTable];
      table[(number >> 40) % kTable] = number;
    }
  }
  return number;
}

double CrewMs(int members) {
  const Stopwatch watch;
  std::vector<Future<std::uint64_t>> results;
  for (int i = 0; i < members; ++i) {
    results.push_back(Isolate::Run(Compute, static_cast<std::uint64_t>(i + 1)));
  }
  std::uint64_t sum = 0;
  for (auto& result : results) sum += result.Get();
  Require(sum != 0, "all have computed");
  return static_cast<double>(watch.ns()) / 1e6;
}

void Run(Program& program) {
  const auto pings = program.Scale<std::uint64_t>(50'000, 300);
  PingPong(pings / 10);
  Histogram times;
  const double before = Migrations();
  const Stopwatch watch;
  for (int i = 0; i < program.Scale(5, 1); ++i) times.Merge(PingPong(pings));
  program.Add(ResultOf("migrations: ping-pong",
                       SpreadOf({(Migrations() - before) / watch.seconds()}), "1/s", 1));
  program.Latency("ping-pong", std::move(times));
  const int members = program.Scale(16, 2);
  const double before_crew = Migrations();
  const Stopwatch crew_watch;
  program.Measure("crew", "ms", [=] { return CrewMs(members); });
  program.Add(ResultOf("migrations: crew",
                       SpreadOf({(Migrations() - before_crew) / crew_watch.seconds()}), "1/s", 1));
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
