// Wake-ups of an isolate on a worker.

#ifndef ISOLATES_BENCHMARKS_PROGRAMS_WAKE_H_
#define ISOLATES_BENCHMARKS_PROGRAMS_WAKE_H_

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <utility>

#include "benchmarks/programs/crew.h"
#include "benchmarks/support/histogram.h"
#include "benchmarks/support/require.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {

inline constexpr int kPauseUs = 2'000;  // long enough for all strategies to sleep, if they ever do

inline void Pause(int microseconds) {
  const timespec pause{microseconds / 1'000'000, microseconds % 1'000'000 * 1'000L};
  nanosleep(&pause, nullptr);
}

struct Answer {
  std::int64_t number;
  std::int64_t handled;  // the time
};

// Answers each number with the time at which it was handled; ends on 0.
inline void TellTime(std::pair<SendPort<Answer>, SendPort<SendPort<std::int64_t>>> ports) {
  ReceivePort<std::int64_t> numbers;
  ports.second.Send(numbers.send_port());
  std::move(numbers).Listen(
      [answers = ports.first](ReceivePort<std::int64_t>& port, std::int64_t number) {
        answers.Send(Answer{number, Nanoseconds()});
        if (number == 0) port.Close();
      });
}

// From Send to the handler, each after a pause. The thread that asks waits as the isolate does.
inline Histogram WakeUps(int count) {
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

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_PROGRAMS_WAKE_H_
