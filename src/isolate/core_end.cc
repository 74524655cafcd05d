// How an isolate ends, and who is told.

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "isolates/detail/probe.h"
#include "src/isolate/code_scope.h"
#include "src/isolate/core.h"
#include "src/isolate/scheduler.h"
#include "src/isolate/unhandled.h"

namespace isolates::internal {

bool IsolateCore::FinishedForGood() {
  if (ending_ || (computation_ != nullptr && computation_->complete())) return true;
  if (attached_ != nullptr || !started_ || !pauses_.empty() || keep_alive() > 0) return false;
  TakeInbox();
  return local_.empty();
}

void IsolateCore::EndCode() noexcept {
  tasks_.DestroyRoots();
  if (computation_ != nullptr) computation_->DropCallable();
  CloseAllPorts();
  StopAttending();
  TakeInbox();
  while (EventNode* node = local_.PopFront()) node->OnDiscard();
}

void IsolateCore::End() noexcept {
  {
    const CodeScope code(*this);
    BeginEnd(ExitReason::kFinished);
    unwound_ = true;
    EndCode();
    DestroyLocals();
    EndCode();  // what the destructors of the locals have started
    // Nothing of the isolate's code is left: now the last message.
    if (final_message_ != nullptr) {
      std::exception_ptr error;
      try {
        final_message_->Deliver();
      } catch (...) {
        error = std::current_exception();
      }
      if (error != nullptr) {
        HandleUncaught(error);
        exit_reason_ = ExitReason::kUncaughtError;
      }
    }
  }
  const MainHeapScope main_heap;
  PortHost* const outer = std::exchange(current_host, this);
  final_message_ = nullptr;
  EndChildren();
  bool heap_given_away = false;
  if (computation_ != nullptr) {
    error_told_ = computation_->takes_error() || error_told_;
    heap_given_away = computation_->Conclude(error_.get(), heap_);
  }
  if (dedicated_) scheduler_.EndDedication();
  TellMonitors();
  if (error_ && !error_told_ && attached_ == nullptr) ReportUnhandledError(*error_);
  for (const auto& listener : exit_listeners_) listener.Send();  // all has been said by then
  EndChildren();  // of copies that start isolates, if any
  // What could refer to other isolates, and they to this one.
  exit_listeners_.clear();
  error_listeners_.clear();
  before_next_event_.clear();
  computation_ = nullptr;
  DropProducers();
  current_host = outer;
  meter().End(id(), static_cast<std::uint64_t>(exit_reason_));
  ISOLATES_PROBE2(isolate_exit, id(), static_cast<int>(exit_reason_));
  if (!heap_given_away) ReleaseHeap();
  heap_ = nullptr;
  state_.Die();
  DiscardEvents();
  scheduler_.IsolateEnded(*this);
}

// --- the end, for others
// ------------------------------------------------------------------------

ExitInfo IsolateCore::exit_info() const noexcept {
  ExitInfo info;
  info.reason = has_ended_ ? exit_reason_ : ExitReason::kShutdown;
  info.isolate_id = id();
  if (info.reason == ExitReason::kUncaughtError && error_) info.error = CopyError(*error_);
  try {
    info.message = has_ended_ ? EndMessage() : "the runtime has stopped";
    info.isolate_name = name_;
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the number names it as well
  }
  return info;
}

std::string_view IsolateCore::EndMessage() const noexcept {
  const StopRequest* const request = stop_.request();
  return request != nullptr && request->cause == exit_reason_ ? request->reason
                                                              : std::string_view();
}

std::string IsolateCore::DescribeEnd() const {
  std::string text(ExitReasonName(exit_reason_));
  if (!EndMessage().empty()) text.append(": ").append(EndMessage());
  return text;
}

void IsolateCore::TellMonitors() noexcept {
  has_ended_ = true;
  const ExitInfo info = exit_info();
  while (monitors_ != nullptr) {
    std::unique_ptr<ExitMonitor> monitor = std::move(monitors_);
    monitors_ = std::move(monitor->next);
    ExitMonitor& told = *monitor;
    if (told.Tell(std::move(monitor), info)) error_told_ = true;
  }
}

void IsolateCore::AddMonitor(std::unique_ptr<ExitMonitor> monitor) noexcept {
  if (monitor->port_id() != 0) RemoveMonitor(monitor->port_id());
  std::unique_ptr<ExitMonitor>* last = &monitors_;
  while (*last != nullptr) last = &(*last)->next;
  *last = std::move(monitor);
}

void IsolateCore::RemoveMonitor(std::uint64_t port_id) noexcept {
  for (std::unique_ptr<ExitMonitor>* at = &monitors_; *at != nullptr;) {
    if ((*at)->port_id() == port_id) {
      *at = std::move((*at)->next);
    } else {
      at = &(*at)->next;
    }
  }
}

void IsolateCore::MakeRoomForChild() {
  if (children_.size() >= prune_children_at_) {
    std::erase_if(children_, [](const auto& other) { return other->dead(); });
    prune_children_at_ = std::max<std::size_t>(8, children_.size() * 2);
  }
  if (children_.size() == children_.capacity()) children_.reserve(prune_children_at_);
}

void IsolateCore::AddChild(IsolateCore& child) noexcept { children_.emplace_back(&child); }

void IsolateCore::EndChildren() noexcept {
  while (!children_.empty()) {
    const Ref<IsolateCore> child = std::move(children_.back());
    children_.pop_back();
    if (!child->dead()) child->RequestKill(ExitReason::kParentEnded, "the parent has ended");
  }
}

void IsolateCore::ReleaseHeap() noexcept {
  if (heap_ == nullptr) return;
  if (heap_->is_parcel()) {
    RetireHeap(heap_);
  } else {
    home_->ReleasePooled(heap_);
  }
}

}  // namespace isolates::internal
