// How an isolate has ended.

#ifndef ISOLATES_EXIT_INFO_H_
#define ISOLATES_EXIT_INFO_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "isolates/error.h"

namespace isolates {

// What ended an isolate. If several things came together, the one that took effect first.
enum class ExitReason {
  kFinished,       // nothing was left to handle, or a Run had its result, or its thread ended
  kExited,         // Isolate::Exit
  kUncaughtError,  // an uncaught error, while errors were fatal; also: Exit's message was refused
                   // after the unwinding
  kKilled,         // Isolate::Kill
  kParentEnded,    // it was linked to its parent (EndWithParent), which has ended
  kShutdown,       // the runtime was shut down
};

// For reports: "finished", "exited", "uncaught error", "killed", "parent ended", "shutdown".
std::string_view ExitReasonName(ExitReason reason) noexcept;

// The last word about an isolate (Isolate::Monitor, Isolate::Ended).
struct ExitInfo {
  ExitReason reason = ExitReason::kFinished;
  std::string message;               // what Kill said; empty where nobody said anything
  std::optional<RemoteError> error;  // of kUncaughtError
  std::uint64_t isolate_id = 0;      // Isolate::id
  std::string isolate_name;          // Isolate::debug_name
};

}  // namespace isolates

#endif  // ISOLATES_EXIT_INFO_H_
