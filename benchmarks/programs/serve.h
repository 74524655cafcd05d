// An isolate that is asked, once each millisecond.

#ifndef ISOLATES_BENCHMARKS_PROGRAMS_SERVE_H_
#define ISOLATES_BENCHMARKS_PROGRAMS_SERVE_H_

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

struct ServeSetup {
  SendPort<SendPort<std::int64_t>> connect;
  SendPort<std::int64_t> answers;
};

// Answers each number with the next; ends on a negative one.
inline void Serve(ServeSetup setup) {
  ReceivePort<std::int64_t> numbers;
  setup.connect.Send(numbers.send_port());
  std::move(numbers).Listen(
      [answers = setup.answers](ReceivePort<std::int64_t>& port, std::int64_t number) {
        if (number < 0) {
          port.Close();
        } else {
          answers.Send(number + 1);
        }
      });
}

// At once if it has passed.
inline void SleepUntil(std::int64_t time) {
  const timespec until{time / 1'000'000'000, time % 1'000'000'000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

struct Asked {
  Histogram plain;
  Histogram corrected;  // with the requests that were due while an answer was late
};

// On a worker.
class Server {
 public:
  Server() {
    ReceivePort<SendPort<std::int64_t>> connect;
    crew_.Start(Serve, ServeSetup{connect.send_port(), answers_.send_port()});
    numbers_ = *connect.Receive(kForever);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    numbers_.Send(std::int64_t{-1});
    crew_.Wait();
  }

  // So many requests, or fewer if they take longer than `most_seconds`.
  Asked Ask(std::int64_t requests, double most_seconds) {
    constexpr std::int64_t kIntervalNs = 1'000'000;
    Asked asked;
    const Stopwatch watch;
    std::int64_t due = Nanoseconds();
    for (std::int64_t i = 0; i < requests && (i == 0 || watch.seconds() < most_seconds); ++i) {
      SleepUntil(due);
      const std::int64_t start = Nanoseconds();
      numbers_.Send(std::int64_t{i});
      Require(*answers_.Receive(kForever) == i + 1, "each request is answered in its turn");
      const auto time = static_cast<std::uint64_t>(Nanoseconds() - start);
      asked.plain.Record(time);
      asked.corrected.RecordCorrected(time, kIntervalNs);
      due = std::max(due + kIntervalNs, Nanoseconds());
    }
    return asked;
  }

 private:
  ReceivePort<std::int64_t> answers_;
  SendPort<std::int64_t> numbers_;
  Crew crew_;
};

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_PROGRAMS_SERVE_H_
