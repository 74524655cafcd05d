#include "tests/fuzz/graph.h"

#include <algorithm>
#include <utility>

namespace isolates::fuzz {
namespace {

using internal::HeapScope;

constexpr std::size_t Index(Stray stray) { return static_cast<std::size_t>(stray); }
constexpr std::size_t Index(Wrong wrong) { return static_cast<std::size_t>(wrong); }

// To name a static, a report reads the symbols of the program's file, which takes as long as ten
// graphs: such plants are rarer.
constexpr std::size_t kRareStatic = 8;

bool Contains(const std::vector<const void*>& list, const void* one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

std::size_t Aligned(const std::byte* base, std::size_t offset, std::size_t align) {
  const auto address = reinterpret_cast<std::uintptr_t>(base) + offset;
  return offset + (align - address % align) % align;
}

}  // namespace

void PlantCounts::Add(const PlantCounts& other) {
  for (std::size_t i = 0; i < Index(Stray::kCount); ++i) views[i] += other.views[i];
  for (std::size_t i = 0; i < Index(Wrong::kCount); ++i) by_wrong[i] += other.by_wrong[i];
  for (std::size_t i = 0; i < kDropReasons; ++i) parcels[i] += other.parcels[i];
  closures += other.closures;
}

Graph::Graph(Worker& worker, Survey& survey, const TypeOps& type, Choices& random,
             const Options& options)
    : worker_(worker), type_(type), random_(random), options_(options), survey_(survey) {
  const std::size_t budgets[] = {4, 10, 20, 40};
  Builder builder{random_, 0, 0};
  builder.budget = options.large ? 3000 : static_cast<int>(budgets[random_.Below(4)]);
  builder.max_depth = options.large ? 14 : 9;
  const HeapScope scope(options.heap);
  root_ = type.make();
  type.fill(root_, builder);
}

void Graph::Look() {
  survey_.Start("value", &planted_);
  type_.go(root_, survey_);
}

// ---- links ----

// Whether the place lies in one of the chosen ones or holds one of them.
bool Graph::Inside(const std::vector<std::size_t>& chosen, std::size_t place) const {
  const auto& places = survey_.places();
  return std::any_of(chosen.begin(), chosen.end(), [&](std::size_t other) {
    return (other <= place && place < std::max<std::size_t>(places[other].inside_end, other + 1)) ||
           (place < other && other < places[place].inside_end);
  });
}

void Graph::Link() {
  Look();
  const auto& places = survey_.places();
  std::vector<std::size_t> changed;
  std::vector<std::size_t> sources;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i].ops->share != nullptr && !options_.parcel) sources.push_back(i);
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    const PlaceOps& ops = *places[i].ops;
    const bool change = (ops.share != nullptr && !options_.parcel && random_.OneIn(4)) ||
                        (options_.received && ops.refill != nullptr && random_.OneIn(4));
    if (change && !Inside(changed, i)) changed.push_back(i);
  }
  if (sources.empty() && changed.empty()) return;
  // What a changed place has held may be gone by now: nothing of it is a source.
  const auto source_of = [&](const PlaceOps& ops) -> const Place* {
    if (sources.empty()) return nullptr;
    const std::size_t first = random_.Below(sources.size());
    for (std::size_t n = 0; n < std::min<std::size_t>(sources.size(), 8); ++n) {
      const std::size_t at = sources[(first + n) % sources.size()];
      const Place& place = places[at];
      if (place.ops->type != ops.type || !place.filled) continue;
      const bool is_changed = std::find(changed.begin(), changed.end(), at) != changed.end();
      if (is_changed || !Inside(changed, at)) return &place;
    }
    return nullptr;
  };
  for (const std::size_t i : changed) {
    const Place& place = places[i];
    if (place.ops->refill != nullptr) {
      Builder builder{random_, 6, 4};
      const HeapScope scope(worker_.received_heap());
      place.ops->refill(place.object, builder);
      foreign_blocks_ = true;
    } else if (const Place* const source = source_of(*place.ops)) {
      place.ops->share(place.object, source->object);
    }
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    if (place.ops->observe == nullptr || Inside(changed, i) || random_.OneIn(2)) continue;
    const Place* const source = source_of(*place.ops);
    if (source != nullptr) place.ops->observe(place.object, source->object);
  }
}

// ---- violations of structure ----

bool Graph::PlantOwner(const Place& place) {
  constexpr Stray kStacks[] = {Stray::kOwnStack, Stray::kOtherStack};
  constexpr Stray kStatics[] = {Stray::kWritableStatic, Stray::kThreadLocal};
  // (From the main heap, a block in the heap of an isolate would be a stranger's.)
  const Stray blocks[] = {options_.heap == nullptr ? Stray::kMainHeap : Stray::kOwnHeap,
                          Stray::kMainHeap};
  const bool interior = BlocksAreKnown() && random_.OneIn(2);
  const Stray stray = interior                     ? blocks[random_.Below(2)]
                      : random_.OneIn(kRareStatic) ? kStatics[random_.Below(2)]
                                                   : kStacks[random_.Below(2)];
  // In the half to which no views lead. An address that could be the start of an over-aligned block
  // would pass.
  const Region region = worker_.RegionOf(stray);
  std::size_t offset = Aligned(region.data, region.bytes + random_.Below(region.bytes - 64),
                               std::max<std::size_t>(place.ops->align, 8));
  if (reinterpret_cast<std::uintptr_t>(region.data + offset) % 32 == 0) offset += 8;
  if (place.ops->align > 8) return false;
  void* const address = const_cast<std::byte*>(region.data + offset);
  moved_.push_back({place.object, place.ops, place.ops->own(place.object, address)});
  planted_.bad_owner.push_back({place.object, interior && HeapsAreKnown()});
  ++counts_.by_wrong[Index(Wrong::kNotABlock)];
  return true;
}

bool Graph::PlantShared(const Place& place) {
  const PlaceOps& ops = *place.ops;
  const HeapScope scope(options_.heap);
  switch (random_.Below(place.filled ? 5 : 3)) {
    case 0:
      ops.alias(place.object);
      planted_.opaque.push_back(place.object);
      ++counts_.by_wrong[Index(Wrong::kOpaque)];
      return true;
    case 1:
      ops.deleter(place.object);
      planted_.opaque.push_back(place.object);
      ++counts_.by_wrong[Index(Wrong::kOpaque)];
      return true;
    case 2:
      ops.ownerless(place.object, worker_.RegionOf(Stray::kOwnStack).data);
      planted_.ownerless.push_back(place.object);
      ++counts_.views[Index(Stray::kOwnStack)];
      return true;
    case 3: {
      const internal::MainHeapScope main;
      held_.push_back(ops.hold(place.object));
      held_objects_.push_back(held_.back().get());
      ++counts_.by_wrong[Index(Wrong::kSharedOutside)];
      return true;
    }
    default: {
      const internal::MainHeapScope main;
      const auto object = ops.hold(place.object);
      observed_.push_back(object);
      observed_objects_.push_back(object.get());
      ++counts_.by_wrong[Index(Wrong::kWeakKeeper)];
      return true;
    }
  }
}

bool Graph::PlantForeign(const Place& place) {
  Builder builder{random_, 6, 4};
  const HeapScope scope(worker_.foreign_heap());
  place.ops->refill(place.object, builder);
  const internal::MainHeapScope main;
  planted_.foreign.push_back(place.object);
  ++counts_.by_wrong[Index(Wrong::kStranger)];
  return true;
}

bool Graph::PlantStructure(std::size_t index) {
  const Place& place = survey_.places()[index];
  const PlaceOps& ops = *place.ops;
  if (ops.own != nullptr && !options_.parcel && random_.OneIn(2)) return PlantOwner(place);
  if (ops.refill != nullptr && HeapsAreKnown()) return PlantForeign(place);
  if (ops.share != nullptr) return PlantShared(place);
  if (ops.observe_new != nullptr) {
    const internal::MainHeapScope main;
    held_.push_back(ops.observe_new(place.object));
    ++counts_.by_wrong[Index(Wrong::kWeakOutside)];
    return true;
  }
  if (ops.spoil != nullptr) {
    const HeapScope scope(options_.heap);
    ops.spoil(place.object);
    const internal::MainHeapScope main;
    planted_.spoiled.push_back(place.object);
    ++counts_.by_wrong[Index(ops.spoiled)];
    return true;
  }
  if (ops.arena != nullptr) {
    ops.arena(place.object, &worker_.arena());
    arenas_.push_back(place);
    ++counts_.by_wrong[Index(Wrong::kResource)];
    return true;
  }
  return false;
}

void Graph::SettleShared() {
  for (std::size_t i = 0; i < held_objects_.size(); ++i) {
    const void* const object = held_objects_[i];
    if (Contains({held_objects_.begin(), held_objects_.begin() + static_cast<std::ptrdiff_t>(i)},
                 object)) {
      continue;
    }
    if (survey_.EdgesTo(object) != nullptr) {
      expected_.push_back({Wrong::kSharedOutside, "", object, false});
    }
  }
  for (std::size_t i = 0; i < observed_objects_.size(); ++i) {
    const void* const object = observed_objects_[i];
    const std::vector<const void*> before(
        observed_objects_.begin(), observed_objects_.begin() + static_cast<std::ptrdiff_t>(i));
    if (Contains(before, object) || Contains(held_objects_, object) || observed_[i].expired() ||
        survey_.EdgesTo(object) == nullptr) {
      continue;
    }
    expected_.push_back({Wrong::kWeakKeeper, "", object, false});
  }
  for (const auto& [object, path] : survey_.weak()) {
    if (survey_.EdgesTo(object) == nullptr) {
      expected_.push_back({Wrong::kWeakOutside, path, nullptr, false});
    }
  }
}

// ---- views ----

// Somewhere in the region, aligned. False if there is no room.
bool Graph::Aim(Region region, const Place& place) {
  const PlaceOps& ops = *place.ops;
  std::size_t offset = Aligned(region.data, random_.Below(region.bytes), ops.align);
  if (offset + ops.unit > region.bytes) offset = Aligned(region.data, 0, ops.align);
  if (offset + ops.unit > region.bytes) return false;
  const std::size_t most = (region.bytes - offset) / ops.unit;
  const std::size_t count = ops.single ? 1 : 1 + random_.Below(std::min<std::size_t>(most, 20));
  ops.point(place.object, region.data + offset, count);
  return true;
}

void Graph::PointAtSound(const Place& place) {
  const PlaceOps& ops = *place.ops;
  const auto& extents = survey_.extents();
  if (random_.OneIn(4)) {
    // Null or empty, or as it is.
    if (!ops.single) ops.point(place.object, worker_.RegionOf(Stray::kOwnStack).data, 0);
    return;
  }
  if (options_.parcel && random_.OneIn(8) &&
      Aim({static_cast<const std::byte*>(root_), type_.size}, place)) {
    return;
  }
  for (int tries = 0; tries < 3 && !extents.empty(); ++tries) {
    const Extent& extent = extents[random_.Below(extents.size())];
    if (Aim({extent.data, extent.bytes}, place)) return;
  }
  // A closure may hold any address that is not in a stack, a coroutine or an isolate.
  Aim(ops.closure && random_.OneIn(2) ? worker_.RegionOf(Stray::kWritableStatic)
                                      : ImmutableStatic(),
      place);
}

bool Graph::PointAtStray(const Place& place) {
  const PlaceOps& ops = *place.ops;
  if (ops.closure) {
    const Stray stray = random_.OneIn(2) ? Stray::kOwnStack : Stray::kOtherStack;
    if (!Aim(worker_.RegionOf(stray), place)) return false;
    ++counts_.closures;
    ++counts_.by_wrong[Index(Wrong::kCapture)];
    expected_.push_back({Wrong::kCapture, survey_.PathOf(place), nullptr, ops.inexact});
    return true;
  }
  auto stray = static_cast<Stray>(random_.Below(Index(Stray::kCount)));
  const bool is_static = stray == Stray::kWritableStatic || stray == Stray::kThreadLocal;
  if ((stray == Stray::kRoot && options_.parcel) || (is_static && !random_.OneIn(kRareStatic))) {
    stray = Stray::kOwnStack;
  }
  Wrong wrong = Wrong::kView;
  if (stray == Stray::kRoot) {
    wrong = Wrong::kViewOfRoot;
    if (!Aim({static_cast<const std::byte*>(root_), type_.size}, place)) return false;
  } else if (stray == Stray::kBeyondEnd) {
    const auto& extents = survey_.extents();
    if (extents.empty()) return false;
    const Extent& extent = extents[random_.Below(extents.size())];
    // Begins at the last unit's place or before, ends behind the block.
    if (!extent.exact || extent.bytes < ops.align) return false;
    const std::size_t last = extent.bytes - ops.align;
    const std::size_t slack = (reinterpret_cast<std::uintptr_t>(extent.data) + last) % ops.align;
    if (slack > last) return false;
    const std::size_t offset = last - slack;
    const std::size_t count = ops.single ? 1 : (extent.bytes - offset) / ops.unit + 1;
    if (offset + count * ops.unit <= extent.bytes) return false;
    ops.point(place.object, extent.data + offset, count);
    // The root may be the next block.
    const auto* const root = static_cast<const std::byte*>(root_);
    if (!options_.parcel && extent.data + offset < root + type_.size &&
        root < extent.data + offset + count * ops.unit) {
      wrong = Wrong::kViewOfRoot;
    }
  } else if (!Aim(worker_.RegionOf(stray), place)) {
    return false;
  }
  ++counts_.views[Index(stray)];
  // (What lies behind a block is a matter of addresses, which differ from run to run.)
  ++counts_.by_wrong[Index(stray == Stray::kRoot ? Wrong::kViewOfRoot : Wrong::kView)];
  expected_.push_back({wrong, survey_.PathOf(place), nullptr, false});
  return true;
}

void Graph::Plant(std::size_t count) {
  Look();
  std::vector<std::size_t> chosen;
  for (std::size_t n = 0; n < count && !survey_.places().empty(); ++n) {
    const std::size_t at = random_.Below(survey_.places().size());
    if (survey_.places()[at].ops->point != nullptr || Inside(chosen, at)) continue;
    chosen.push_back(at);
  }
  for (const std::size_t at : chosen) {
    if (PlantStructure(at)) ++structural_;
  }
  if (structural_ != 0) Look();
  expected_ = std::move(survey_.expected());
  SettleShared();
  std::size_t views = 0;
  for (const Place& place : survey_.places()) views += place.ops->point != nullptr ? 1 : 0;
  if (views == 0) return;
  // The plants that are left go to random views.
  std::size_t left = count - std::min(count, structural_);
  for (const Place& place : survey_.places()) {
    if (place.ops->point == nullptr) continue;
    if (left > 0 && random_.Below(views) < left && PointAtStray(place)) {
      --left;
    } else {
      PointAtSound(place);
      if (place.ops->inexact) doubtful_.push_back(survey_.PathOf(place));
    }
    --views;
  }
}

bool Graph::PlantInSecret() {
  for (const Place& place : survey_.places()) {
    if (place.ops->point == nullptr || place.ops->closure) continue;
    const std::string path = survey_.PathOf(place);
    const bool taken = std::any_of(expected_.begin(), expected_.end(),
                                   [&path](const Expected& one) { return one.path == path; });
    if (!taken && Aim(worker_.RegionOf(Stray::kOtherStack), place)) return true;
  }
  return false;
}

// ---- the end ----

Graph::~Graph() {
  if (root_ == nullptr) {
    worker_.arena().release();
    return;
  }
  for (const Moved& moved : moved_) moved.ops->own(moved.place, moved.old);
  for (const Place& place : arenas_) {
    place.ops->arena(place.object, std::pmr::new_delete_resource());
  }
  if (!arenas_.empty()) worker_.arena().release();
  // Cycles do not end by themselves.
  for (const Place& place : survey_.places()) {
    if (place.ops->drain != nullptr) held_.push_back(place.ops->drain(place.object));
  }
  type_.destroy(root_);
}

}  // namespace isolates::fuzz
