#ifndef ISOLATES_DETAIL_PARCEL_TRAITS_H_
#define ISOLATES_DETAIL_PARCEL_TRAITS_H_

// What Parcel<T> must know of a type but the heap room cannot judge. The transfer room answers for
// every type by the partial specialization <T, void>.

namespace isolates::internal {

// ParcelTraits<T>::kTakeable: T holds no views into its own bytes or blocks that moving the root
// away would break, so that Take() may move it out of the parcel.
template <class T, class = void>
struct ParcelTraits;

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PARCEL_TRAITS_H_
