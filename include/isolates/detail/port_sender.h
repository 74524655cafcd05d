// The sending side of a port: what a SendPort holds, and one message on its way out.

#ifndef ISOLATES_DETAIL_PORT_SENDER_H_
#define ISOLATES_DETAIL_PORT_SENDER_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <typeinfo>
#include <utility>

#include "isolates/clock.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/ref.h"
#include "isolates/port_options.h"

namespace isolates::internal {

class Producer;
class RoomWaiter;

// The sending side that one SendPort object holds. Copies share the port, not the sender.
// A plain thread has no isolate whose table could hold its sender, so there each object has its
// own.
class SenderHandle {
 public:
  SenderHandle() = default;
  explicit SenderHandle(Ref<PortCore> port) noexcept : port_(std::move(port)) { AddSender(); }
  SenderHandle(const SenderHandle& other) noexcept : port_(other.port_) { AddSender(); }
  SenderHandle(SenderHandle&& other) noexcept;
  SenderHandle& operator=(SenderHandle other) noexcept;
  ~SenderHandle();

  const Ref<PortCore>& port() const noexcept { return port_; }
  // Throws StateError if there is no port.
  PortCore& RequirePort() const;
  // If the calling isolate has a lane to the port, and this object knows it, and nobody that it is
  // closed: all goes there.
  SenderLane* LaneOfThisIsolate() const noexcept {
    const bool has_lane =
        lane_ != nullptr && current_host != nullptr && current_host->id() == host_;
    return has_lane && !lane_->lane.closed() ? lane_ : nullptr;
  }

 private:
  friend class Departure;
  void AddSender() noexcept {
    if (port_) port_->AddSender();
  }
  Producer& ProducerOfThisThread() const;

  Ref<PortCore> port_;
  // The sender that was used last, with a reference to it, and the isolate that it belongs to (0:
  // it is this object's own, for plain threads). Used by one thread at a time.
  mutable std::uint64_t host_ = 0;
  mutable Producer* producer_ = nullptr;
  mutable SenderLane* lane_ = nullptr;  // the producer's, if it had one when it was last looked at
};

// One message on its way out: takes room in the port, waits for it if need be, gets a block for the
// envelope, and sends it. What was taken and not used is given back by the destructor. On the
// sender's thread. The SendPort is looked at until there is room, or the wait for it begins; from
// then on it may go, and even be part of the message.
class Departure {
 public:
  // `bytes`: of the message, as MessageBytes tells. Throws StateError if there is no port.
  Departure(const SenderHandle& sender, std::size_t bytes);
  Departure(const Departure&) = delete;
  Departure& operator=(const Departure&) = delete;
  ~Departure();

  // kAccepted: there is room, and it is taken.
  SendResult TakeRoom();
  // kAccepted: the port is open. For what is not counted.
  SendResult TakeNoRoom();
  // Whether waiting makes sense after TakeRoom said kFull.
  bool MayWait() const noexcept;
  // Blocks the calling thread; kFull at the deadline, or at once where the wait would have no end.
  SendResult WaitForRoom(TimePoint deadline);
  // For a coroutine, which is resumed later. False: there is no need to wait.
  bool Suspend(std::coroutine_handle<> waiter);
  // After Suspend.
  SendResult Resume();

  // With room: memory for the envelope. Throws std::bad_alloc. Ends the process if two threads use
  // one SendPort.
  void* Block(std::size_t size, std::size_t align);
  // The envelope in that block. True: the port has it. False: it is closed; the envelope stays with
  // the caller. Throws std::bad_alloc (the envelope stays, too).
  bool Send(Envelope* envelope);
  // After room was taken: the lane that the message must go by instead, or nullptr.
  SenderLane* lane() const noexcept;
  // A message was published in a lane that its owner does not look at. False: the port is closed;
  // the message is the sender's again.
  static bool Announce(PortCore& port, SenderLane& lane, const LanePlace& place);
  // No message came to be in that place.
  static void Skip(PortCore& port, SenderLane& lane, const LanePlace& place) noexcept;
  // The envelope that was refused is destroyed.
  void Discard(Envelope* envelope) noexcept;
  // A message that the port drops because it is full.
  void CountDroppedNewest(const std::type_info& type) const noexcept;
  // A message that goes back to its sender because the port is full.
  void CountFull() const noexcept;

 private:
  bool Unbounded() const noexcept;
  SendResult Refuse(SendResult result) const noexcept;
  void GiveRoom() noexcept;
  SendResult StartToWait(PortHost& host, std::coroutine_handle<> coroutine);
  void StopWaiting() noexcept;
  void LeaveLine() noexcept;
  SendResult Verdict() noexcept;
  void UseProducerOfThisThread();
  void SetBusy(bool busy);
  void DropOldest() noexcept;
  bool MayOpenLane() const noexcept;
  void OpenLane(Envelope& opener) noexcept;
  void CancelLane(Envelope& opener) noexcept;

  const SenderHandle& sender_;
  PortCore* const port_;  // alive because of the sender, then because of its producer
  const std::uint64_t bytes_;
  Ref<Producer> producer_;
  std::uint64_t room_ = 0;  // taken, as Credit counts it
  Ref<RoomWaiter> waiter_;  // in the line of its producer
  bool waits_ = false;      // it may be granted room that is not in room_ yet
  void* block_ = nullptr;   // taken, and no envelope is in it
  bool busy_ = false;       // this send has marked the SendPort of a plain thread
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PORT_SENDER_H_
