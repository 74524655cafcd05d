#ifndef ISOLATES_PARCEL_H_
#define ISOLATES_PARCEL_H_

// Parcel<T>: a value together with the heap that it was built in. It is handed over in constant
// time, read in place, and dropped in time proportional to its pages instead of its objects if the
// census allowed it (Receipt::droppable); otherwise by its destructor.

#include <cstdint>
#include <memory>
#include <typeinfo>
#include <utility>

#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/parcel_traits.h"
#include "isolates/receipt.h"

namespace isolates {

// What happens to a value that is much smaller than the heap that it was built in.
enum class CarryPolicy : std::uint8_t {
  kCarry,    // it takes the heap along, as always
  kCopyOut,  // it is copied into a second fresh heap, and the first is given up, if the type
             // allows: copyable, without views, and droppable as a whole
  kAuto,     // it is copied out if the heap takes up 1 MiB or more and not even 1/8 of that is the
             // value's
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
  bool changed = false;  // a mutable reference was given out: it may own and lead to anything now
  const std::type_info* type = nullptr;  // of the value, for words
  ParcelTrap* trap = nullptr;            // checked builds: of the last hand-over
  // Checked builds: calls each(block, bytes, target) for every block that the value owns.
  void (*owned)(const void* root, void (*each)(const void*, std::size_t, void*),
                void* target) = nullptr;

  ParcelControl() noexcept = default;
  ParcelControl(const ParcelControl&) = delete;
  ParcelControl& operator=(const ParcelControl&) = delete;
  ~ParcelControl();

  // The value may change or parts of it may leave: no drop as a whole any more, and it is looked at
  // again before it is sent.
  void MarkChanged() noexcept;
  // Frees all blocks at once. False if that is not allowed: the caller deletes the root and calls
  // Release.
  bool DropWhole() noexcept;
  // Checked builds: before a drop.
  void CheckValue() const noexcept;
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
    control_->MarkChanged();
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

  // Moves a part of the value out, as a parcel of its own:
  //   parcel.Split([](Document& d) -> std::vector<Order>& { return d.orders; })
  // What the part owns stays in the heap, which both use from now on: neither is dropped as a
  // whole. Throws TransferError, and the value is unchanged, if the rest has references into the
  // part (shared_ptr).
  template <class Select>
  auto Split(Select&& select);

  const Receipt& receipt() const noexcept {
    ISOLATES_CHECK(control_ != nullptr, "empty parcel: it was moved from, taken or dropped");
    return control_->receipt;
  }

  // Ends the parcel and its value now, as a whole if that is allowed.
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
  template <class T>
  static bool Changed(const Parcel<T>& parcel) noexcept {
    return parcel.control_ != nullptr && parcel.control_->changed;
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
