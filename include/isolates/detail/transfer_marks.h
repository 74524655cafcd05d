#ifndef ISOLATES_DETAIL_TRANSFER_MARKS_H_
#define ISOLATES_DETAIL_TRANSFER_MARKS_H_

// What a program says itself about a type or an object: that it must stay, or that it may go
// although the library cannot see why.

#include <cstddef>
#include <string_view>
#include <utility>

#include "isolates/detail/transfer_traits.h"

namespace isolates {

// A member by which one object can be kept in its isolate for a while: every message in which it is
// met with the mark set is refused, for the reason given. Copies and moved objects take the mark
// along. (For whole types: `using IsolatesUnsendable = void;` or UnsendableTraits.)
class UnsendableMark {
 public:
  // `reason`: a literal; it ends the sentence "the object is marked unsendable: ...".
  constexpr void Set(const char* reason) noexcept { reason_ = reason; }
  // Messages with the object are accepted again.
  constexpr void Clear() noexcept { reason_ = nullptr; }
  constexpr bool is_set() const noexcept { return reason_ != nullptr; }

 private:
  friend struct TransferTraits<UnsendableMark>;
  const char* reason_ = nullptr;
};

template <>
struct TransferTraits<UnsendableMark> {
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kDroppable = true;
  static constexpr Constness kConstness = Constness::kDeep;
  static void Walk(const UnsendableMark& value, internal::Walker& walker) {
    if (value.is_set()) walker.Refuse(internal::Fault::kMarked, &value, value.reason_);
  }
};

// The unsafe opt-out, easy to search for. The author vouches that an object of the type, with all
// that it leads to, may be used by the receiver and is not used by the sender any more; nothing in
// it is looked at. A parcel that holds one is dropped by destructors.
//   template <> struct isolates::TransferTraits<C> : isolates::UnsafeTransferTraits<C> {};
template <class T>
struct UnsafeTransferTraits {
  // As if it owned all that it leads to.
  static constexpr TransferClass kClass = TransferClass::kOwned;
  // Its destructor may do anything.
  static constexpr bool kDroppable = false;
  // Who reads it may change what it leads to.
  static constexpr bool kShallow = true;
  // Looks at nothing.
  static void Walk(const T&, internal::Walker& walker) { walker.Trust(); }
};

// The same for one value: `UnsafeTransfer<Texture*> texture{pointer};` as a member or a message.
template <class T>
struct UnsafeTransfer {
  T value;  // what is taken on trust

  T& operator*() noexcept { return value; }
  const T& operator*() const noexcept { return value; }
};
template <class T>
struct TransferTraits<UnsafeTransfer<T>> : UnsafeTransferTraits<UnsafeTransfer<T>> {};

}  // namespace isolates

#endif  // ISOLATES_DETAIL_TRANSFER_MARKS_H_
