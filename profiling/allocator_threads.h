// Threads that build graphs in the program's one heap, whatever allocator that is.

#ifndef ISOLATES_PROFILING_ALLOCATOR_THREADS_H_
#define ISOLATES_PROFILING_ALLOCATOR_THREADS_H_

#include <cstddef>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "profiling/allocator_phases.h"

namespace isolates::bench {

class Threads {
 public:
  using Held = Graph;

  explicit Threads(void (*trim)()) : trim_(trim) {}

  std::vector<Held> Build(int graphs, std::size_t strings) {
    std::vector<std::future<Graph>> building;
    for (int i = 0; i < graphs; ++i) {
      building.push_back(std::async(std::launch::async, BuildGraph, strings));
    }
    std::vector<Held> held;
    for (auto& one : building) held.push_back(one.get());
    return held;
  }
  const Graph& Look(const Held& held) { return held; }
  std::string Keep(Held& held, std::size_t index) { return std::move(held[index]); }
  void Trim() { trim_(); }

 private:
  void (*trim_)();
};

}  // namespace isolates::bench

#endif  // ISOLATES_PROFILING_ALLOCATOR_THREADS_H_
