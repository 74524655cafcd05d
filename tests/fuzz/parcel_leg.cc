#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "isolates/make_parcel.h"
#include "tests/fuzz/legs.h"
#include "tests/fuzz/nodes.h"
#include "tests/fuzz/oracle.h"

namespace isolates::fuzz {
namespace {

using internal::Heap;
using internal::HeapScope;

// Builders, as the policy of fresh heaps sees them. One whose parcels cannot be dropped gets pooled
// heaps before long: it must not spoil the chances of the others. What is dirty on purpose is built
// by a new builder each time, as long as there may be more heaps: each retired one stays.
std::uintptr_t BuilderFor(bool clean, bool droppable_type) {
  constexpr std::uintptr_t kClean = 1;
  constexpr std::uintptr_t kNotDroppable = 2;
  constexpr std::uintptr_t kDirty = 3;
  static std::atomic<std::uintptr_t> next{1000};
  if (!droppable_type) return kNotDroppable;
  if (clean) return kClean;
  if (heap_counters().live > allocator_report().heap_limit / 4 * 3) return kDirty;
  return next.fetch_add(1, std::memory_order_relaxed);  // relaxed - only a number
}

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

// A builder that ends by an exception, in the middle of its work.
std::string ThrowingBuilder(Choices& random) {
  struct Ends {};
  try {
    (void)MakeParcel([&random] {
      Tree tree;
      Builder builder{random, 20, 6};
      FillIn(tree, builder);
      throw Ends();
      return tree;
    });
  } catch (const Ends&) {
    return {};
  }
  return "  parcel: the builder's exception is lost\n";
}

}  // namespace

std::string ParcelLeg(Bench& bench, Choices& random) {
  if (random.OneIn(32)) return ThrowingBuilder(random);
  Worker& worker = bench.worker;
  // Most types are not droppable: a second chance for those that are.
  const TypeOps* picked = &PickType(bench, random);
  if (picked->drop != Drop::kYes && random.OneIn(2)) picked = &PickType(bench, random);
  const TypeOps& type = *picked;
  const bool with_stray = random.OneIn(8);
  const bool with_shared_heap = random.OneIn(16);
  const std::size_t plants = random.OneIn(8) ? 1 : 0;
  Graph::Options options;
  options.parcel = true;
  options.received = HeapsAreKnown() && random.OneIn(8);
  const bool clean = type.drop == Drop::kYes && !with_stray && !with_shared_heap && plants == 0 &&
                     !options.received && !bench.secret;
  const std::uintptr_t builder = BuilderFor(clean, type.drop == Drop::kYes);
  Heap* const heap =
      random.OneIn(16) ? worker.heaps().AcquirePooled() : worker.heaps().AcquireParcelHeap(builder);
  options.heap = heap;
  Conditions conditions{type.drop == Drop::kYes, heap->is_parcel(), false, false, 0};
  std::vector<std::unique_ptr<std::byte[]>> strays;
  internal::ParcelControl* parcel = nullptr;
  std::size_t nested = 0;
  std::string wrong;
  {
    Graph graph(worker, bench.survey, type, random, options);
    graph.Link();
    graph.Plant(plants);
    if (bench.secret && !graph.PlantInSecret()) wrong += "  no place for a secret\n";
    if (with_stray) {
      const HeapScope scope(heap);
      auto stray = std::make_unique<std::byte[]>(1 + random.Below(500));
      const internal::MainHeapScope main;
      strays.push_back(std::move(stray));
      conditions.strays = strays.size();
    }
    if (with_shared_heap) heap->MarkShared();
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
    nested = bench.survey.nested_parcels();
    if (parcel != nullptr) {
      wrong += CheckReceipt(parcel->receipt, conditions);
      if (conditions.fresh) internal::WorkerHeaps::NoteCensus(parcel->receipt.droppable, builder);
      ++bench.counts.parcels[static_cast<std::size_t>(parcel->receipt.reason)];
    }
    bench.counts.Add(graph.counts());
  }
  const bool whole = parcel != nullptr && parcel->receipt.droppable;
  const std::size_t destroyed = heap_counters().destroyed;
  if (parcel != nullptr) {
    if (random.OneIn(32)) {
      std::thread([&type, parcel] { type.drop_parcel(parcel); }).join();
    } else {
      type.drop_parcel(parcel);
    }
  }
  const std::size_t drops = (whole ? 1 : 0) + (parcel != nullptr ? nested : 0);
  if (bench.alone && heap_counters().destroyed != destroyed + drops) {
    wrong += "  parcel: the heap was dropped as a whole, or was not, against the receipt\n";
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
