// What an allocator keeps while graphs are built in workers, handed over and dropped.
//
//   allocator parcels|values|threads [--quick]
//
// parcels: RunParcel; what is kept of a graph is copied out, and the heap is dropped as a whole.
// values: Run; what is kept is moved out, and the rest is destroyed. threads: std::async, in the
// same allocator's one heap.

#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "profiling/allocator_phases.h"
#include "profiling/allocator_threads.h"

namespace isolates::bench {
namespace {

class Parcels {
 public:
  using Held = Parcel<Graph>;

  std::vector<Held> Build(int graphs, std::size_t strings) {
    std::vector<Future<Held>> building;
    for (int i = 0; i < graphs; ++i) building.push_back(Isolate::RunParcel(BuildGraph, strings));
    std::vector<Held> held;
    for (auto& one : building) held.push_back(one.Get());
    return held;
  }
  const Graph& Look(const Held& held) {
    static const Graph none;
    return held.empty() ? none : *held;
  }
  std::string Keep(Held& held, std::size_t index) { return (*held)[index]; }
  void Trim() { isolates::Trim(); }
};

class Values {
 public:
  using Held = Graph;

  std::vector<Held> Build(int graphs, std::size_t strings) {
    std::vector<Future<Graph>> building;
    for (int i = 0; i < graphs; ++i) building.push_back(Isolate::Run(BuildGraph, strings));
    std::vector<Held> held;
    for (auto& one : building) held.push_back(one.Get());
    return held;
  }
  const Graph& Look(const Held& held) { return held; }
  std::string Keep(Held& held, std::size_t index) { return std::move(held[index]); }
  void Trim() { isolates::Trim(); }
};

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  using namespace isolates::bench;
  const std::string_view how = argc > 1 ? argv[1] : "";
  const bool quick = argc > 2 && std::string_view(argv[2]) == "--quick";
  if (how == "parcels") return RunPhases(Parcels(), quick);
  if (how == "values") return RunPhases(Values(), quick);
  if (how == "threads") return RunPhases(Threads([] { isolates::Trim(); }), quick);
  std::fprintf(stderr, "usage: allocator parcels|values|threads [--quick]\n");
  return 2;
}
