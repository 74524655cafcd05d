// Whether code makes system calls, on Linux 5.11 or later and x86-64.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_SYSTEM_CALLS_H_
#define ISOLATES_BENCHMARKS_SUPPORT_SYSTEM_CALLS_H_

#include <optional>

namespace isolates::bench {

// From its making on, for the thread that made it. One at a time in a thread. SIGSYS is its own.
class SystemCallWatch {
 public:
  SystemCallWatch() noexcept;
  SystemCallWatch(const SystemCallWatch&) = delete;
  SystemCallWatch& operator=(const SystemCallWatch&) = delete;
  ~SystemCallWatch();

  // Ends it. Nothing if the system does not offer that.
  std::optional<bool> Called() noexcept;

 private:
  bool watches_ = false;
};

// Of the calling thread while `function` runs.
template <class Function>
std::optional<bool> MakesSystemCalls(Function&& function) {
  SystemCallWatch watch;
  function();
  return watch.Called();
}

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_SYSTEM_CALLS_H_
