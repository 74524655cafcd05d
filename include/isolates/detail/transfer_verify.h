#ifndef ISOLATES_DETAIL_TRANSFER_VERIFY_H_
#define ISOLATES_DETAIL_TRANSFER_VERIFY_H_

// The passes before a send, and the dry run. (transfer_seal.h has that of a parcel.)

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/transfer_closure.h"
#include "isolates/detail/transfer_require.h"
#include "isolates/detail/transfer_std_pointers.h"
#include "isolates/detail/transfer_walker.h"
#include "isolates/error.h"
#include "isolates/parcel.h"

namespace isolates {

// How closely a message is looked at before it is sent.
enum class VerifyLevel : std::uint8_t {
  kDefault,  // looks only where the type leaves a question open
  kAlways,   // looks at every edge, and doubts closures
};

// A message was refused, in the sender and before anything was sent (rule V5). what() is the first
// violation.
class TransferError : public Error {
 public:
  // Of at least one violation.
  explicit TransferError(std::vector<Violation> violations);

  const std::vector<Violation>& violations() const noexcept { return violations_; }

 private:
  std::vector<Violation> violations_;
};

// What a dry run found.
struct VerifyReport {
  std::vector<Violation> violations;  // all that a send would refuse
  std::size_t blocks = 0;             // owned by the graph
  std::size_t bytes = 0;              // of these
  std::size_t edges = 0;              // looked at

  bool ok() const noexcept { return violations.empty(); }
};

namespace internal {

// Type-erased half of the passes: `run` lets a walker go over the value.
using RunWalk = void (*)(const void* value, Walker& walker);

// Walks; if something is refused, walks again to say where. Returns the violations.
std::vector<Violation> WalkAndReport(const void* value, RunWalk run, const WalkOptions& options,
                                     std::string_view root_label, VerifyReport* report);

[[noreturn]] void ThrowTransferError(std::vector<Violation> violations);

void VerifyValue(const void* value, RunWalk run, const WalkOptions& options,
                 std::string_view root_label);
Receipt VerifyValueWithReceipt(const void* value, RunWalk run, const WalkOptions& options,
                               std::string_view root_label);

template <class T>
void RunWalkOf(const void* value, Walker& walker) {
  walker.Run(*static_cast<const T*>(value));
}
template <class T>
void RunRootWalkOf(const void* value, Walker& walker) {
  walker.RunRoot(*static_cast<const T*>(value));
}

template <class T>
WalkOptions OptionsFor(const T& value, VerifyLevel level, const Heap* own_heap) {
  WalkOptions options;
  options.own_heap = own_heap;
  options.record_blocks = kSummary<T>.views;
  options.strict_closures = level == VerifyLevel::kAlways;
  options.moved_root = std::addressof(value);
  options.moved_bytes = sizeof(T);
  return options;
}

// For a value that is about to be sent by moving it. Throws TransferError. Plain and owned types
// are proven by their type: nothing is left to do here unless the level asks for it. `own_heap` is
// the heap in which the caller built the value.
template <class T>
void VerifyForSend(const T& value, std::string_view root_label,
                   VerifyLevel level = VerifyLevel::kDefault,
                   const Heap* own_heap = CurrentHeap()) {
  RequireTransferable<T>();
  if constexpr (kTransferClass<T> == TransferClass::kPlain) {
    return;
  } else {
    if constexpr (kTransferClass<T> == TransferClass::kOwned) {
      if (level == VerifyLevel::kDefault) return;
    }
    VerifyValue(std::addressof(value), &RunWalkOf<T>, OptionsFor(value, level, own_heap),
                root_label);
  }
}

// The same with a receipt. All edges are walked, also where the type would make that unnecessary.
template <class T>
Receipt VerifyWithReceipt(const T& value, std::string_view root_label, VerifyLevel level) {
  RequireTransferable<T>();
  WalkOptions options = OptionsFor(value, level, CurrentHeap());
  options.check_owners =
      kTransferClass<T> == TransferClass::kChecked || level == VerifyLevel::kAlways;
  return VerifyValueWithReceipt(std::addressof(value), &RunWalkOf<T>, options, root_label);
}
// A parcel has its receipt already.
template <class T>
Receipt VerifyWithReceipt(const Parcel<T>& parcel, std::string_view root_label, VerifyLevel level) {
  VerifyForSend(parcel, root_label, level);
  return parcel.empty() ? Receipt{} : parcel.receipt();
}

// The same for the function or closure that an isolate is to run.
template <class F>
void CheckClosure(const F& function, std::string_view label,
                  VerifyLevel level = VerifyLevel::kDefault) {
  VerifyForSend(function, label, level);
}

// The owned blocks of a graph, in the order of the walk (tests, adapters under development).
template <class T>
std::vector<BlockRange> OwnedBlocks(const T& value) {
  WalkOptions options;
  options.check_owners = false;
  options.record_blocks = true;
  Walker walker(options);
  walker.Run(value);
  return {walker.blocks().begin(), walker.blocks().end()};
}

}  // namespace internal
}  // namespace isolates

#endif  // ISOLATES_DETAIL_TRANSFER_VERIFY_H_
