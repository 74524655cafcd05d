// Round trips and streams between two dedicated isolates that spin.

#include "benchmarks/figures/figures.h"
#include "benchmarks/figures/pair.h"
#include "benchmarks/figures/round_trip.h"
#include "benchmarks/support/baselines.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/require.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

// As Ping and Pong, but by Receive, which waits as the isolate's idle strategy says.
template <class Message>
double PingBlocking(std::uint64_t count, ReceivePort<Message>& own,
                    const SendPort<Message>& other) {
  Message message{};
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < count; ++i) {
    other.Send(std::move(message));
    message = *own.Receive(kForever);
  }
  const double each = watch.ns_each(static_cast<std::int64_t>(count));
  Require(message.words[0] == count, "each round trip adds one");
  return each;
}

template <class Message>
double PongBlocking(std::uint64_t count, ReceivePort<Message>& own,
                    const SendPort<Message>& other) {
  for (std::uint64_t i = 0; i < count; ++i) {
    Message message = *own.Receive(kForever);
    ++message.words[0];
    other.Send(std::move(message));
  }
  return 0;
}

// Messages that may be on their way: the receiver grants as many again whenever it has had half.
constexpr std::uint64_t kWindow = 8192;

template <class Message>
double Consume(std::uint64_t count, ReceivePort<Message>& own, const SendPort<Message>& other) {
  std::uint64_t sum = 0;
  other.Send(Message{});
  sum += Next(own).words[0];
  const Stopwatch watch;
  for (std::uint64_t i = 1; i < count; ++i) {
    sum += Next(own).words[0];
    if (i % (kWindow / 2) == 0) other.Send(Message{});
  }
  const double each = watch.ns_each(static_cast<std::int64_t>(count - 1));
  Require(sum == count * (count - 1) / 2, "each number came once");
  return each;
}

template <class Message>
double Produce(std::uint64_t count, ReceivePort<Message>& own, const SendPort<Message>& other) {
  Next(own);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i >= kWindow && i % (kWindow / 2) == 0) Next(own);
    Message message;
    message.words[0] = i;
    other.Send(std::move(message));
  }
  return 0;
}

template <std::size_t kBytes>
Candidate RoundTrip(CpuPair cpus, std::uint64_t count) {
  return {"round trip, dedicated, " + std::to_string(kBytes) + " B", [=] {
            return DedicatedPair<Payload<kBytes>>(cpus, count, Ping<Payload<kBytes>>,
                                                  Pong<Payload<kBytes>>);
          }};
}

template <std::size_t kBytes>
Candidate Stream(CpuPair cpus, std::uint64_t count) {
  return {"one to one, " + std::to_string(kBytes) + " B", [=] {
            return DedicatedPair<Payload<kBytes>>(cpus, count, Consume<Payload<kBytes>>,
                                                  Produce<Payload<kBytes>>);
          }};
}

}  // namespace

void PortFigures(Figures& figures) {
  const CpuPair cpus = figures.cpus();
  const auto count = figures.Scale<std::uint64_t>(50'000, 500);
  const auto bare = [=](std::size_t bytes) -> Candidate {
    return {"bare lane of slots, " + std::to_string(bytes) + " B",
            [=] { return BareLaneRoundTrip(cpus, bytes, static_cast<int>(count)); }};
  };
  figures.Compare([=] { return RawBounce(cpus, static_cast<int>(count)); },
                  {RoundTrip<8>(cpus, count), bare(8), RoundTrip<48>(cpus, count), bare(48),
                   RoundTrip<64>(cpus, count), bare(64),
                   Candidate{"round trip, dedicated, Receive, 8 B",
                             [=] {
                               return DedicatedPair<Payload<8>>(
                                   cpus, count, PingBlocking<Payload<8>>, PongBlocking<Payload<8>>);
                             }}},
                  "ns", {1.5, std::nullopt, 1.9, std::nullopt, 2.1, std::nullopt, std::nullopt});
  const auto messages = figures.Scale<std::uint64_t>(1'000'000, 20'000);
  figures.CompareRates([=] { return RawStream(cpus, static_cast<int>(messages)); },
                       {Stream<56>(cpus, messages),
                        Stream<64>(cpus, messages),
                        {"moodycamel with tokens, one to one, 64 B",
                         [=] { return MoodycamelStream(cpus, static_cast<int>(messages)); }}},
                       "million/s", {0.8, 0.65, std::nullopt});
}

}  // namespace isolates::bench
