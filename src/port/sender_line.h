// SenderLine: the messages of one sender that have waited for room in one port, in the order in
// which they came. Room may be granted, and grants be told, while earlier ones of the same sender
// are not sent yet: the line is what keeps its messages in order. One leaves when it is sent or
// given up; the next is called then. Sender's thread.

#ifndef ISOLATES_SRC_PORT_SENDER_LINE_H_
#define ISOLATES_SRC_PORT_SENDER_LINE_H_

#include "src/port/port_bounds.h"

namespace isolates::internal {

class SenderLine {
 public:
  bool empty() const noexcept { return last_ == nullptr; }

  void Join(RoomWaiter& waiter) noexcept {
    waiter.before = last_;
    if (last_ != nullptr) last_->behind = &waiter;
    last_ = &waiter;
  }

  void Leave(RoomWaiter& waiter) noexcept {
    RoomWaiter* const behind = waiter.behind;
    (behind == nullptr ? last_ : behind->before) = waiter.before;
    if (waiter.before != nullptr) {
      waiter.before->behind = behind;
    } else if (behind != nullptr) {
      behind->Advance();
    }
    waiter.before = waiter.behind = nullptr;
  }

 private:
  RoomWaiter* last_ = nullptr;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_PORT_SENDER_LINE_H_
