// Ping-pong: one message to and fro between two parties; the latency of a port, by the size of the
// message and by where the parties run. (The oldest of message benchmarks; in Savina "ping pong".)
//
// Each party adds one to the message; the sum tells whether all were delivered once.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/baselines.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/detail/cpu.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

template <std::size_t kBytes>
struct Ball {
  std::array<std::uint64_t, kBytes / 8> words{};
};

enum class Mode {
  kScheduled,  // both are isolates on workers, wherever the scheduler puts them, and listen
  // Both have a processor of their own, whose thread spins, and
  kListening,  // listen;
  kReceiving,  // block in Receive;
  kPolling,    // ask TryReceive again and again.
};

struct Job {
  std::uint64_t round_trips = 0;
  Mode mode = Mode::kScheduled;
  bool record = false;  // the time of each round trip; else of all
  CpuPair cpus{};
};

struct Outcome {
  double ns_each = 0;
  std::uint64_t sum = 0;
  std::vector<std::uint64_t> times;
};

SpawnOptions OptionsOf(const Job& job, int cpu) {
  return job.mode == Mode::kScheduled ? SpawnOptions()
                                      : SpawnOptions().Dedicated(cpu).Idle(BusySpin());
}
bool Listens(const Job& job) {
  return job.mode == Mode::kScheduled || job.mode == Mode::kListening;
}
template <class Message>
Message Next(const Job& job, ReceivePort<Message>& port) {
  if (job.mode == Mode::kReceiving) return *port.Receive(kForever);
  for (;;) {
    if (auto message = port.TryReceive()) return *std::move(message);
    internal::CpuPause();
  }
}

template <class Message>
struct PongSetup {
  Job job;
  SendPort<SendPort<Message>> connect;
  SendPort<Message> back;
};

template <class Message>
void Pong(PongSetup<Message> setup) {
  ReceivePort<Message> balls;
  setup.connect.Send(balls.send_port());
  if (!Listens(setup.job)) {
    for (std::uint64_t i = 0; i < setup.job.round_trips; ++i) {
      Message ball = Next(setup.job, balls);
      ++ball.words[0];
      setup.back.Send(std::move(ball));
    }
    return;
  }
  std::move(balls).Listen([back = setup.back, left = setup.job.round_trips](
                              ReceivePort<Message>& port, Message ball) mutable {
    ++ball.words[0];
    back.Send(std::move(ball));
    if (--left == 0) port.Close();
  });
}

// The round trips, seen by the party that serves.
template <class Message>
class Rally {
 public:
  Rally(const Job& job, SendPort<Message> out, SendPort<Outcome> done)
      : job_(job), out_(std::move(out)), done_(std::move(done)) {
    if (job_.record) outcome_.times.reserve(job_.round_trips);
  }
  void Serve(Message ball) {
    ++ball.words[0];
    served_ = Nanoseconds();
    if (count_ == 0) start_ = served_;
    out_.Send(std::move(ball));
  }
  // True if that was the last.
  bool Return(Message ball) {
    if (job_.record) {
      outcome_.times.push_back(static_cast<std::uint64_t>(Nanoseconds() - served_));
    }
    if (++count_ < job_.round_trips) {
      if (job_.record) {
        Serve(std::move(ball));
      } else {
        ++ball.words[0];
        out_.Send(std::move(ball));
      }
      return false;
    }
    outcome_.ns_each =
        static_cast<double>(Nanoseconds() - start_) / static_cast<double>(job_.round_trips);
    outcome_.sum = ball.words[0];
    done_.Send(std::move(outcome_));
    return true;
  }

 private:
  const Job job_;
  const SendPort<Message> out_;
  const SendPort<Outcome> done_;
  std::uint64_t count_ = 0;
  std::int64_t start_ = 0;
  std::int64_t served_ = 0;
  Outcome outcome_;
};

template <class Message>
Task<> Ping(std::pair<Job, SendPort<Outcome>> setup) {
  const auto& [job, done] = setup;
  ReceivePort<SendPort<Message>> connect;
  ReceivePort<Message> balls;
  // Not in the co_await expression: g++ 12 destroys aggregates there twice.
  PongSetup<Message> pong{job, connect.send_port(), balls.send_port()};
  auto started = Isolate::Spawn(Pong<Message>, std::move(pong), OptionsOf(job, job.cpus.far));
  co_await started;
  auto rally = std::make_unique<Rally<Message>>(job, *co_await connect.Receive(), done);
  rally->Serve(Message{});
  if (!Listens(job)) {
    while (!rally->Return(Next(job, balls))) {
    }
    co_return;
  }
  std::move(balls).Listen([rally = std::shared_ptr<Rally<Message>>(std::move(rally))](
                              ReceivePort<Message>& port, Message ball) {
    if (rally->Return(std::move(ball))) port.Close();
  });
}

template <class Message>
Outcome Play(const Job& job) {
  ReceivePort<Outcome> done;
  Crew crew;
  crew.Start(Ping<Message>, std::pair(job, done.send_port()), OptionsOf(job, job.cpus.near));
  Outcome outcome = *done.Receive(kForever);
  Require(outcome.sum == 2 * job.round_trips, "each round trip adds two");
  crew.Wait();
  return outcome;
}

template <std::size_t kBytes>
Candidate RoundTrip(const std::string& name, const Job& job) {
  return {name + ", " + std::to_string(kBytes) + " B",
          [job] { return Play<Ball<kBytes>>(job).ns_each; }};
}

Histogram TimesOf(Job job) {
  job.record = true;
  Histogram times;
  for (const std::uint64_t time : Play<Ball<8>>(job).times) times.Record(time);
  return times;
}

void Run(Program& program) {
  Job scheduled;
  scheduled.round_trips = program.Scale<std::uint64_t>(50'000, 500);
  const auto cpus = program.cpus();
  if (!cpus) {
    const Candidate only = RoundTrip<64>("isolates on workers", scheduled);
    program.Measure(only.name, "ns", only.measure);
    program.Latency("isolates on workers, 8 B", TimesOf(scheduled));
    return;
  }
  const auto dedicated = [&](Mode mode) {
    Job job = scheduled;
    job.mode = mode;
    job.cpus = *cpus;
    return job;
  };
  const int raw = program.Scale(50'000, 500);
  const int blocking = program.Scale(200, 10);
  std::vector<Candidate> rows;
  for (const auto& [name, mode] : {std::pair("dedicated isolates, TryReceive", Mode::kPolling),
                                   std::pair("dedicated isolates, Receive", Mode::kReceiving),
                                   std::pair("dedicated isolates, Listen", Mode::kListening)}) {
    rows.push_back(RoundTrip<8>(name, dedicated(mode)));
    rows.push_back(RoundTrip<48>(name, dedicated(mode)));
    rows.push_back(RoundTrip<64>(name, dedicated(mode)));
    program.Latency(std::string(name) + ", 8 B", TimesOf(dedicated(mode)));
  }
  rows.push_back(RoundTrip<64>("isolates on workers", scheduled));
  program.Latency("isolates on workers, 8 B", TimesOf(scheduled));
  rows.push_back({"moodycamel with tokens, 64 B", [=] { return MoodycamelRoundTrip(*cpus, raw); }});
  rows.push_back({"futex", [=] { return FutexRoundTrip(*cpus, blocking); }});
  rows.push_back({"mutex and condition variable, 64 B",
                  [=] { return MutexCondvarRoundTrip(*cpus, blocking); }});
  program.Compare([=] { return RawBounce(*cpus, raw); }, rows, "ns");
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
