// StopToken: whether an isolate was told to end, and why. For loops that compute, and for foreign
// waits that know std::stop_token.

#ifndef ISOLATES_STOP_TOKEN_H_
#define ISOLATES_STOP_TOKEN_H_

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "isolates/detail/isolate_stop.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/port_host.h"
#include "isolates/detail/ref.h"
#include "isolates/detail/transfer_leaving.h"
#include "isolates/exit_info.h"
#include "isolates/transfer.h"

namespace isolates {

namespace internal {

struct StopRequest : MainHeapObject {
  StopRequest(ExitReason why, std::string_view text) : cause(why), reason(text) {}
  const ExitReason cause;
  const std::string reason;
};
struct StopSource : MainHeapObject, std::stop_source {};
using IsolateStop = StopCell<StopRequest, StopSource>;

}  // namespace internal

// May be copied, sent, and asked on any thread, also after the isolate has ended. It tells only
// what was asked for: an isolate that ends by itself requests nothing.
//
// A request is visible here at once, whatever its priority. Nothing is thrown: the code decides
// itself when to stop. (Isolate::CheckStop throws, but for kBeforeNextEvent only after the event.)
class StopToken {
 public:
  // One load of a word.
  bool stop_requested() const noexcept { return stop_->request() != nullptr; }
  // Why the isolate was told to end: kKilled, kParentEnded or kShutdown. Nothing if it was not.
  std::optional<ExitReason> cause() const noexcept {
    const internal::StopRequest* const request = stop_->request();
    return request != nullptr ? std::optional(request->cause) : std::nullopt;
  }
  // What Kill said. Empty if nobody said anything.
  std::string reason() const {
    const internal::StopRequest* const request = stop_->request();
    return request != nullptr ? request->reason : std::string();
  }

  // The same as a standard token: for std::condition_variable_any, std::stop_callback and foreign
  // code. A callback runs on the thread that asks for the stop, beside the isolate: it may touch
  // nothing but what is made for several threads.
  std::stop_token std_token() const;

 private:
  friend class Isolate;
  StopToken(internal::Ref<internal::PortHost> isolate, internal::IsolateStop& stop) noexcept
      : isolate_(std::move(isolate)), stop_(&stop) {}

  internal::Ref<internal::PortHost> isolate_;  // which has the cell
  internal::IsolateStop* stop_;
};
template <>
struct TransferTraits<StopToken> : internal::ImmutableHandleTraits {};

// Of the isolate that the caller runs in. A plain thread becomes one. For a loop: take it once,
// before the loop.
StopToken CurrentStopToken();

}  // namespace isolates

#endif  // ISOLATES_STOP_TOKEN_H_
