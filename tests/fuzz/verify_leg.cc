#include <algorithm>
#include <vector>

#include "tests/fuzz/legs.h"
#include "tests/fuzz/oracle.h"

namespace isolates::fuzz {
namespace {

using internal::HeapScope;

std::string In(const char* what, const std::string& differences) {
  return differences.empty() ? std::string() : std::string("  ") + what + ":\n" + differences;
}

// The blocks that the library finds are those of the allocator's own list.
std::string CompareBlocks(Worker& worker, const Graph& graph) {
  const std::vector<internal::BlockRange> owned = graph.type().owned(graph.root());
  internal::CensusCounter counter;
  counter.Add(graph.root(), graph.type().size);
  for (const internal::BlockRange& block : owned) counter.Add(block.start, block.bytes);
  counter.Add(worker.RegionOf(Stray::kOwnHeap).data, kRegionBytes);
  const internal::CensusSum live = worker.own_heap()->CensusQuiescent();
  if (live.SameSet(counter.sum())) return {};
  return "  owned blocks " + std::to_string(counter.sum().blocks - 1) + ", live ones " +
         std::to_string(live.blocks - 1) + "\n";
}

}  // namespace

std::string VerifyLeg(Bench& bench, Choices& random) {
  Worker& worker = bench.worker;
  const TypeOps& type = PickType(bench, random);
  // Half of all graphs are built in an isolate's heap, half in the main heap.
  Graph::Options options;
  options.heap = random.OneIn(2) ? worker.own_heap() : nullptr;
  options.large = random.OneIn(2000);
  options.received = HeapsAreKnown() && random.OneIn(8);
  const bool look_at_heap = options.heap != nullptr && random.OneIn(4);
  std::string wrong;
  {
    Graph graph(worker, bench.survey, type, random, options);
    graph.Link();
    const std::size_t plants[] = {0, 0, 0, 0, 1, 1, 2, 4};
    graph.Plant(plants[random.Below(8)]);
    if (bench.secret && !graph.PlantInSecret()) return "  no place for a secret\n";
    {
      const HeapScope scope(options.heap);
      const VerifyReport report = type.verify(graph.root());
      const bool always = random.OneIn(4);  // what Verify does, too
      const std::vector<Violation> strict =
          always ? type.send(graph.root(), VerifyLevel::kAlways) : std::vector<Violation>();
      const std::vector<Violation> usual = type.send(graph.root(), VerifyLevel::kDefault);
      const internal::MainHeapScope main;
      wrong += In("Verify", Differences(report.violations, graph, bench.survey, true));
      if (always) wrong += In("send, always", Differences(strict, graph, bench.survey, true));
      if (type.transfer_class == TransferClass::kChecked) {
        wrong += In("send", Differences(usual, graph, bench.survey, false));
      } else if (!usual.empty()) {
        wrong += "  send: refuses a type that is trusted\n";
      }
      if (bench.survey.blocks_known() && !graph.has_structural_plants() &&
          report.blocks != bench.survey.blocks()) {
        wrong += "  Verify reports " + std::to_string(report.blocks) + " blocks instead of " +
                 std::to_string(bench.survey.blocks()) + "\n";
      }
    }
    if (look_at_heap && HeapsAreKnown() && bench.survey.blocks_known() &&
        !graph.has_structural_plants() && !graph.foreign_blocks()) {
      wrong += CompareBlocks(worker, graph);
    }
    if (!wrong.empty()) wrong.insert(0, "  " + std::string(type.name) + "\n");
    bench.counts.Add(graph.counts());
  }
  if (look_at_heap && !worker.OwnHeapIsEmpty()) wrong += "  blocks are left in the heap\n";
  if (look_at_heap && random.OneIn(16) && !worker.OtherHeapsAreEmpty()) {
    wrong += "  blocks are left in other heaps\n";
  }
  return wrong;
}

}  // namespace isolates::fuzz
