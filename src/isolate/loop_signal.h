// LoopSignal: tells a foreign event loop that its isolate has something to do.

#ifndef ISOLATES_SRC_ISOLATE_LOOP_SIGNAL_H_
#define ISOLATES_SRC_ISOLATE_LOOP_SIGNAL_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "isolates/detail/main_heap.h"

namespace isolates::internal {

class LoopSignal : public MainHeapObject {
 public:
  LoopSignal() = default;
  LoopSignal(const LoopSignal&) = delete;
  LoopSignal& operator=(const LoopSignal&) = delete;
  ~LoopSignal();

  // --- any thread
  // The isolate was idle and is not any more.
  void Ready() noexcept;
  // Afterwards no call of the former function is running.
  void SetOnEvent(std::function<void()> on_event);
  int fd();

  // --- whoever has the isolate
  // Before it goes idle; if that fails, Restore takes it back.
  void Clear() noexcept;
  void Restore() noexcept;
  // Sleeps until Ready was called since the last Clear.
  void Wait();

  // One thread at a time runs the isolate (loops made by EventLoop::Create).
  std::mutex running;
  // The thread that is in EventLoop::Run. TrySetRunner fails if there is one.
  bool TrySetRunner(std::thread::id runner);
  void ClearRunner();
  std::thread::id runner();

 private:
  void MarkReady() noexcept;
  void CallBack() noexcept;

  std::mutex callback_mutex_;  // held while on_event_ runs; guards it
  std::function<void()> on_event_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable became_ready_;
  std::thread::id runner_;
  int fd_ = -1;
  bool ready_ = false;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_ISOLATE_LOOP_SIGNAL_H_
