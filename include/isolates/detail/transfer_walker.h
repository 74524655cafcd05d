#ifndef ISOLATES_DETAIL_TRANSFER_WALKER_H_
#define ISOLATES_DETAIL_TRANSFER_WALKER_H_

// Walker: goes over an object graph and judges its edges (rules V1 to V6).
//
// A first pass keeps no paths. Edges are numbered in the order of the walk, which is the same each
// time; only if some edge was refused, a second pass records where it is and words the refusals of
// exactly those numbers.
//
// The walk recurses to a bounded depth and puts what lies deeper onto a work list, so that neither
// a long list nor a deep tree reaches the limit of the stack, and an ordinary graph needs no list.
//
// All memory of a walker is in the main heap; it never allocates in the heap that is being counted.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "isolates/detail/census.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/transfer_facts.h"
#include "isolates/detail/transfer_known_pieces.h"
#include "isolates/detail/transfer_views.h"

namespace isolates {

// One refused edge.
struct Violation {
  std::string path;  // "result.orders[3].name"
  std::string type;  // of the edge: "std::string_view"
  std::string what;  // "leads into the stack of isolate 'parser'"
  std::string hint;  // what to do instead

  // "result.orders[3].name: string_view into the stack of isolate 'parser' (hint)"
  std::string ToString() const;
};

namespace internal {

// Is told of every owning and non-owning edge, by number. Such a pass judges nothing.
class EdgeObserver {
 public:
  virtual void OnBlock(std::uint64_t edge, const void* start, std::size_t bytes) = 0;
  virtual void OnView(std::uint64_t edge, const void* data) = 0;

 protected:
  ~EdgeObserver() = default;
};

struct WalkOptions {
  // The heap in which the value was built; nullptr: the main heap.
  const Heap* own_heap = nullptr;
  bool check_owners = true;    // V1 for each owning edge
  bool measure_own = false;    // with check_owners: add up what the own heap's blocks really take
  bool count_blocks = false;   // add addresses up for the census
  bool record_blocks = false;  // needed to judge views
  bool strict_closures = false;
  // Bytes that the hand-over itself moves: no view may lead there.
  const void* moved_root = nullptr;
  std::size_t moved_bytes = 0;
  EdgeObserver* observer = nullptr;
};

// Everything that can be wrong with an edge.
enum class Fault : std::uint8_t {
  kOwnedByStranger,  // V1: another isolate's heap
  kNotABlock,        // V1: not the start of a block
  kViewOutside,      // V2
  kViewOfRoot,       // V2: into bytes that the hand-over moves
  kSharedOutside,    // V3: a reference outside of the graph
  kSharedOpaque,     // V3: the owner holds something else than what it is declared to
  kWeakOutside,      // V3
  kResource,         // a memory resource that is not new and delete
  kCapture,          // V4
  kOwnedTwice,       // V1: a second owner of one object, or a cycle of owners
  kDynamicType,      // a type that its DynamicTypes do not list
  kMarked,           // an UnsendableMark that is set
  kNoted,            // nothing: only the place of the edge is wanted
};

// Called now and then during a long walk, in the turn that verifies: others may run meanwhile.
using PauseHook = void (*)() noexcept;

// Installed by the room that knows who else is ready.
void SetPauseHook(PauseHook hook) noexcept;

class Walker {
 public:
  explicit Walker(const WalkOptions& options) noexcept;
  Walker(const Walker&) = delete;
  Walker& operator=(const Walker&) = delete;

  // ---- for TransferTraits<T>::Walk ----

  // An edge that owns the block [start, start + bytes), obtained from operator new.
  [[gnu::always_inline]] void Block(const void* start, std::size_t bytes) {
    NextEdge();
    if (!only_owners_ || !own_pieces_.Holds(start)) [[unlikely]] {
      BlockSlow(start, bytes);
    }
  }
  // As Block, if only the allocator knows how long the block is; at least `bytes`.
  void BlockOfUnknownSize(const void* start, std::size_t bytes);
  // As BlockOfUnknownSize, where nothing is known about the content: its words are looked at as
  // those of a closure, inexactly.
  void OpaqueBlock(const void* start);
  // An edge that does not own what it leads to. Null and empty ones are fine. `kind` words errors.
  [[gnu::always_inline]] void View(const void* data, std::size_t bytes, const char* kind) {
    NextEdge();
    if (data != nullptr && bytes != 0 && !views_.InKnownBlock(data, bytes)) {
      ViewSlow(data, bytes, kind);
    }
  }
  // A reference to a shared owner. True: first met, its blocks and its pointee are to be walked
  // now.
  bool Shared(const void* owner, long use_count, long weak_count);
  // A weak reference to a shared owner.
  void Weak(const void* owner, bool expired);
  // Something that the trait itself found wrong with this edge. `kind`, which must stay valid for
  // the walk, words the error: kDynamicType, the type's raw name; kMarked, the reason.
  void Refuse(Fault fault, const void* address, const char* kind = "");
  // A part that is not looked at because the program vouches for it.
  void Trust() { ++trusted_; }
  // A closure's bytes, copied to `copy` with the padding cleared, which are at `own` (V4). Exact:
  // every word is a captured value; otherwise a suspicious word may be a stale or internal one.
  void Words(const void* copy, std::size_t bytes, const void* own, bool exact);

  // A part of the value. The label is how the path goes on; empty: it does not.
  template <class T>
  void Member(std::string_view label, const T& part) {
    if constexpr (kTransferClass<T> != TransferClass::kPlain) {
      if (recording_) [[unlikely]] {
        RecordMember(label, part);
      } else {
        GoInto(part);
      }
    }
  }
  // A raw pointer that owns one object, made by new. An object that is met a second time is refused
  // and not walked again.
  template <class T>
  void Owned(std::string_view label, const T* object) {
    if (object == nullptr) return;
    if (recording_) PushLabel(label);
    if (OwnOnce(object)) {
      Block(object, sizeof(T));
      if (depth_ == kMaxDepth) [[unlikely]] {
        DeferVisit(*object);
      } else {
        ++depth_;
        Visit(*object);
        --depth_;
      }
    }
    if (recording_) Pop();
  }
  // As Member, where the declared type of the part may be a reference.
  template <class T, class U>
  void Element(std::string_view label, const U& part) {
    if constexpr (std::is_reference_v<T>) {
      if (recording_) PushLabel(label);
      View(std::addressof(part), sizeof(U), "reference");
      if (recording_) Pop();
    } else {
      Member(label, part);
    }
  }
  template <class Range>
  void Elements(const Range& range) {
    using T = std::remove_cvref_t<decltype(*std::begin(range))>;
    if constexpr (kTransferClass<T> != TransferClass::kPlain) {
      if (recording_) [[unlikely]] {
        RecordNodes(range, [](const T&) {});
      } else {
        for (const auto& element : range) GoInto(element);
      }
    }
  }
  // As Elements, for containers of nodes: node(element) reports the block around each element
  // first.
  template <class Range, class Node>
  void Nodes(const Range& range, Node&& node) {
    using T = std::remove_cvref_t<decltype(*std::begin(range))>;
    if constexpr (kTransferClass<T> == TransferClass::kPlain) {
      for (const auto& element : range) node(element);
    } else if (recording_) [[unlikely]] {
      RecordNodes(range, node);
    } else {
      for (const auto& element : range) {
        node(element);
        GoInto(element);
      }
    }
  }
  // A part without a name of its own (a pointee, the value of an optional).
  template <class T>
  void Visit(const T& value) {
    if (recording_) [[unlikely]] {
      RecordVisit(value);
    } else {
      GoInto(value);
    }
  }

  // ---- for the passes (transfer_verify.h) ----

  // Walks everything that can be reached from the value. Once for each walker.
  template <class T>
  void Run(const T& value) {
    Visit(value);
    Finish();
  }
  // As Run, for a value that is itself a block.
  template <class T>
  void RunRoot(const T& value) {
    Block(&value, sizeof(T));
    Run(value);
  }

  bool clean() const noexcept { return faults_.empty(); }
  const CensusSum& census() const noexcept { return census_.sum(); }
  std::size_t edges() const noexcept { return edges_; }
  // Owning edges that lead into other heaps than the value's own (all allowed ones).
  std::size_t foreign_blocks() const noexcept { return foreign_blocks_; }
  // Those of them that lead into a heap in which this isolate builds, further out on the stack.
  std::size_t outer_blocks() const noexcept { return outer_blocks_; }
  // What the allocator spends on the blocks of the own heap; see measure_own.
  std::size_t own_bytes() const noexcept { return own_bytes_; }
  std::size_t warnings() const noexcept { return warnings_; }
  // Closures and their blocks: what they own is not known in full.
  std::size_t opaque() const noexcept { return opaque_; }
  // Parts that were taken on trust.
  std::size_t trusted() const noexcept { return trusted_; }
  const MainVector<BlockRange>& blocks() const noexcept { return views_.blocks(); }

  // Makes this walker's pass the recording one for what `first` refused. Before Run.
  void Record(const Walker& first, std::string_view root_label, std::vector<Violation>* violations);
  // The same for edges by number, in ascending order.
  void RecordEdges(const std::vector<std::uint64_t>& edges, std::string_view root_label,
                   std::vector<Violation>* places);

 private:
  static constexpr std::uint32_t kMaxDepth = 128;
  // Edges between two pauses: some hundred microseconds.
  static constexpr std::uint64_t kPauseStride = 1 << 16;
  // Owner::use_count of objects that OwnOnce has seen.
  static constexpr long kOwnedOnce = -1;
  static constexpr std::uint32_t kNoOwner = ~std::uint32_t{0};

  struct FaultAt {
    std::uint64_t edge;
    Fault fault;
    const void* address;
    std::size_t bytes;
    const char* kind;
    long held;   // kSharedOutside: references in the graph
    long total;  // and altogether
    bool operator<(const FaultAt& other) const noexcept { return edge < other.edge; }
  };
  struct Owner {
    const void* owner;
    std::uint64_t edge;
    std::int32_t held;  // references in the graph
    std::int32_t weak_held;
    std::int32_t use_count;
    std::int32_t weak_count;
    std::uint32_t next;  // with the same place in the table
  };
  struct PendingWeak {
    const void* owner;
    std::uint64_t edge;
  };
  struct Deferred {
    const void* object;
    void (*walk)(const void*, Walker&);
    std::uint32_t prefix;
  };
  struct Segment {
    std::string_view label;
    std::size_t index;
  };
  static constexpr std::size_t kNoIndex = static_cast<std::size_t>(-1);

  template <class T>
  void DeferVisit(const T& value) {
    Defer(&value,
          [](const void* object, Walker& walker) { walker.Visit(*static_cast<const T*>(object)); });
  }
  template <class T>
  void Go(const T& value) {
    if constexpr (kLeadsOn<T>) {
      if (depth_ == kMaxDepth) [[unlikely]] {
        DeferVisit(value);
        return;
      }
      ++depth_;
      TransferTraits<T>::Walk(value, *this);
      --depth_;
    } else {
      TransferTraits<T>::Walk(value, *this);
    }
  }
  // As Visit, outside of the recording pass.
  template <class T>
  void GoInto(const T& value) {
    if constexpr (std::is_array_v<T>) {
      Elements(value);
    } else if constexpr (kTransferClass<T> != TransferClass::kPlain) {
      Go(value);
    }
  }

  // The same steps with a path. Cold, and no part of the others' code.
  template <class T>
  [[gnu::noinline, gnu::cold]] void RecordVisit(const T& value) {
    if constexpr (std::is_array_v<T>) {
      Elements(value);
    } else if constexpr (kTransferClass<T> != TransferClass::kPlain) {
      const std::string_view outer = std::exchange(type_, TypeNameOf<T>());
      Go(value);
      type_ = outer;
    }
  }
  template <class T>
  [[gnu::noinline, gnu::cold]] void RecordMember(std::string_view label, const T& part) {
    PushLabel(label);
    RecordVisit(part);
    Pop();
  }
  template <class Range, class Node>
  [[gnu::noinline, gnu::cold]] void RecordNodes(const Range& range, Node&& node) {
    std::size_t index = 0;
    for (const auto& element : range) {
      PushIndex(index++);
      node(element);
      RecordVisit(element);
      Pop();
    }
  }

  [[gnu::always_inline]] void NextEdge() {
    if (++edges_ == pause_at_) [[unlikely]] {
      Pause();
    }
  }
  void Pause() noexcept;
  bool OwnOnce(const void* object);
  void BlockSlow(const void* start, std::size_t bytes);
  void CheckOwner(const void* start, std::size_t bytes);
  void AddOwnPiece(const void* start) noexcept;
  void ViewSlow(const void* data, std::size_t bytes, const char* kind);
  static std::size_t UsableSize(const void* start) noexcept;
  void Defer(const void* object, void (*walk)(const void*, Walker&));
  void Finish();
  void ResolveShared();
  void KeepFault(const FaultAt& fault);
  void AddFault(std::uint64_t edge, Fault fault, const void* address, std::size_t bytes,
                const char* kind);
  std::size_t OwnerPlace(const void* owner) const noexcept;
  Owner* FindOwner(const void* owner) noexcept;
  void AddOwner(const void* owner, long use_count, long weak_count);

  void PushLabel(std::string_view label);
  void PushIndex(std::size_t index);
  void Pop() noexcept { path_.pop_back(); }
  void StartRecording(std::string_view root_label, std::vector<Violation>* violations);
  void NoteEdge();
  std::string Path() const;

  WalkOptions options_;
  CensusCounter census_;
  std::uint64_t edges_ = 0;
  std::uint64_t pause_at_ = kPauseStride;
  std::uint32_t depth_ = 0;
  bool only_owners_;  // a block is asked for its owner, and nothing else
  bool recording_ = false;
  std::size_t foreign_blocks_ = 0;
  std::size_t outer_blocks_ = 0;
  std::size_t own_bytes_ = 0;
  std::size_t warnings_ = 0;
  std::size_t opaque_ = 0;
  std::size_t trusted_ = 0;
  const bool plain_malloc_;

  KnownPieces own_pieces_;
  ViewBook views_;
  MainVector<Deferred> deferred_;
  MainVector<PendingWeak> weak_;
  MainVector<Owner> owners_;
  MainVector<std::uint32_t> owner_heads_;  // a hash table: the first owner of each place
  MainVector<FaultAt> faults_;

  // The recording pass.
  std::string_view type_;
  std::string root_;  // how the paths of this item of the work list begin
  MainVector<Segment> path_;
  MainVector<std::string> prefixes_;  // of the items that wait
  MainVector<std::uint32_t> free_prefixes_;
  MainVector<FaultAt> wanted_;
  std::size_t next_wanted_ = 0;
  std::vector<Violation>* violations_ = nullptr;
};

}  // namespace internal
}  // namespace isolates

#endif  // ISOLATES_DETAIL_TRANSFER_WALKER_H_
