// A message to and fro between two isolates that poll.

#ifndef ISOLATES_BENCHMARKS_FIGURES_ROUND_TRIP_H_
#define ISOLATES_BENCHMARKS_FIGURES_ROUND_TRIP_H_

#include <cstdint>
#include <utility>

#include "benchmarks/figures/pair.h"
#include "benchmarks/support/require.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {

template <class Message>
double Ping(std::uint64_t count, ReceivePort<Message>& own, const SendPort<Message>& other) {
  Message message{};
  std::uint64_t warm = count / 10 + 200;
  for (std::uint64_t i = 0; i < warm; ++i) {
    other.Send(std::move(message));
    message = Next(own);
  }
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < count; ++i) {
    other.Send(std::move(message));
    message = Next(own);
  }
  const double each = watch.ns_each(static_cast<std::int64_t>(count));
  Require(message.words[0] == count + warm, "each round trip adds one");
  return each;
}

template <class Message>
double Pong(std::uint64_t count, ReceivePort<Message>& own, const SendPort<Message>& other) {
  for (std::uint64_t i = 0; i < count + count / 10 + 200; ++i) {
    Message message = Next(own);
    ++message.words[0];
    other.Send(std::move(message));
  }
  return 0;
}

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_FIGURES_ROUND_TRIP_H_
