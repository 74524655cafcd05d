// Computation: what an isolate was launched for, erased to one type.

#ifndef ISOLATES_DETAIL_COMPUTATION_H_
#define ISOLATES_DETAIL_COMPUTATION_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "isolates/detail/heap.h"
#include "isolates/detail/main_heap.h"
#include "isolates/error.h"

namespace isolates::internal {

class IsolateCore;

class Computation : public MainHeapObject {
 public:
  Computation() = default;
  Computation(const Computation&) = delete;
  Computation& operator=(const Computation&) = delete;
  virtual ~Computation() = default;

  // True if the isolate builds a parcel: it runs in a heap of its own.
  virtual bool builds_parcel() const noexcept { return false; }
  // Distinguishes kinds of builders for the parcel policy (rule H3).
  virtual std::uintptr_t builder_kind() const noexcept { return 0; }
  // True if Conclude tells somebody of an error; otherwise it is reported as unhandled.
  virtual bool takes_error() const noexcept { return false; }
  // The isolate's first turn: runs the entry. What it throws is an uncaught error of the isolate.
  virtual void Start() = 0;
  // True once the isolate should end although ports may be open: a Run has its result.
  virtual bool complete() const noexcept { return false; }
  // The isolate is ending: destroys the callable and its arguments. In the isolate's heap.
  virtual void DropCallable() noexcept = 0;
  // All that the isolate had is gone. Delivers the one terminal message: the result, or the error,
  // or that it ended without a result. In the main heap. A parcel's heap is given away here:
  // returns true if so.
  virtual bool Conclude(const RemoteError* error, Heap* heap) noexcept = 0;
};

// A message that Exit hands over when all has been unwound.
class FinalMessage : public MainHeapObject {
 public:
  FinalMessage() = default;
  FinalMessage(const FinalMessage&) = delete;
  FinalMessage& operator=(const FinalMessage&) = delete;
  virtual ~FinalMessage() = default;
  // Verifies a checked message once more, then sends it. Throws TransferError. If its port closed
  // during the unwinding, the message is a dead letter.
  virtual void Deliver() = 0;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_COMPUTATION_H_
