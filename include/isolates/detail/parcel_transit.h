#ifndef ISOLATES_DETAIL_PARCEL_TRANSIT_H_
#define ISOLATES_DETAIL_PARCEL_TRANSIT_H_

// A message between the hands of its sender and those of its receiver. Most messages are just their
// value. A parcel that is the message itself is told when it leaves and when it arrives; what is
// refused arrives at its sender again, and what dies on the way arrives there first.

#include <concepts>
#include <utility>

#include "isolates/parcel.h"

namespace isolates::internal {

// A parcel was given away: it is in nobody's hands. Before others can see it.
void NoteParcelSent(ParcelControl* parcel) noexcept;
// Somebody has it now, or it is about to be dropped: on that thread, before any use.
void NoteParcelAdopted(ParcelControl* parcel) noexcept;

template <class T>
class InTransit {
 public:
  template <class U>
    requires std::constructible_from<T, U>
  explicit InTransit(U&& value) : value_(std::forward<U>(value)) {}
  InTransit(const InTransit&) = delete;
  InTransit& operator=(const InTransit&) = delete;

  const T& peek() const noexcept { return value_; }
  // The value, in the hands of the caller from now on.
  T& Arrive() noexcept { return value_; }

 private:
  T value_;
};

template <class T>
class InTransit<Parcel<T>> {
 public:
  explicit InTransit(Parcel<T>&& parcel) noexcept : value_(std::move(parcel)) {
    if (!value_.empty()) NoteParcelSent(ParcelAccess::Control(value_));
  }
  InTransit(const InTransit&) = delete;
  InTransit& operator=(const InTransit&) = delete;
  ~InTransit() { Arrive(); }

  const Parcel<T>& peek() const noexcept { return value_; }
  Parcel<T>& Arrive() noexcept {
    if (!std::exchange(arrived_, true) && !value_.empty()) {
      NoteParcelAdopted(ParcelAccess::Control(value_));
    }
    return value_;
  }

 private:
  Parcel<T> value_;
  bool arrived_ = false;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PARCEL_TRANSIT_H_
