// StopCell: the one request to end that counts for an isolate, and who is to be told of it.
//
// Protocol
//   operation   who may call   progress
//   Put         any thread     wait-free, but for what the source calls back
//   request     any thread     wait-free
//   source      any thread     wait-free; allocates at the first call
//
// Rules
//   S1. The first Put wins; the request never changes afterwards, and lives as long as the cell.
//   S2. A source exists from the first call of source on. Put stores the request, then looks for a
//       source; source stores the source, then looks for a request. Both orders are sequentially
//       consistent, so one of the two sees the other, and the source is asked to stop.

#ifndef ISOLATES_DETAIL_ISOLATE_STOP_H_
#define ISOLATES_DETAIL_ISOLATE_STOP_H_

#include <memory>
#include <utility>

#include "isolates/detail/atomics.h"

namespace isolates::internal {

template <class Request, class Source, class Atomics = StdAtomics>
class StopCell {
 public:
  StopCell() = default;
  StopCell(const StopCell&) = delete;
  StopCell& operator=(const StopCell&) = delete;
  ~StopCell() {
    // relaxed - whoever destroys the cell is the last to know it.
    delete request_.load(std::memory_order_relaxed);
    delete source_.load(std::memory_order_relaxed);
  }

  // nullptr: not asked to stop.
  const Request* request() const noexcept {
    // acquire - pairs with Put: the request is visible as a whole.
    return request_.load(std::memory_order_acquire);
  }

  // False if there was a request already (S1).
  bool Put(std::unique_ptr<Request> request) {
    Request* nobody = nullptr;
    // seq_cst - S2; its release half pairs with request(). relaxed on failure: nothing is read.
    if (!request_.compare_exchange_strong(nobody, request.get(), std::memory_order_seq_cst,
                                          std::memory_order_relaxed)) {
      return false;
    }
    static_cast<void>(request.release());
    // seq_cst - S2; its acquire half pairs with source(): the source is visible as a whole.
    if (Source* const source = source_.load(std::memory_order_seq_cst)) source->request_stop();
    return true;
  }

  Source& source() {
    // acquire - pairs with the exchange below of whoever made it.
    Source* source = source_.load(std::memory_order_acquire);
    if (source == nullptr) {
      auto made = std::make_unique<Source>();
      // seq_cst - S2; its release half pairs with all that find the source. acquire on failure: the
      // other's source is visible.
      if (source_.compare_exchange_strong(source, made.get(), std::memory_order_seq_cst,
                                          std::memory_order_acquire)) {
        source = made.release();
      }
    }
    // seq_cst - S2.
    if (request_.load(std::memory_order_seq_cst) != nullptr) source->request_stop();
    return *source;
  }

 private:
  typename Atomics::template Atomic<Request*> request_{nullptr};
  typename Atomics::template Atomic<Source*> source_{nullptr};
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_ISOLATE_STOP_H_
