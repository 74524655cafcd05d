#ifndef ISOLATES_TESTS_FUZZ_SURVEY_H_
#define ISOLATES_TESTS_FUZZ_SURVEY_H_

// What the fuzzer knows about a graph that it has built: the places where something can be planted,
// with their paths, the memory that the graph owns, and a fingerprint of its contents.
//
// The survey goes over the graph by the fuzzer's own description of each type (shape.h). It shares
// no code with the library's walk: it is the other opinion.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/fuzz/random.h"

namespace isolates::fuzz {

// Fills values at random. The budget bounds the number of elements, the depth that of levels.
struct Builder {
  Choices& random;
  int budget;
  int max_depth;
  int depth = 0;

  // How many elements a container gets.
  std::size_t Size() {
    if (budget <= 0 || depth >= max_depth) return 0;
    const std::size_t sizes[] = {0, 1, 1, 2, 3, 5, random.Below(8), random.Below(40)};
    std::size_t size = sizes[random.Below(8)];
    if (size > static_cast<std::size_t>(budget)) size = static_cast<std::size_t>(budget);
    budget -= static_cast<int>(size);
    return size;
  }
  // Whether an optional part is there.
  bool Have() {
    if (budget <= 0 || depth >= max_depth) return false;
    --budget;
    return random.Percent(60);
  }
};

// What is wrong with an edge, in the fuzzer's own words.
enum class Wrong : std::uint8_t {
  kStranger,       // owned block of another isolate
  kNotABlock,      // owned address that is not the start of a block
  kView,           // view of memory that the graph does not own
  kViewOfRoot,     // view into bytes that move
  kSharedOutside,  // strong reference outside
  kWeakKeeper,     // weak reference outside
  kOpaque,         // alias, derived, deleter
  kWeakOutside,    // weak pointer to an object outside
  kResource,       // memory resource that stays
  kCapture,        // closure
  kUnlisted,       // an object of a type that its DynamicTypes do not list
  kMarked,         // an object that is marked unsendable
  kCount,
};

// Operations on one kind of place; those that it does not have are null.
struct PlaceOps {
  const char* name;
  const void* type = nullptr;  // identity of the pointee: places with the same one can be linked

  // Views and closures: makes it lead to `count` units at `data`.
  void (*point)(void* place, const void* data, std::size_t count) = nullptr;
  std::size_t unit = 0;
  std::size_t align = 1;
  bool single = false;   // always exactly one unit
  bool closure = false;  // rule V4
  bool inexact = false;  // V4: the closure is not just its bits
  // Replaces the contents by new ones, allocated in the current heap.
  void (*refill)(void* place, Builder& builder) = nullptr;
  // unique_ptr to plain memory: sets the address, returns the old one. `drop` deletes one.
  void* (*own)(void* place, void* address) = nullptr;
  void (*drop)(void* address) = nullptr;
  // shared_ptr
  std::shared_ptr<const void> (*hold)(const void* place) = nullptr;
  std::shared_ptr<const void> (*drain)(void* place) = nullptr;
  void (*share)(void* place, const void* other) = nullptr;
  void (*alias)(void* place) = nullptr;
  void (*deleter)(void* place) = nullptr;
  void (*ownerless)(void* place, const void* data) = nullptr;
  // weak_ptr
  void (*observe)(void* place, const void* shared) = nullptr;
  std::shared_ptr<const void> (*observe_new)(void* place) = nullptr;
  // Makes the object one that may not be sent, for the reason `spoiled`.
  void (*spoil)(void* place) = nullptr;
  Wrong spoiled = Wrong::kCount;
  // pmr container
  void (*arena)(void* place, std::pmr::memory_resource* resource) = nullptr;
};

struct Place {
  void* object;
  const PlaceOps* ops;
  std::uint32_t path_begin;
  std::uint32_t path_size;
  std::uint32_t inside_end;  // places with a number below this one and above its own lie in it
  bool filled;               // has contents at all
};

// Memory that the graph owns. `exact`: the end is where the container says that its block ends.
struct Extent {
  const std::byte* data;
  std::size_t bytes;
  bool exact;
};

// One thing that must be refused.
struct Expected {
  Wrong wrong;
  std::string path;
  const void* shared = nullptr;  // any edge to this shared object may be named
  bool strict_only = false;      // V4: a warning at the default level
};

class Survey {
 public:
  // ---- what the planter has done, in advance ----
  struct Planted {
    std::vector<const void*> foreign;    // places whose owned blocks are in a stranger's heap
    std::vector<const void*> opaque;     // shared_ptrs whose owner holds something else
    std::vector<const void*> ownerless;  // shared_ptrs without owner
    std::vector<const void*> spoiled;    // objects that may not be sent
    struct BadOwner {
      const void* place;
      bool interior;  // into the middle of a block: only the strict level looks for these
    };
    std::vector<BadOwner> bad_owner;  // unique_ptrs to something that is no block
    bool Has(const std::vector<const void*>& list, const void* place) const {
      for (const void* one : list) {
        if (one == place) return true;
      }
      return false;
    }
  };

  void Start(std::string_view root_label, const Planted* planted);

  // ---- for shape.h ----

  std::size_t Push(std::string_view label) {
    const std::size_t old = path_.size();
    path_ += label;
    return old;
  }
  std::size_t PushIndex(std::size_t index);
  void Pop(std::size_t old) { path_.resize(old); }

  // A place; what is surveyed until Leave lies inside of it.
  std::size_t Enter(void* object, const PlaceOps* ops, bool filled = true);
  void Leave(std::size_t place) {
    places_[place].inside_end = static_cast<std::uint32_t>(places_.size());
  }
  void Leaf(void* object, const PlaceOps* ops) { Leave(Enter(object, ops)); }

  void Owns(const void* data, std::size_t bytes, bool exact) {
    // (What stands on an arena is refused itself: nothing is led there.)
    if (bytes == 0 || wrong_blocks_ == Wrong::kNotABlock) return;
    extents_.push_back({static_cast<const std::byte*>(data), bytes, exact});
  }
  // Owned blocks of whatever is at the current path.
  void Blocks(std::size_t count) {
    blocks_ += count;
    if (wrong_blocks_ == Wrong::kCount) return;
    for (std::size_t i = 0; i < count; ++i) Expect(wrong_blocks_);
  }
  void BlocksUnknown() { blocks_known_ = false; }
  // A parcel inside of the graph that can be dropped as a whole.
  void NestedParcel() { ++nested_parcels_; }
  // Blocks until the scope's end are wrong in this way.
  Wrong SetWrongBlocks(Wrong wrong) {
    const Wrong old = wrong_blocks_;
    wrong_blocks_ = wrong;
    return old;
  }
  bool IsForeign(const void* place) const { return planted_->Has(planted_->foreign, place); }
  bool IsOpaque(const void* place) const { return planted_->Has(planted_->opaque, place); }
  bool IsOwnerless(const void* place) const { return planted_->Has(planted_->ownerless, place); }
  // Expects what there is to expect if so.
  bool IsSpoiled(const void* place, Wrong wrong) {
    if (!planted_->Has(planted_->spoiled, place)) return false;
    Expect(wrong);
    return true;
  }
  // The same.
  bool IsBadOwner(const void* place) {
    for (const auto& bad : planted_->bad_owner) {
      if (bad.place != place) continue;
      expected_.push_back({Wrong::kNotABlock, Path(), nullptr, bad.interior});
      return true;
    }
    return false;
  }
  void Expect(Wrong wrong) { expected_.push_back({wrong, Path(), nullptr, false}); }
  // True if the object is met for the first time.
  bool Shared(const void* object);
  void Weak(const void* object) { weak_.push_back({object, Path()}); }

  void Print(std::uint64_t value) { fingerprint_ = Mix(fingerprint_ ^ value); }
  void PrintBytes(const void* data, std::size_t bytes);
  // Where a view leads: by what it shows, not by the address.
  void PrintView(const void* data, std::size_t bytes) { views_.push_back({data, bytes}); }

  // ---- results ----

  const std::vector<Place>& places() const { return places_; }
  std::string PathOf(const Place& place) const {
    return paths_.substr(place.path_begin, place.path_size);
  }
  const std::vector<Extent>& extents() const { return extents_; }
  std::vector<Expected>& expected() { return expected_; }
  std::size_t blocks() const { return blocks_; }
  std::size_t nested_parcels() const { return nested_parcels_; }
  bool blocks_known() const { return blocks_known_; }
  // Paths of all edges to a shared object.
  const std::vector<std::string>* EdgesTo(const void* object) const;
  // The objects to which weak references in the graph lead, with their paths.
  const std::vector<std::pair<const void*, std::string>>& weak() const { return weak_; }
  // Contents and structure, views included. `root` and its bytes count as owned memory.
  std::uint64_t Fingerprint(const void* root, std::size_t bytes);

 private:
  // The current path as reports print it: a long one without its middle.
  std::string Path() const;

  struct ViewAt {
    const void* data;
    std::size_t bytes;
  };

  const Planted* planted_ = nullptr;
  std::string path_;
  std::string paths_;
  std::vector<Place> places_;
  std::vector<Extent> extents_;
  std::vector<Expected> expected_;
  std::vector<ViewAt> views_;
  std::vector<std::pair<const void*, std::string>> weak_;
  std::vector<std::pair<const void*, std::vector<std::string>>> shared_;
  std::unordered_map<const void*, std::size_t> shared_index_;
  Wrong wrong_blocks_ = Wrong::kCount;
  std::size_t blocks_ = 0;
  std::size_t nested_parcels_ = 0;
  bool blocks_known_ = true;
  std::uint64_t fingerprint_ = 0;
};

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_SURVEY_H_
