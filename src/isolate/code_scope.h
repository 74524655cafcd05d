// Running an isolate's code on a thread.

#ifndef ISOLATES_SRC_ISOLATE_CODE_SCOPE_H_
#define ISOLATES_SRC_ISOLATE_CODE_SCOPE_H_

#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/detail/threads.h"
#include "src/isolate/core.h"

namespace isolates::internal {

// Between construction and destruction the thread runs the isolate's code: in its heap, as itself.
class IsolateCore::CodeScope {
 public:
  explicit CodeScope(IsolateCore& core)
      : core_(core), heap_(core.heap_), outer_host_(std::exchange(current_host, &core)) {
    core_.in_turn_ = true;
    if (outer_host_ != &core_) NameThisThread(core_.name_);
  }
  ~CodeScope() {
    core_.in_turn_ = false;
    current_host = outer_host_;
  }
  CodeScope(const CodeScope&) = delete;
  CodeScope& operator=(const CodeScope&) = delete;

 private:
  IsolateCore& core_;
  HeapScope heap_;
  PortHost* outer_host_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_ISOLATE_CODE_SCOPE_H_
