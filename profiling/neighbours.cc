// Interference of neighbours: what a request and its answer take beside other work. Both parties
// are isolates on one processor; the neighbour is a process, or a thread of ours, on
// the other one, or on the same.
//
// "bare": the request is a number. "with state": the server reads 64 words at random of a table
// that is larger than its processor's own caches.

#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

// --- neighbours: each runs until it is told to end

std::atomic<bool> go_on{true};
// relaxed - nothing but the fact.
bool GoOn() { return go_on.load(std::memory_order_relaxed); }

std::uint64_t Next(std::uint64_t number) {
  return number * 6364136223846793005U + 1442695040888963407U;
}
volatile std::uint64_t kept;

void Compute() {
  std::uint64_t number = 1;
  while (GoOn()) {
    for (int i = 0; i < 1'000; ++i) number = Next(number);
  }
  kept = number;
}

void StreamMemory() {
  constexpr std::size_t kBytes = std::size_t{128} << 20;
  std::vector<char> from(kBytes, 'a');
  std::vector<char> to(kBytes);
  for (std::size_t at = 0; GoOn(); at = (at + (1 << 20)) % kBytes) {
    std::memcpy(to.data() + at, from.data() + at, 1 << 20);
  }
  kept = static_cast<std::uint64_t>(to[0]);
}

void ThrashCaches() {
  constexpr std::size_t kWords = std::size_t{8} << 20;  // 64 MiB
  std::vector<std::uint64_t> table(kWords);
  for (std::uint64_t number = 1; GoOn();) {
    for (int i = 0; i < 1'000; ++i) {
      number = Next(number);
      ++table[(number >> 30) % kWords];
    }
  }
  kept = table[0];
}

// Blocks of 16 bytes to 64 KiB that live for a while, and now and then a mapping.
void Allocate() {
  std::array<void*, 1'024> blocks{};
  for (std::uint64_t number = 1; GoOn();) {
    for (int i = 0; i < 1'000; ++i) {
      number = Next(number);
      void*& block = blocks[(number >> 33) % blocks.size()];
      std::free(block);
      const std::size_t bytes = std::size_t{16} << ((number >> 50) % 13);
      block = std::malloc(bytes);
      if (block != nullptr) std::memset(block, 1, bytes);
    }
    constexpr std::size_t kMapped = std::size_t{1} << 20;
    void* const mapped =
        mmap(nullptr, kMapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) continue;
    std::memset(mapped, 1, kMapped);
    munmap(mapped, kMapped);
  }
  for (void* block : blocks) std::free(block);
}

struct Kind {
  std::string_view name;
  void (*run)();
  bool own_process;
};
constexpr std::array<Kind, 6> kKinds = {
    {{"nothing", nullptr, false},
     {"one that computes", Compute, true},
     {"a memory streamer", StreamMemory, true},
     {"a cache thrasher", ThrashCaches, true},
     {"an allocation storm", Allocate, true},
     {"a thread of the same process that computes", Compute, false}}};

// The program itself, started again for one of the kinds. Nothing else: a child of a process that
// has isolates must be another program.
class NeighbourProcess {
 public:
  NeighbourProcess(std::size_t kind, int cpu) {
    std::array<std::string, 4> arguments = {"neighbours", "neighbour", std::to_string(kind),
                                            std::to_string(cpu)};
    std::array<char*, 5> pointers = {arguments[0].data(), arguments[1].data(), arguments[2].data(),
                                     arguments[3].data(), nullptr};
    Require(
        posix_spawn(&process_, "/proc/self/exe", nullptr, nullptr, pointers.data(), environ) == 0,
        "the neighbour starts");
  }
  NeighbourProcess(const NeighbourProcess&) = delete;
  NeighbourProcess& operator=(const NeighbourProcess&) = delete;
  ~NeighbourProcess() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }

 private:
  pid_t process_ = 0;
};

class NeighbourThread {
 public:
  NeighbourThread(void (*run)(), int cpu) {
    go_on = true;
    thread_ = std::thread([=] {
      const PinnedHere pinned(cpu);
      run();
    });
  }
  NeighbourThread(const NeighbourThread&) = delete;
  NeighbourThread& operator=(const NeighbourThread&) = delete;
  ~NeighbourThread() {
    go_on = false;
    thread_.join();
  }

 private:
  std::thread thread_;
};

// --- what is measured

constexpr std::size_t kStateWords = std::size_t{1} << 20;  // 8 MiB
constexpr int kReads = 64;

struct ServerSetup {
  bool with_state;
  int cpu;
  SendPort<std::uint64_t> answers;
  SendPort<SendPort<std::uint64_t>> connect;
};

void Serve(ServerSetup setup) {
  ReceivePort<std::uint64_t> requests;
  setup.connect.Send(requests.send_port());
  std::move(requests).Listen(
      [answers = setup.answers, cpu = setup.cpu,
       state = std::vector<std::uint64_t>(setup.with_state ? kStateWords : 0, 1),
       number = std::uint64_t{1}](ReceivePort<std::uint64_t>& port, std::uint64_t request) mutable {
        if (request == 0) {
          port.Close();
          return;
        }
        Require(sched_getcpu() == cpu, "the server is where it was put");
        std::uint64_t sum = request;
        for (int i = 0; i < kReads && !state.empty(); ++i) {
          number = Next(number);
          sum += state[(number >> 30) % kStateWords] - 1;
        }
        answers.Send(std::move(sum));
      });
}

struct ClientSetup {
  std::uint64_t count;
  bool with_state;
  int cpu;
  SendPort<std::vector<std::int64_t>> done;
};

Task<> Ask(ClientSetup setup) {
  ReceivePort<std::uint64_t> answers;
  ReceivePort<SendPort<std::uint64_t>> connect;
  ServerSetup server{setup.with_state, setup.cpu, answers.send_port(), connect.send_port()};
  auto started = Isolate::Spawn(Serve, std::move(server));
  co_await started;
  const SendPort<std::uint64_t> to = *co_await connect.Receive();
  std::vector<std::int64_t> times;
  times.reserve(setup.count);
  const std::uint64_t warm = setup.count / 10 + 1;
  for (std::uint64_t i = 1; i <= warm + setup.count; ++i) {
    const std::int64_t start = Nanoseconds();
    to.Send(std::uint64_t{i});
    const std::optional<std::uint64_t> answer = co_await answers.Receive();
    Require(*answer == i, "each request is answered in its turn");
    if (i > warm) times.push_back(Nanoseconds() - start);
  }
  to.Send(std::uint64_t{0});
  setup.done.Send(std::move(times));
}

Histogram AnswerTimes(std::uint64_t count, bool with_state, int cpu) {
  ReceivePort<std::vector<std::int64_t>> done;
  Crew crew;
  crew.Start(Ask, ClientSetup{count, with_state, cpu, done.send_port()});
  const std::vector<std::int64_t> times = *done.Receive(kForever);
  crew.Wait();
  Histogram histogram;
  for (const std::int64_t time : times) histogram.Record(static_cast<std::uint64_t>(time));
  return histogram;
}

void Run(Program& program) {
  const auto cpus = TwoCpus();
  Require(cpus.has_value(), "two processors are needed");
  // Two threads of the runtime share the processor: one that offers it between its looks for work
  // would offer it to whatever else the machine runs.
  SetIdleStrategy(Park());
  struct Series {
    std::string name;
    bool with_state;
    int cpu;  // of the neighbour
  };
  const std::vector<Series> series = {{"bare, other processor", false, cpus->far},
                                      {"with state, other processor", true, cpus->far},
                                      {"bare, same processor", false, cpus->near}};
  const auto count = program.Scale<std::uint64_t>(20'000, 200);
  const int turns = program.Scale(5, 1);
  constexpr std::array<std::pair<const char*, double>, 5> kPercentiles = {
      {{"", 50}, {", p90", 90}, {", p99", 99}, {", p99.9", 99.9}, {", max", 100}}};
  // Of each turn: one that was disturbed does not spoil the others.
  using Turns = std::array<std::vector<double>, kPercentiles.size()>;
  std::vector<Turns> all(series.size() * kKinds.size());
  // Kinds take turns, so that a change of the machine meets all of them.
  for (int turn = 0; turn < turns; ++turn) {
    for (std::size_t s = 0; s < series.size(); ++s) {
      for (std::size_t k = 0; k < kKinds.size(); ++k) {
        if (kKinds[k].run == nullptr && series[s].cpu == cpus->near) continue;
        std::optional<NeighbourProcess> process;
        std::optional<NeighbourThread> thread;
        if (kKinds[k].own_process) {
          process.emplace(k, series[s].cpu);
        } else if (kKinds[k].run != nullptr) {
          thread.emplace(kKinds[k].run, series[s].cpu);
        }
        // Until it has made what it works on.
        const timespec pause{0, 200'000'000};
        nanosleep(&pause, nullptr);
        const Histogram histogram = AnswerTimes(count, series[s].with_state, cpus->near);
        for (std::size_t p = 0; p < kPercentiles.size(); ++p) {
          all[s * kKinds.size() + k][p].push_back(
              static_cast<double>(histogram.Percentile(kPercentiles[p].second)));
        }
      }
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i][0].empty()) continue;
    const std::string name =
        series[i / kKinds.size()].name + ": " + std::string(kKinds[i % kKinds.size()].name);
    for (std::size_t p = 0; p < kPercentiles.size(); ++p) {
      program.Add(ResultOf(name + kPercentiles[p].first, SpreadOf(all[i][p]), "ns", turns));
    }
  }
}

}  // namespace
}  // namespace isolates::bench

// All isolates on one processor, with --placement=same.
int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "neighbour") {
    const isolates::bench::PinnedHere pinned(std::atoi(argv[3]));
    isolates::bench::kKinds.at(std::strtoull(argv[2], nullptr, 10)).run();
    return 0;
  }
  std::vector<char*> arguments(argv, argv + argc);
  std::string same = "--placement=same";
  arguments.push_back(same.data());
  isolates::bench::Program program(argc + 1, arguments.data());
  isolates::bench::Run(program);
  return program.Finish();
}
