// This library, in the comparison with its peers: the same workloads, arguments and output as the
// programs in cpp/ (see cpp/harness.h).

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "benchmarks/peers/cpp/harness.h"
#include "isolates/adapters/nlohmann_json.h"
#include "isolates/isolates.h"

namespace {

using isolates::Isolate;
using isolates::kForever;
using isolates::PortOptions;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::SpawnOptions;
using isolates::Task;
using peers::Arguments;
using peers::Message;

Message Numbered(std::uint64_t number) {
  Message message;
  message.words[0] = number;
  return message;
}

SpawnOptions Spinning(int cpu) { return SpawnOptions().Dedicated(cpu).Idle(isolates::BusySpin()); }

// --- W1
// -------------------------------------------------------------------------------------------

// What both sides of a match are given.
struct Side {
  std::uint64_t count;
  SendPort<Message> answers;
  SendPort<SendPort<Message>> connected;  // is told where to send
};
struct Match {
  std::uint64_t count;
  int other_cpu;
  SendPort<double> seconds;
};

void Pong(Side side) {
  ReceivePort<Message> port;
  side.connected.Send(port.send_port());
  for (std::uint64_t i = 0; i <= side.count; ++i) {
    Message message = *port.Receive(kForever);
    ++message.words[0];
    side.answers.Send(std::move(message));
  }
}

void Ping(Match match) {
  ReceivePort<Message> answers;
  ReceivePort<SendPort<Message>> connected;
  const Isolate pong =
      Isolate::Spawn(Pong, Side{match.count, answers.send_port(), connected.send_port()},
                     Spinning(match.other_cpu))
          .Get();
  const SendPort<Message> to = *connected.Receive(kForever);
  Message message;
  double start = 0;
  for (std::uint64_t i = 0; i <= match.count; ++i) {
    to.Send(std::move(message));
    message = *answers.Receive(kForever);
    if (i == 0) start = peers::Now();
  }
  if (message.words[0] != match.count + 1) std::abort();
  match.seconds.Send(peers::Now() - start);
  pong.Ended().Get();  // its processor is free for the next
}

// The one number of an isolate that has a processor for itself, when it has ended.
template <class Entry, class Given>
double ResultOf(Entry entry, Given given, int cpu) {
  ReceivePort<double> seconds;
  given.seconds = seconds.send_port();
  const Isolate isolate = Isolate::Spawn(entry, std::move(given), Spinning(cpu)).Get();
  const double result = *seconds.Receive(kForever);
  isolate.Ended().Get();
  return result;
}

// Each has a processor for itself, and spins on it.
double RoundTripDedicated(const Arguments& arguments) {
  return 1e9 * peers::SecondsEach(arguments.seconds, [&](std::uint64_t count) {
           return ResultOf(Ping, Match{count, arguments.cpus[1], {}}, arguments.cpus[0]);
         });
}

Task<void> ScheduledPong(Side side) {
  ReceivePort<Message> port;
  side.connected.Send(port.send_port());
  for (std::uint64_t i = 0; i <= side.count; ++i) {
    Message message = *co_await port.Receive();
    ++message.words[0];
    side.answers.Send(std::move(message));
  }
}

Task<double> ScheduledPing(std::uint64_t count) {
  ReceivePort<Message> answers;
  ReceivePort<SendPort<Message>> connected;
  Side side{count, answers.send_port(), connected.send_port()};
  co_await Isolate::Spawn(ScheduledPong, std::move(side));
  const SendPort<Message> to = *co_await connected.Receive();
  Message message;
  double start = 0;
  for (std::uint64_t i = 0; i <= count; ++i) {
    to.Send(std::move(message));
    message = *co_await answers.Receive();
    if (i == 0) start = peers::Now();
  }
  co_return peers::Now() - start;
}

// Coroutines on the workers, while the main thread waits.
double RoundTripScheduled(const Arguments& arguments) {
  return 1e9 * peers::SecondsEach(arguments.seconds, [](std::uint64_t count) {
           return Isolate::Run(ScheduledPing, count).Get();
         });
}

// --- W2 and W3
// ------------------------------------------------------------------------------------

constexpr std::size_t kCapacity = 4096;

struct Order {
  std::uint64_t count;
  SendPort<Message> port;
};

void Produce(Order order) {
  for (std::uint64_t i = 0; i < order.count; ++i) order.port.Send(Numbered(i), kForever);
}

// Takes as many, in batches; seconds since the first one.
double Consume(ReceivePort<Message>& port, std::uint64_t count) {
  std::vector<Message> batch;
  batch.reserve(256);
  double start = 0;
  for (std::uint64_t taken = 0; taken < count;) {
    batch.clear();
    if (port.TryReceiveBatch(batch, 256) == 0) {
      peers::Pause();
      continue;
    }
    if (taken == 0) start = peers::Now();
    taken += batch.size();
  }
  return peers::Now() - start;
}

struct Flow {
  std::uint64_t count;
  bool bounded;
  int producer_cpu;
  SendPort<double> seconds;
};

void DedicatedConsumer(Flow flow) {
  ReceivePort<Message> port(flow.bounded ? PortOptions().Capacity(kCapacity) : PortOptions());
  const Isolate producer =
      Isolate::Spawn(Produce, Order{flow.count, port.send_port()}, Spinning(flow.producer_cpu))
          .Get();
  flow.seconds.Send(Consume(port, flow.count));
  producer.Ended().Get();
}

double OneToOne(const Arguments& arguments, bool bounded) {
  return 1e-6 / peers::SecondsEach(arguments.seconds, [&](std::uint64_t count) {
           return ResultOf(DedicatedConsumer, Flow{count, bounded, arguments.cpus[0], {}},
                           arguments.cpus[1]);
         });
}

// Four isolates on the workers send; the receiver has a processor for itself.
void DedicatedCollector(Flow flow) {
  ReceivePort<Message> port;
  std::vector<isolates::Future<void>> producers;
  for (int i = 0; i < 4; ++i) {
    producers.push_back(Isolate::Run(Produce, Order{flow.count / 4, port.send_port()}));
  }
  flow.seconds.Send(Consume(port, flow.count));
  for (auto& producer : producers) producer.Get();
}

double FourIsolatesToOne(const Arguments& arguments) {
  return 1e-6 / peers::SecondsEach(arguments.seconds, [&](std::uint64_t count) {
           return ResultOf(DedicatedCollector, Flow{4 * (count / 4), false, 0, {}},
                           arguments.cpus[1]);
         });
}

// Four isolates on the worker send, the main thread receives.
double FourToOne(const Arguments& arguments) {
  isolates::runtime_info();  // starts the runtime: it counts the processors of this thread
  peers::Pin(arguments.cpus[0]);
  return 1e-6 / peers::SecondsEach(arguments.seconds, [](std::uint64_t count) {
           ReceivePort<Message> port(PortOptions().Capacity(kCapacity));
           std::vector<isolates::Future<void>> producers;
           for (int i = 0; i < 4; ++i) {
             producers.push_back(Isolate::Run(Produce, Order{count / 4, port.send_port()}));
           }
           const double seconds = Consume(port, count);
           for (auto& producer : producers) producer.Get();
           return seconds;
         });
}

// Four plain threads send, as in the programs of the queues.
double FourThreadsToOne(const Arguments& arguments) {
  isolates::runtime_info();
  peers::Pin(arguments.cpus[1]);
  return 1e-6 / peers::SecondsEach(arguments.seconds, [&](std::uint64_t count) {
           ReceivePort<Message> port;
           std::vector<std::thread> producers;
           for (int i = 0; i < 4; ++i) {
             producers.emplace_back(
                 [cpu = arguments.cpus[0], order = Order{count / 4, port.send_port()}] {
                   peers::Pin(cpu);
                   for (std::uint64_t number = 0; number < order.count; ++number) {
                     order.port.Send(Numbered(number));
                   }
                 });
           }
           const double seconds = Consume(port, count);
           for (std::thread& producer : producers) producer.join();
           return seconds;
         });
}

// --- W4 to W6
// -------------------------------------------------------------------------------------

double RunAndResult(const Arguments& arguments) {
  return peers::MicrosecondsEach(arguments, [] {
    if (Isolate::Run([] { return 7; }).Get() != 7) std::abort();
  });
}

using Parsed = std::pair<nlohmann::json, double>;  // and when it was there

Parsed Parse(const std::string& file) {
  nlohmann::json document = nlohmann::json::parse(peers::TextOf(file));
  return {std::move(document), peers::Now()};
}

double Move(const Arguments& arguments) {
  const Parsed parsed = Isolate::Run(Parse, arguments.file).Get();
  if (parsed.first.empty()) std::abort();
  return 1e6 * (peers::Now() - parsed.second);
}

// With verification and census, which a drop as a whole needs.
double Parcel(const Arguments& arguments) {
  const isolates::Parcel<Parsed> parcel = Isolate::RunParcel(Parse, arguments.file).Get();
  if (parcel->first.empty()) std::abort();
  return 1e6 * (peers::Now() - parcel->second);
}

std::atomic<int> listening{0};

double Idle(int count, bool light) {
  const double before = peers::ResidentBytes();
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
  for (peers::Patience patience; listening.load() < count;) patience.Wait();
  return (peers::ResidentBytes() - before) / count;
}

}  // namespace

int main(int argc, char** argv) {
  const peers::Cases cases{{"w1_dedicated", RoundTripDedicated},
                           {"w1_scheduled", RoundTripScheduled},
                           {"w2", [](const Arguments& a) { return OneToOne(a, false); }},
                           {"w2_bounded", [](const Arguments& a) { return OneToOne(a, true); }},
                           {"w3", FourIsolatesToOne},
                           {"w3_bounded", FourToOne},
                           {"w3_threads", FourThreadsToOne},
                           {"w4", RunAndResult},
                           {"w5_move", Move},
                           {"w5_parcel", Parcel},
                           {"w6_light", [](const Arguments&) { return Idle(100'000, true); }},
                           {"w6_heap", [](const Arguments&) { return Idle(2'000, false); }}};
  return peers::Main(argc, argv, "this revision", cases);
}
