#ifndef ISOLATES_TRANSFER_H_
#define ISOLATES_TRANSFER_H_

// What may be sent to another isolate.
//
// Send, Run, Spawn and Exit hand a value over without copying what it owns. So the value must own
// everything that it leads to, and nothing may lead back into the sender. The compiler decides
// where it can (TransferClass); where it cannot, the value is looked at before it is sent, and a
// refusal is a TransferError in the sender that names the member.
//
//   plain, owned   numbers, strings, standard containers, unique_ptr, aggregates of these
//   checked        string_view, span, pointers, shared_ptr, pmr containers, closures: by a look
//   rejected       locks, threads, streams, polymorphic unique_ptr...: by the compiler
//
// Classes with private members say what they hold (IsolatesMembers, below).

#include <memory>

#include "isolates/detail/transfer_closure.h"
#include "isolates/detail/transfer_dynamic.h"
#include "isolates/detail/transfer_facts.h"
#include "isolates/detail/transfer_marks.h"
#include "isolates/detail/transfer_reached.h"
#include "isolates/detail/transfer_require.h"
#include "isolates/detail/transfer_split.h"
#include "isolates/detail/transfer_std_containers.h"
#include "isolates/detail/transfer_std_pointers.h"
#include "isolates/detail/transfer_std_values.h"
#include "isolates/detail/transfer_traits.h"
#include "isolates/detail/transfer_verify.h"
#include "isolates/error.h"
#include "isolates/parcel.h"

namespace isolates {

// ---- for those who write TransferTraits of their own (docs/adapters.md) ----

using internal::InsideObject;  // true if an address lies in the bytes of an object
using internal::TypeList;      // of the types that a type leads to: Parts
using internal::Walker;        // to which Walk reports edges and parts

// ---- types of this library ----

namespace internal {

// Whether a parcel may own or lead to anything else than when it was sealed: a mutable reference
// was given out, or const ones do as well for its type.
template <class T>
bool MayHaveChanged(const Parcel<T>& parcel) noexcept {
  return !parcel.empty() && (!kSummary<T>.settled || ParcelAccess::Changed(parcel));
}

}  // namespace internal

// A parcel inside a message brings its own heap and was verified when it was made. Only what may
// have been changed since then is looked at.
template <class T>
struct TransferTraits<Parcel<T>> {
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kDroppable = false;
  static constexpr std::string_view kFreezeProblem = "is for one reader at a time";
  static constexpr std::string_view kFreezeRemedy = "freeze the parcel and hold its Frozen";
  using Parts = TypeList<T>;
  static constexpr Moving kMoving = Moving::kTakesAll;
  static void Walk(const Parcel<T>& parcel, Walker& walker) {
    if (!internal::MayHaveChanged(parcel)) return;
    walker.Block(std::addressof(parcel.get()), sizeof(T));
    walker.Visit(parcel.get());
  }
};

// Built of copies on the receiver's side (rule V7).
template <>
struct TransferTraits<RemoteError> {
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kDroppable = false;
  static constexpr Constness kConstness = Constness::kDeep;
  static void Walk(const RemoteError&, Walker&) {}
};

// The dry run: looks at every edge of the value as a send would and lists all that would be
// refused, without sending anything.
template <class T>
VerifyReport Verify(const T& value, std::string_view root_label = "value") {
  internal::RequireTransferable<T>();
  VerifyReport report;
  report.violations = internal::WalkAndReport(
      std::addressof(value), &internal::RunWalkOf<T>,
      internal::OptionsFor(value, VerifyLevel::kAlways, internal::CurrentHeap()), root_label,
      &report);
  return report;
}

// How often a closure or std::function looked as if it led to a stack or an isolate, without proof
// (rule V4). A number that grows deserves a look at VerifyLevel::kAlways.
std::uint64_t closure_warnings() noexcept;

}  // namespace isolates

#endif  // ISOLATES_TRANSFER_H_
