#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory_resource>
#include <utility>

#include "isolates/detail/check.h"
#include "isolates/detail/threads.h"
#include "isolates/detail/transfer_closure.h"
#include "isolates/detail/transfer_std_containers.h"
#include "isolates/detail/transfer_walker.h"
#include "isolates/heap.h"
#include "isolates/transfer.h"
#include "src/heap/backend.h"
#include "src/transfer/images.h"
#include "src/transfer/report.h"
#include "src/transfer/spatial_hash.h"

namespace isolates {
namespace {

// Written by every thread that verifies; read for reports.
std::atomic<std::uint64_t> warnings_of_process{0};

// Written by SetHazardLookup, once, when the room that knows hazards starts; read by every scan.
std::atomic<internal::HazardLookup> hazard_lookup{nullptr};

// Written by SetPauseHook in the same way; read by every long walk.
std::atomic<internal::PauseHook> pause_hook{nullptr};

// True for an address a little further down this stack than the caller: nothing lives there, so a
// word that leads there is no capture but a left-over of an earlier call.
bool IsBelowThisFrame(const void* address) noexcept {
  constexpr std::uintptr_t kNear = 1 << 18;
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  return at < frame && frame - at < kNear;
}

// A report lists the first ones.
constexpr std::size_t kMaxViolations = 1000;

}  // namespace

std::uint64_t closure_warnings() noexcept {
  return warnings_of_process.load(std::memory_order_relaxed);  // relaxed - counter only
}

namespace internal {

void SetHazardLookup(HazardLookup lookup) noexcept {
  // release - pairs with Walker::Words: what the function reads was made before.
  hazard_lookup.store(lookup, std::memory_order_release);
}

void SetPauseHook(PauseHook hook) noexcept {
  // release - pairs with Walker::Pause: what the function reads was made before.
  pause_hook.store(hook, std::memory_order_release);
}

bool IsNewDeleteResource(const void* resource) noexcept {
  return resource == std::pmr::new_delete_resource();
}

Walker::Walker(const WalkOptions& options) noexcept
    : options_(options),
      only_owners_(options.check_owners && !options.measure_own && !options.count_blocks &&
                   !options.record_blocks && options.observer == nullptr),
      plain_malloc_(allocator() == Allocator::kMalloc) {}

void Walker::AddFault(std::uint64_t edge, Fault fault, const void* address, std::size_t bytes,
                      const char* kind) {
  KeepFault(FaultAt{edge, fault, address, bytes, kind, 0, 0});
}

// Those that a report will not name need no memory.
void Walker::KeepFault(const FaultAt& fault) {
  constexpr std::size_t kMost = 4 * kMaxViolations;
  if (faults_.size() == kMost) {
    std::sort(faults_.begin(), faults_.end());
    faults_.resize(kMaxViolations);
  }
  faults_.push_back(fault);
}

// ---- edges ----

void Walker::Pause() noexcept {
  pause_at_ += kPauseStride;
  // acquire - pairs with SetPauseHook.
  if (const PauseHook hook = pause_hook.load(std::memory_order_acquire)) hook();
}

void Walker::BlockSlow(const void* start, std::size_t bytes) {
  if (recording_) {
    NoteEdge();
    return;
  }
  if (options_.observer != nullptr) options_.observer->OnBlock(edges_, start, bytes);
  if (options_.count_blocks) census_.Add(start, bytes);
  if (options_.record_blocks) views_.AddBlock(start, bytes);
  if (options_.check_owners && (options_.measure_own || !own_pieces_.Holds(start))) {
    CheckOwner(start, bytes);
  }
}

// Rule V1.
void Walker::CheckOwner(const void* start, std::size_t bytes) {
  if (reinterpret_cast<std::uintptr_t>(start) % alignof(void*) != 0) {
    AddFault(edges_, Fault::kNotABlock, start, bytes, "");
    return;
  }
  const OwnerInfo info = OwnerOf(start);
  // A look at the allocator's page takes longer than all the rest of this check; that owning
  // pointers own blocks is a matter of their types, too.
  if (options_.strict_closures && info.owner != BlockOwner::kUnknown &&
      !backend::MayBeBlockStart(start)) {
    AddFault(edges_, Fault::kNotABlock, start, bytes, "");
    return;
  }
  switch (info.owner) {
    case BlockOwner::kMain:
      // Plain malloc cannot tell its own blocks from other memory.
      if (plain_malloc_ && (IsOnAnyStack(start) || IsInImage(start) || IsThreadLocal(start))) {
        AddFault(edges_, Fault::kNotABlock, start, bytes, "");
      }
      if (options_.own_heap != nullptr) {
        ++foreign_blocks_;
      } else if (!plain_malloc_) {
        AddOwnPiece(start);
      }
      return;
    case BlockOwner::kHeap:
      if (info.heap == options_.own_heap) {
        AddOwnPiece(start);
        // malloc_usable_size does not change the block.
        if (options_.measure_own)
          own_bytes_ += malloc_usable_size(const_cast<void*>(start));  // NOLINT
        return;
      }
      ++foreign_blocks_;
      if (HeapScope::Uses(info.heap)) {
        ++outer_blocks_;
      } else if (!info.heap->shared()) {
        AddFault(edges_, Fault::kOwnedByStranger, start, bytes, "");
      }
      return;
    case BlockOwner::kUnknown:
      AddFault(edges_, Fault::kNotABlock, start, bytes, "");
      return;
  }
}

void Walker::AddOwnPiece(const void* start) noexcept {
  if (options_.strict_closures) {
    own_pieces_.AddStarts(start, backend::BlockSpacing(start));
  } else {
    own_pieces_.Add(start);
  }
}

std::size_t Walker::UsableSize(const void* start) noexcept {
  // Asking an address that is no block would be an error of its own; Block judges the owner.
  if (OwnerOf(start).owner == BlockOwner::kUnknown || IsOnAnyStack(start) || IsInImage(start) ||
      IsThreadLocal(start)) {
    return 0;
  }
  return malloc_usable_size(const_cast<void*>(start));  // NOLINT: it does not change the block
}

void Walker::BlockOfUnknownSize(const void* start, std::size_t bytes) {
  const std::size_t usable = UsableSize(start);
  Block(start, usable == 0 ? bytes : usable);
}

void Walker::OpaqueBlock(const void* start) {
  const std::size_t usable = UsableSize(start);
  Block(start, usable);
  Words(start, usable, start, /*exact=*/false);
}

bool Walker::OwnOnce(const void* object) {
  if (FindOwner(object) == nullptr) {
    AddOwner(object, kOwnedOnce, 0);
    return true;
  }
  Refuse(Fault::kOwnedTwice, object);
  return false;
}

// Rule V2, as far as it can be judged before all blocks of the graph are known.
void Walker::ViewSlow(const void* data, std::size_t bytes, const char* kind) {
  if (recording_) {
    NoteEdge();
    return;
  }
  if (options_.observer != nullptr) {
    options_.observer->OnView(edges_, data);
    return;
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const auto root = reinterpret_cast<std::uintptr_t>(options_.moved_root);
  if (begin < root + options_.moved_bytes && root < begin + bytes) {
    AddFault(edges_, Fault::kViewOfRoot, data, bytes, kind);
    return;
  }
  if (views_.InRecentBlock(data, bytes) || IsImmutableStatic(data, bytes)) return;
  views_.AddPending(data, bytes, kind, edges_);
}

bool Walker::Shared(const void* owner, long use_count, long weak_count) {
  NextEdge();
  if (recording_) NoteEdge();
  if (Owner* const known = FindOwner(owner)) {
    ++known->held;
    return false;
  }
  AddOwner(owner, use_count, weak_count);
  return true;
}

void Walker::Weak(const void* owner, bool expired) {
  NextEdge();
  if (recording_) {
    NoteEdge();
    return;
  }
  if (!expired) weak_.push_back({owner, edges_});
}

void Walker::Refuse(Fault fault, const void* address, const char* kind) {
  NextEdge();
  if (recording_) {
    NoteEdge();
    return;
  }
  AddFault(edges_, fault, address, 0, kind);
}

// Rule V4.
void Walker::Words(const void* copy, std::size_t bytes, const void* own, bool exact) {
  NextEdge();
  ++opaque_;
  if (recording_) {
    NoteEdge();
    return;
  }
  if (options_.observer != nullptr) return;  // it looks at all words itself
  // acquire - pairs with SetHazardLookup.
  const HazardLookup lookup = hazard_lookup.load(std::memory_order_acquire);
  for (std::size_t at = 0; at + sizeof(void*) <= bytes; at += sizeof(void*)) {
    const void* word = nullptr;
    std::memcpy(&word, static_cast<const std::byte*>(copy) + at, sizeof(word));
    if (word == nullptr || (!exact && InsideObject(word, own, bytes))) continue;
    const char* const hazard = lookup == nullptr ? nullptr : lookup(word);
    const bool stack = IsOnAnyStack(word) && (exact || !IsBelowThisFrame(word));
    if (hazard == nullptr && !stack && !IsThreadLocal(word)) continue;
    if (exact || options_.strict_closures) {
      AddFault(edges_, Fault::kCapture, word, bytes, hazard == nullptr ? "" : hazard);
    } else {
      ++warnings_;
      // relaxed - counter only.
      warnings_of_process.fetch_add(1, std::memory_order_relaxed);
    }
    return;
  }
}

// ---- owners of shared objects ----

std::size_t Walker::OwnerPlace(const void* owner) const noexcept {
  constexpr int kPieceBits = 5;  // no two owners are closer
  return SpatialPlace(reinterpret_cast<std::uintptr_t>(owner) >> kPieceBits, owner_heads_.size());
}

Walker::Owner* Walker::FindOwner(const void* owner) noexcept {
  if (owner_heads_.empty()) return nullptr;
  std::uint32_t at = owner_heads_[OwnerPlace(owner)];
  while (at != kNoOwner && owners_[at].owner != owner) at = owners_[at].next;
  return at == kNoOwner ? nullptr : &owners_[at];
}

void Walker::AddOwner(const void* owner, long use_count, long weak_count) {
  ISOLATES_CHECK(owners_.size() < kNoOwner, "more than four billion shared objects in one message");
  if (2 * owners_.size() >= owner_heads_.size()) {
    owner_heads_.assign(std::max<std::size_t>(64, 2 * owner_heads_.size()), kNoOwner);
    for (std::uint32_t at = 0; at < owners_.size(); ++at) {
      owners_[at].next = std::exchange(owner_heads_[OwnerPlace(owners_[at].owner)], at);
    }
  }
  const auto at = static_cast<std::uint32_t>(owners_.size());
  const std::uint32_t next = std::exchange(owner_heads_[OwnerPlace(owner)], at);
  owners_.push_back({owner, edges_, 1, 0, static_cast<std::int32_t>(use_count),
                     static_cast<std::int32_t>(weak_count), next});
}

// Rule V3: a shared object goes if the graph holds every reference to it.
void Walker::ResolveShared() {
  for (const PendingWeak& weak : weak_) {
    Owner* const owner = FindOwner(weak.owner);
    if (owner == nullptr) {
      AddFault(weak.edge, Fault::kWeakOutside, weak.owner, 0, "");
    } else {
      ++owner->weak_held;
    }
  }
  for (const Owner& owner : owners_) {
    if (owner.use_count == kOwnedOnce) continue;
    // All strong references together count as one weak one.
    const bool strong = owner.held != owner.use_count;
    if (!strong && owner.weak_held + 1 == owner.weak_count) continue;
    KeepFault(FaultAt{owner.edge, Fault::kSharedOutside, owner.owner, 0, strong ? "" : "weak",
                      owner.held, owner.use_count});
  }
}

// ---- the walk ----

void Walker::Defer(const void* object, void (*walk)(const void*, Walker&)) {
  std::uint32_t prefix = 0;
  if (recording_) {
    // Places of paths are reused when the item is done.
    if (free_prefixes_.empty()) {
      prefix = static_cast<std::uint32_t>(prefixes_.size());
      prefixes_.emplace_back();
    } else {
      prefix = free_prefixes_.back();
      free_prefixes_.pop_back();
    }
    prefixes_[prefix] = Path();
  }
  deferred_.push_back({object, walk, prefix});
}

void Walker::Finish() {
  while (!deferred_.empty()) {
    const Deferred next = deferred_.back();
    deferred_.pop_back();
    depth_ = 0;
    if (recording_) {
      root_ = std::exchange(prefixes_[next.prefix], {});
      free_prefixes_.push_back(next.prefix);
    }
    next.walk(next.object, *this);
  }
  if (recording_) return;
  views_.Resolve([this](const PendingView& view) {
    AddFault(view.edge, Fault::kViewOutside, view.data, view.bytes, view.kind);
  });
  ResolveShared();
}

// ---- the recording pass ----

void Walker::StartRecording(std::string_view root_label, std::vector<Violation>* violations) {
  recording_ = true;
  only_owners_ = false;
  root_ = root_label;
  violations_ = violations;
}

void Walker::Record(const Walker& first, std::string_view root_label,
                    std::vector<Violation>* violations) {
  StartRecording(root_label, violations);
  wanted_ = first.faults_;
  std::sort(wanted_.begin(), wanted_.end());
  if (wanted_.size() > kMaxViolations) wanted_.resize(kMaxViolations);
}

void Walker::RecordEdges(const std::vector<std::uint64_t>& edges, std::string_view root_label,
                         std::vector<Violation>* places) {
  StartRecording(root_label, places);
  for (const std::uint64_t edge : edges) {
    wanted_.push_back(FaultAt{edge, Fault::kNoted, nullptr, 0, "", 0, 0});
  }
}

void Walker::PushLabel(std::string_view label) { path_.push_back({label, kNoIndex}); }
void Walker::PushIndex(std::size_t index) { path_.push_back({{}, index}); }

std::string Walker::Path() const {
  std::string path = root_;
  for (const Segment& segment : path_) {
    if (segment.index == kNoIndex) {
      path += segment.label;
    } else {
      path += '[' + std::to_string(segment.index) + ']';
    }
  }
  return ElideMiddle(std::move(path));
}

void Walker::NoteEdge() {
  for (; next_wanted_ < wanted_.size() && wanted_[next_wanted_].edge == edges_; ++next_wanted_) {
    const FaultAt& fault = wanted_[next_wanted_];
    violations_->push_back(
        WordViolation(FaultWords{fault.fault, fault.address, fault.kind, fault.held, fault.total},
                      Path(), PrettyTypeName(type_)));
  }
}

}  // namespace internal
}  // namespace isolates
