// Time spans of benchmarks, in nanoseconds.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_STOPWATCH_H_
#define ISOLATES_BENCHMARKS_SUPPORT_STOPWATCH_H_

#include <chrono>
#include <cstdint>
#include <utility>

namespace isolates::bench {

// On std::chrono::steady_clock: comparable between threads.
inline std::int64_t Nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class Stopwatch {
 public:
  std::int64_t ns() const { return Nanoseconds() - start_; }
  double seconds() const { return 1e-9 * static_cast<double>(ns()); }
  double ns_each(std::int64_t operations) const {
    return static_cast<double>(ns()) / static_cast<double>(operations);
  }

 private:
  std::int64_t start_ = Nanoseconds();
};

// Nanoseconds of one call.
template <class Function>
double TimeOf(Function&& function) {
  const Stopwatch watch;
  std::forward<Function>(function)();
  return static_cast<double>(watch.ns());
}

// Nanoseconds for each of many operations to operations in a second, and back.
inline double Inverse(double ns_or_per_second) { return 1e9 / ns_or_per_second; }

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_STOPWATCH_H_
