#include <memory>
#include <thread>
#include <vector>

#include "isolates/detail/worker_heaps.h"
#include "tests/fuzz/legs.h"
#include "tests/fuzz/oracle.h"

namespace isolates::fuzz {
namespace {

using internal::Heap;
using internal::HeapScope;

// What a parcel must be like, by what was planted.
struct Conditions {
  bool droppable_type;
  bool fresh;
  bool shared;
  bool foreign;
  std::size_t strays;
};

DropReason ReasonFor(const Conditions& conditions) {
  if (!HeapsAreKnown()) return DropReason::kPlainMalloc;
  if (!conditions.droppable_type) return DropReason::kTypeNotDroppable;
  if (!conditions.fresh) return DropReason::kPooledHeap;
  if (conditions.shared) return DropReason::kSharedHeap;
  if (conditions.foreign) return DropReason::kForeignBlock;
  return conditions.strays != 0 ? DropReason::kStrays : DropReason::kDroppable;
}

std::string CheckReceipt(const Receipt& receipt, const Conditions& conditions) {
  const DropReason reason = ReasonFor(conditions);
  std::string wrong;
  if (receipt.reason != reason || receipt.droppable != (reason == DropReason::kDroppable)) {
    wrong += "  parcel: " + std::string(ToString(receipt.reason)) + " instead of " +
             std::string(ToString(reason)) + "\n";
  }
  if (reason == DropReason::kStrays && receipt.stray_blocks != conditions.strays) {
    wrong += "  parcel: " + std::to_string(receipt.stray_blocks) + " strays instead of " +
             std::to_string(conditions.strays) + "\n";
  }
  return wrong;
}

}  // namespace

std::string ParcelLeg(Bench& bench, Choices& random) {
  Worker& worker = bench.worker;
  const TypeOps& type = *AllTypes()[random.Below(AllTypes().size())];
  const std::uintptr_t builder = 1000 + random.Below(64);
  Heap* const heap = worker.heaps().AcquireParcelHeap(builder);
  Conditions conditions{type.drop == Drop::kYes, heap->is_parcel(), false, false, 0};
  Graph::Options options;
  options.heap = heap;
  options.parcel = true;
  std::vector<std::unique_ptr<std::byte[]>> strays;
  internal::ParcelControl* parcel = nullptr;
  std::string wrong;
  {
    Graph graph(worker, bench.survey, type, random, options);
    graph.Link();
    graph.Plant(random.OneIn(4) ? 1 : 0);
    if (bench.secret && !graph.PlantInSecret()) wrong += "  no place for a secret\n";
    if (random.OneIn(4)) {
      const HeapScope scope(heap);
      auto stray = std::make_unique<std::byte[]>(1 + random.Below(500));
      const internal::MainHeapScope main;
      strays.push_back(std::move(stray));
      conditions.strays = strays.size();
    }
    if (random.OneIn(8)) heap->MarkShared();
    conditions.shared = heap->shared();
    conditions.foreign = worker.ReceivedBlocks() != 0;
    std::vector<Violation> violations;
    try {
      parcel = type.seal(heap, graph.root());
    } catch (const TransferError& error) {
      violations = error.violations();
    }
    wrong += Differences(violations, graph, bench.survey, false);
    graph.Release();
    if (parcel != nullptr) wrong += CheckReceipt(parcel->receipt, conditions);
    bench.counts.Add(graph.counts());
  }
  const bool whole = parcel != nullptr && parcel->receipt.droppable;
  if (parcel != nullptr) {
    if (random.OneIn(32)) {
      std::thread([&type, parcel] { type.drop_parcel(parcel); }).join();
    } else {
      type.drop_parcel(parcel);
    }
  }
  if (!whole && HeapsAreKnown()) {
    if (bench.alone && heap->CensusQuiescent().blocks != strays.size()) {
      wrong += "  parcel: " + std::to_string(heap->CensusQuiescent().blocks) +
               " blocks are left instead of " + std::to_string(strays.size()) + "\n";
    }
  }
  strays.clear();
  if (!conditions.fresh) worker.heaps().ReleasePooled(heap);
  if (!worker.OtherHeapsAreEmpty()) wrong += "  parcel: blocks are left in other heaps\n";
  if (!wrong.empty()) wrong.insert(0, "  " + std::string(type.name) + "\n");
  return wrong;
}

}  // namespace isolates::fuzz
