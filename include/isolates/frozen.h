#ifndef ISOLATES_FROZEN_H_
#define ISOLATES_FROZEN_H_

// Frozen<T>: a value that nobody can change any more, for any number of isolates to read where it
// is (rule V3). Freeze consumes the value, so no writer is left; what the compiler lets through,
// Freezable types, has no part that a const reference would let anybody change.
//
// Protocol
//   F1. The value is verified and moved to its final place before the first handle exists. From
//       then on there is no access but by const reference.
//   F2. Handles count references (RefCounted tells the orders). One thread at a time uses one
//       handle, as any value; copies are independent of each other.
//   F3. A handle reaches another isolate by a hand-over (a port, a future, an argument), which
//       orders the reader after F1. So readers need no synchronization of their own.
//   F4. Whoever drops the last handle destroys the value, on its thread; a parcel is dropped whole
//       if its receipt says so.

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include "isolates/detail/check.h"
#include "isolates/detail/cpu.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/ref.h"
#include "isolates/detail/transfer_leaving.h"
#include "isolates/detail/transfer_moves.h"
#include "isolates/detail/transfer_require.h"
#include "isolates/parcel.h"
#include "isolates/transfer.h"

namespace isolates {

template <class T>
class Frozen;

namespace internal {

// What the handles share, in the main heap.
class FrozenBlock : public RefCounted, public MainHeapObject {};

// A value that was moved in. Not on the cache line of the references: each new handle writes there,
// and readers would wait for it.
template <class T>
class FrozenValue final : public FrozenBlock {
 public:
  explicit FrozenValue(T&& value) : value_(std::move(value)) {}
  const T& value() const noexcept { return value_; }

 private:
  alignas(kCacheLine) alignas(T) const T value_;
};

// A parcel's value stays in its place, in its heap.
template <class T>
class FrozenParcel final : public FrozenBlock {
 public:
  explicit FrozenParcel(Parcel<T>&& parcel) noexcept : parcel_(std::move(parcel)) {}
  const T& value() const noexcept { return parcel_.get(); }

 private:
  const Parcel<T> parcel_;
};

struct FrozenAccess {
  template <class T, class Block>
  static Frozen<T> Make(Ref<Block> block) noexcept {
    const T* const value = &block->value();
    return Frozen<T>(std::move(block), value);
  }
};

}  // namespace internal

// A handle: cheap to copy, may be sent and be a part of other frozen values.
template <class T>
class Frozen {
 public:
  using Value = T;

  // Refers to nothing.
  Frozen() noexcept = default;
  Frozen(const Frozen&) noexcept = default;
  Frozen(Frozen&& other) noexcept
      : block_(std::move(other.block_)), value_(std::exchange(other.value_, nullptr)) {}
  Frozen& operator=(Frozen other) noexcept {
    std::swap(block_, other.block_);
    std::swap(value_, other.value_);
    return *this;
  }
  ~Frozen() = default;

  explicit operator bool() const noexcept { return value_ != nullptr; }

  const T& get() const noexcept {
    ISOLATES_CHECK(value_ != nullptr, "empty Frozen: it was moved from or never set");
    return *value_;
  }
  const T& operator*() const noexcept { return get(); }
  const T* operator->() const noexcept { return &get(); }

  // The same value, not an equal one?
  friend bool operator==(const Frozen& a, const Frozen& b) noexcept { return a.value_ == b.value_; }

 private:
  friend struct internal::FrozenAccess;
  friend struct std::hash<Frozen>;

  Frozen(internal::Ref<internal::FrozenBlock> block, const T* value) noexcept
      : block_(std::move(block)), value_(value) {}

  internal::Ref<internal::FrozenBlock> block_;
  const T* value_ = nullptr;
};

template <class T>
struct TransferTraits<Frozen<T>> : internal::ImmutableHandleTraits {};

// Makes `value` immutable and readable for all isolates. Looks at every edge first: throws
// TransferError if the value leads out of itself, and then leaves it with the caller, unchanged
// (but see SendPort::Send). Views into the bytes of the object itself are refused too, because it
// is moved; freeze a parcel instead. The price: one walk, as Verify.
template <class T>
  requires(!std::is_reference_v<T> && !std::is_const_v<T>)
[[nodiscard]] Frozen<T> Freeze(T&& value) {
  internal::RequireFreezable<T>();
  internal::VerifyForSend(value, "value", VerifyLevel::kAlways);
  internal::MarkLeaving(value);
  auto block =
      internal::MakeRef<internal::FrozenValue<T>>(std::move(value));  // NOLINT: T is no reference
  internal::VerifyMoved(block->value(), "value", VerifyLevel::kAlways);
  return internal::FrozenAccess::Make<T>(std::move(block));
}

// The same for a parcel: its value stays where it is, and the last handle drops it whole if the
// parcel could be.
template <class T>
[[nodiscard]] Frozen<T> Freeze(Parcel<T>&& parcel) {
  internal::RequireFreezable<T>();
  const T& root = parcel.get();
  // Sealed and untouched, it owns nothing outside of its heap; otherwise it may own blocks of the
  // caller's.
  internal::Heap* heap = internal::ParcelAccess::HeapOf(parcel);
  const bool untouched = heap != nullptr && !heap->shared();
  if (!untouched) heap = internal::CurrentHeap();
  internal::WalkOptions options;
  options.own_heap = heap;
  options.record_blocks = internal::kSummary<T>.views;
  options.strict_closures = true;
  internal::VerifyValue(&root, &internal::RunRootWalkOf<T>, options, "value");
  if (!untouched) internal::MarkCurrentHeapLeaving();
  return internal::FrozenAccess::Make<T>(
      internal::MakeRef<internal::FrozenParcel<T>>(std::move(parcel)));
}

}  // namespace isolates

template <class T>
struct std::hash<isolates::Frozen<T>> {
  std::size_t operator()(const isolates::Frozen<T>& frozen) const noexcept {
    return std::hash<const T*>()(frozen.value_);
  }
};

#endif  // ISOLATES_FROZEN_H_
