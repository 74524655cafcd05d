// Isolates that compute in turns until they are told to end: the neighbours of what is measured.

#ifndef ISOLATES_BENCHMARKS_PROGRAMS_COMPUTING_H_
#define ISOLATES_BENCHMARKS_PROGRAMS_COMPUTING_H_

#include <atomic>
#include <chrono>
#include <cstdint>

#include "benchmarks/programs/crew.h"
#include "isolates/isolates.h"

namespace isolates::bench {

// One group at a time.
class Computing {
 public:
  // Each computes for `turn` in each event, and sends itself the next one.
  Computing(int isolates, std::chrono::microseconds turn) {
    go_on_ = true;
    for (int i = 0; i < isolates; ++i) crew_.Start(Compute, turn);
  }
  Computing(const Computing&) = delete;
  Computing& operator=(const Computing&) = delete;
  ~Computing() {
    go_on_ = false;
    crew_.Wait();
  }

 private:
  static void Compute(std::chrono::microseconds turn) {
    ReceivePort<int> port;
    const SendPort<int> itself = port.send_port();
    std::move(port).Listen([itself, turn](ReceivePort<int>& own, int) {
      const auto end = std::chrono::steady_clock::now() + turn;
      std::uint64_t number = 1;
      while (std::chrono::steady_clock::now() < end) {
        for (int i = 0; i < 1000; ++i) {
          number = number * 6364136223846793005U + 1442695040888963407U;
        }
      }
      result_.store(number, std::memory_order_relaxed);  // relaxed - kept, not read
      if (go_on_.load()) {
        itself.Send(0);
      } else {
        own.Close();
      }
    });
    itself.Send(0);
  }

  static inline std::atomic<bool> go_on_{true};
  static inline std::atomic<std::uint64_t> result_{0};
  Crew crew_;
};

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_PROGRAMS_COMPUTING_H_
