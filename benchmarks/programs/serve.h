// An isolate that is asked.

#ifndef ISOLATES_BENCHMARKS_PROGRAMS_SERVE_H_
#define ISOLATES_BENCHMARKS_PROGRAMS_SERVE_H_

#include <cstdint>
#include <utility>

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

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_PROGRAMS_SERVE_H_
