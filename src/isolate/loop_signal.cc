#include "src/isolate/loop_signal.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "isolates/error.h"

namespace isolates::internal {
namespace {

void Raise(int fd) noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd, &one, sizeof(one));
}

}  // namespace

LoopSignal::~LoopSignal() {
  if (fd_ >= 0) close(fd_);
}

void LoopSignal::MarkReady() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(ready_, true) && fd_ >= 0) Raise(fd_);
  }
  became_ready_.notify_one();
}

void LoopSignal::CallBack() noexcept {
  const std::lock_guard lock(callback_mutex_);
  if (on_event_) on_event_();
}

void LoopSignal::Ready() noexcept {
  MarkReady();
  CallBack();
}

void LoopSignal::Restore() noexcept { MarkReady(); }

void LoopSignal::Clear() noexcept {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(ready_, false) || fd_ < 0) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = read(fd_, &count, sizeof(count));
}

void LoopSignal::Wait() {
  std::unique_lock lock(mutex_);
  became_ready_.wait(lock, [this] { return ready_; });
}

void LoopSignal::SetOnEvent(std::function<void()> on_event) {
  {
    const std::lock_guard lock(callback_mutex_);
    on_event_ = std::move(on_event);
  }
  bool ready = false;
  {
    const std::lock_guard lock(mutex_);
    ready = ready_;
  }
  if (ready) CallBack();
}

int LoopSignal::fd() {
  const std::lock_guard lock(mutex_);
  if (fd_ < 0) {
    fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd_ < 0) throw LimitError("no eventfd can be made (errno " + std::to_string(errno) + ")");
    if (ready_) Raise(fd_);
  }
  return fd_;
}

bool LoopSignal::TrySetRunner(std::thread::id runner) {
  const std::lock_guard lock(mutex_);
  if (runner_ != std::thread::id()) return false;
  runner_ = runner;
  return true;
}

void LoopSignal::ClearRunner() {
  const std::lock_guard lock(mutex_);
  runner_ = {};
}

std::thread::id LoopSignal::runner() {
  const std::lock_guard lock(mutex_);
  return runner_;
}

}  // namespace isolates::internal
