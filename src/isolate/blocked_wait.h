// Who sleeps in the library and for what: for reports, and to find that nothing can happen any
// more.

#ifndef ISOLATES_SRC_ISOLATE_BLOCKED_WAIT_H_
#define ISOLATES_SRC_ISOLATE_BLOCKED_WAIT_H_

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "isolates/clock.h"
#include "isolates/detail/coroutine_frames.h"
#include "isolates/detail/port_host.h"

namespace isolates::internal {

class IsolateCore;
class Scheduler;

// A wait of the calling thread. It stands in the list of waits between Begin and End.
class BlockedWait : private RingNode {
 public:
  // `isolate`: whose code waits; nullptr: a thread that is none. `ready(argument)` may then be
  // called by any thread while the wait stands in the list.
  BlockedWait(Scheduler& scheduler, const IsolateCore* isolate, const WaitSubject& subject,
              TimePoint deadline, bool (*ready)(const void*) = nullptr,
              const void* argument = nullptr) noexcept;
  // The thread that `isolate` is waits for its events, as other isolates do when they are idle.
  BlockedWait(Scheduler& scheduler, const IsolateCore& isolate) noexcept;
  BlockedWait(const BlockedWait&) = delete;
  BlockedWait& operator=(const BlockedWait&) = delete;
  ~BlockedWait() { End(); }

  // The thread is about to sleep.
  void Begin() noexcept;
  void End() noexcept;

  enum class Kind { kForEver, kDeadline, kEvents };
  struct Info {
    std::uint64_t isolate;  // 0: a thread that is none
    std::thread::id thread;
    Kind kind;
    bool over;  // what it waits for is there
    std::string subject;
  };
  struct Snapshot {
    std::vector<Info> waits;
    std::uint64_t changes;  // rises with every Begin and End
  };
  // Any thread: the waits of isolates and threads of this scheduler.
  static Snapshot All(const Scheduler& scheduler);
  // Any thread: whether somebody waits without a deadline. A hint.
  static bool AnyForEver() noexcept;

 private:
  Scheduler& scheduler_;
  const IsolateCore* const isolate_;
  const WaitSubject subject_;
  const Kind kind_;
  bool (*const ready_)(const void*);
  const void* const argument_;
  const std::thread::id thread_ = std::this_thread::get_id();
  bool listed_ = false;  // the waiting thread's
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_ISOLATE_BLOCKED_WAIT_H_
