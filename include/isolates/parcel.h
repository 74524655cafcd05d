#ifndef ISOLATES_PARCEL_H_
#define ISOLATES_PARCEL_H_

// Parcel<T>: a value together with the heap that it was built in. It is handed over in constant
// time, read in place, and dropped in time proportional to its pages instead of its objects if the
// census allowed it (Receipt::droppable); otherwise by its destructor.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/parcel_traits.h"

namespace isolates {

// Why a parcel can or cannot be dropped as a whole.
enum class DropReason : std::uint8_t {
  kDroppable,
  kStrays,            // the builder left blocks in the heap that the value does not own
  kForeignBlock,      // the value owns a block of another heap
  kTypeNotDroppable,  // a destructor on the way does more than free memory, or nobody said so
  kSharedHeap,        // a block left, or a mutable reference was given out
  kPooledHeap,        // built in a pooled heap (too many retired heaps, or earlier strays)
  kPlainMalloc,       // linked with plain malloc: there are no heaps
};

std::string_view ToString(DropReason reason) noexcept;

// What is known about a hand-over.
struct Receipt {
  std::size_t reachable_blocks = 0;  // met on owning edges from the root
  std::size_t reachable_bytes = 0;
  std::size_t heap_blocks = 0;  // live in the heap; 0 if no census was taken
  std::size_t heap_bytes = 0;
  std::size_t stray_blocks = 0;  // live in the heap but not reachable
  std::size_t stray_bytes = 0;
  bool droppable = false;
  DropReason reason = DropReason::kPlainMalloc;
  std::chrono::nanoseconds verify_time{0};
  std::chrono::nanoseconds census_time{0};
  // The last hand-over of the parcel as a message or result of its own (not inside of another).
  std::uint64_t sent_ns = 0;               // on std::chrono::steady_clock; 0 if there was none
  std::chrono::nanoseconds adopt_time{0};  // from then until the receiver took it
};

template <class T>
class Parcel;

namespace internal {

struct ParcelTrap;

// One for each parcel, in the main heap.
struct ParcelControl : MainHeapObject {
  void* root = nullptr;
  Heap* heap = nullptr;  // owned; nullptr if the value is to be dropped by its destructor
  Receipt receipt;
  CensusSum sealed;                                 // of the heap, when the census allowed the drop
  CensusSum (*rewalk)(const void* root) = nullptr;  // checked builds repeat the walk at the drop
  const std::type_info* type = nullptr;             // of the value, for words
  ParcelTrap* trap = nullptr;                       // checked builds: of the last hand-over
  // Checked builds: calls each(block, bytes, target) for every block that the value owns.
  void (*owned)(const void* root, void (*each)(const void*, std::size_t, void*),
                void* target) = nullptr;

  ParcelControl() noexcept = default;
  ParcelControl(const ParcelControl&) = delete;
  ParcelControl& operator=(const ParcelControl&) = delete;
  ~ParcelControl();

  // The value may have changed or parts of it may have left: no drop as a whole any more.
  void MarkShared() noexcept;
  // Frees all blocks at once. False if that is not allowed: the caller deletes the root and calls
  // Release.
  bool DropWhole() noexcept;
  // Retires the heap (the root is gone or out) and deletes this.
  void Release() noexcept;
};

struct ParcelAccess;

}  // namespace internal

// Move-only; one thread at a time, may be dropped on any thread.
template <class T>
class Parcel {
 public:
  Parcel() noexcept = default;
  Parcel(Parcel&& other) noexcept : control_(std::exchange(other.control_, nullptr)) {}
  Parcel& operator=(Parcel&& other) noexcept {
    if (this != &other) {
      Drop();
      control_ = std::exchange(other.control_, nullptr);
    }
    return *this;
  }
  ~Parcel() { Drop(); }

  bool empty() const noexcept { return control_ == nullptr; }
  explicit operator bool() const noexcept { return control_ != nullptr; }

  const T& get() const noexcept {
    ISOLATES_CHECK(control_ != nullptr, "empty parcel: it was moved from, taken or dropped");
    return *static_cast<const T*>(control_->root);
  }
  const T& operator*() const noexcept { return get(); }
  const T* operator->() const noexcept { return &get(); }

  // Access that can change the value. The parcel will be dropped by its destructor.
  T& Mutable() noexcept {
    ISOLATES_CHECK(control_ != nullptr, "empty parcel: it was moved from, taken or dropped");
    control_->MarkShared();
    return *static_cast<T*>(control_->root);
  }

  // Moves the value out and ends the parcel. The value's blocks stay where they are.
  T Take() && {
    static_assert(internal::ParcelTraits<T>::kTakeable,
                  "Take() moves the root, which would break views into it; use TakeBox()");
    T value(std::move(Mutable()));
    Finish();
    return value;
  }

  // Ends the parcel but leaves the root in place.
  std::unique_ptr<T> TakeBox() && {
    std::unique_ptr<T> box(&Mutable());
    std::exchange(control_, nullptr)->Release();
    return box;
  }

  const Receipt& receipt() const noexcept {
    ISOLATES_CHECK(control_ != nullptr, "empty parcel: it was moved from, taken or dropped");
    return control_->receipt;
  }

  void Drop() noexcept {
    if (control_ == nullptr) {
      return;
    }
    if (control_->DropWhole()) {
      control_ = nullptr;
      return;
    }
    Finish();
  }

 private:
  friend struct internal::ParcelAccess;

  // Ends the root by its destructor, then the control block.
  void Finish() noexcept {
    internal::ParcelControl* const control = std::exchange(control_, nullptr);
    delete static_cast<T*>(control->root);
    control->Release();
  }

  internal::ParcelControl* control_ = nullptr;
};

namespace internal {

// For the rooms that build and carry parcels.
struct ParcelAccess {
  // `root` was made by new. A receipt that says droppable hands `heap` over to the parcel;
  // otherwise the caller keeps it and retires (or releases) it at once: what the value owns in it
  // may stay there.
  template <class T>
  static Parcel<T> Make(T* root, Heap* heap, const Receipt& receipt, const CensusSum& sealed = {},
                        CensusSum (*rewalk)(const void*) = nullptr) {
    auto* const control = new ParcelControl;
    control->root = root;
    control->heap = receipt.droppable ? heap : nullptr;
    control->receipt = receipt;
    control->sealed = sealed;
    control->rewalk = rewalk;
    control->type = &typeid(T);
    if constexpr (kCheckedBuild) {
      if (control->heap != nullptr) LeaveSealedHeap(control->heap);
    }
    return Adopt<T>(control);
  }
  // A parcel as one word, for queues.
  template <class T>
  static ParcelControl* Detach(Parcel<T>&& parcel) noexcept {
    return std::exchange(parcel.control_, nullptr);
  }
  template <class T>
  static Parcel<T> Adopt(ParcelControl* control) noexcept {
    Parcel<T> parcel;
    parcel.control_ = control;
    return parcel;
  }
  template <class T>
  static ParcelControl* Control(const Parcel<T>& parcel) noexcept {
    return parcel.control_;
  }
  // The heap while the parcel can be dropped as a whole, else nullptr.
  template <class T>
  static Heap* HeapOf(const Parcel<T>& parcel) noexcept {
    return parcel.control_ == nullptr ? nullptr : parcel.control_->heap;
  }
};

}  // namespace internal
}  // namespace isolates

#endif  // ISOLATES_PARCEL_H_
