// SendPort: the sending end of a port. See port.h.

#ifndef ISOLATES_SEND_PORT_H_
#define ISOLATES_SEND_PORT_H_

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "isolates/clock.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/parcel_destination.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/port_envelope.h"
#include "isolates/detail/port_sender.h"
#include "isolates/detail/probe.h"
#include "isolates/detail/transfer_leaving.h"
#include "isolates/detail/transfer_moves.h"
#include "isolates/port_options.h"
#include "isolates/receipt.h"
#include "isolates/transfer.h"

namespace isolates {

// What SendWithReceipt returns.
struct SentMessage {
  SendResult result = SendResult::kClosed;  // as of Send
  Receipt receipt;                          // what went along
};

template <class T>
class ReceivePort;
template <class T>
class SendPort;

namespace internal {

// For what is built of ports: the port behind a handle, and a handle of it.
struct PortAccess {
  template <class T>
  static SendPort<T> MakeSendPort(Ref<PortCore> core) {
    return SendPort<T>(std::move(core));
  }
  template <class T>
  static const Ref<PortCore>& CoreOf(const SendPort<T>& port) noexcept {
    return port.sender_.port();
  }
  template <class T>
  static const Ref<PortCore>& CoreOf(const ReceivePort<T>& port) noexcept {
    return port.core_;
  }
  // A notice of the library: no bound touches it.
  template <class T>
  static SendResult SendNotice(const SendPort<T>& port, T message) {
    return port.SendNotice(message);
  }
};

template <class T>
class SendWhenRoomAwaitable;

}  // namespace internal

// One thread at a time may use one SendPort object (two at once may be found, and end the process);
// copies are independent. Works in isolates and on plain threads.
//
// Waiting for room keeps the order, too: while messages of an isolate wait for room in a port, or
// have been granted it and are not sent yet, its later messages to that port come behind them. Send
// says kFull then, and those who wait are served in the order in which they came.
template <class T>
class SendPort {
 public:
  using Message = T;

  // Connected to nothing: Send throws StateError until a connected port is assigned.
  SendPort() = default;

  // Moves the message to the receiver. Only the object itself is moved; what it points to stays
  // where it is, so the cost does not depend on its size. Never blocks. Throws TransferError (the
  // message may not be sent; it is unchanged, except for what was moved of a type whose move copies
  // some of its members), StateError (no port). What is refused after it was moved is moved back: a
  // move that throws then ends the process.
  SendResult Send(T&& message, VerifyLevel level = VerifyLevel::kDefault) const {
    Check(message, level);
    if constexpr (kMayGoByLane) {
      if (auto* const lane = sender_.LaneOfThisIsolate()) {
        return DeliverByLane(*lane, message, level);
      }
    }
    internal::Departure departure = Depart(message);
    const SendResult room = departure.TakeRoom();
    return room == SendResult::kAccepted ? Deliver(departure, message, level)
                                         : Refused(departure, room, message);
  }

  // The same, and waits for room in a full port whose policy is to let senders wait, in the order
  // in which they come. Blocks the calling thread (a plain thread becomes an isolate); kFull when
  // the time is over (kForever: never). Not for coroutines: they would block their whole isolate.
  // While it waits, a thread that is an isolate (no event of it is being handled) handles other
  // events of that isolate. Where an event waits, no other is handled: kFull at once if messages of
  // the isolate are in line already, which could not be sent meanwhile. Besides what Send throws:
  // if the isolate is killed while it waits, which unwinds its code; the message stays.
  SendResult Send(T&& message, Duration timeout, VerifyLevel level = VerifyLevel::kDefault) const {
    Check(message, level);
    if constexpr (kMayGoByLane) {  // then the port has no bounds
      if (auto* const lane = sender_.LaneOfThisIsolate()) {
        return DeliverByLane(*lane, message, level);
      }
    }
    internal::Departure departure = Depart(message);
    SendResult room = departure.TakeRoom();
    if (room == SendResult::kFull && departure.MayWait()) {
      room = departure.WaitForRoom(DeadlineAfter(timeout));
      // Other code has run, which may have changed what the message leads to.
      if (room == SendResult::kAccepted) Check(message, level);
    }
    return room == SendResult::kAccepted ? Deliver(departure, message, level)
                                         : Refused(departure, room, message);
  }

  // co_await port.SendWhenRoom(std::move(message)): the same for coroutines, without end. Gives the
  // SendResult. What is refused stays in `message`; so it is awaited in the same expression. Throws
  // what Send does, also after the wait, and if the isolate is killed.
  [[nodiscard]] internal::SendWhenRoomAwaitable<T> SendWhenRoom(
      T&& message, VerifyLevel level = VerifyLevel::kDefault) const {
    return internal::SendWhenRoomAwaitable<T>(*this, message, level);
  }

  // Send, and tells what went along and how that was proven. For an ordinary message this costs
  // a walk over all that it owns, which Send can often spare; a parcel brings its receipt.
  SentMessage SendWithReceipt(T&& message, VerifyLevel level = VerifyLevel::kDefault) const {
    const Receipt receipt = internal::VerifyWithReceipt(message, "message", level);
    internal::MarkLeaving(message);
    internal::Departure departure = Depart(message);
    const SendResult room = departure.TakeRoom();
    return {room == SendResult::kAccepted ? Deliver(departure, message, level)
                                          : Refused(departure, room, message),
            receipt};
  }

  // Sends a copy, which is made if there is room. The copy is what is verified: what it shares with
  // the original would stay behind.
  SendResult Send(const T& message, VerifyLevel level = VerifyLevel::kDefault) const
    requires std::copy_constructible<T>
  {
    if constexpr (kMayGoByLane) {
      auto* const lane = sender_.LaneOfThisIsolate();
      if (lane != nullptr && !closed()) {
        T copy(message);
        Check(copy, level);
        return DeliverByLane(*lane, copy, level);
      }
    }
    internal::Departure departure = Depart(message);
    const SendResult room = departure.TakeRoom();
    if (room == SendResult::kDropped) departure.CountDroppedNewest(typeid(T));
    if (room == SendResult::kFull) departure.CountFull();
    if (room != SendResult::kAccepted) return room;
    T copy(message);
    Check(copy, level);
    return Deliver(departure, copy, level);
  }

  // True if Send would say kClosed. A port that is open may close at any moment.
  bool closed() const {
    const bool closed = sender_.RequirePort().closed();
    if (closed) {
      if (auto* const lane = sender_.LaneOfThisIsolate()) lane->lane.SetClosed();
    }
    return closed;
  }

  // What has become of the port's messages. Throws StateError without a port.
  PortCounters counters() const { return sender_.RequirePort().counters(); }

  // Same port? Kept when the SendPort is sent.
  friend bool operator==(const SendPort& a, const SendPort& b) noexcept {
    return a.sender_.port() == b.sender_.port();
  }
  // A number that is the same for all SendPorts of a port, and never used again; 0 without a port.
  std::uint64_t id() const noexcept { return sender_.port() ? sender_.port()->id() : 0; }

 private:
  friend class ReceivePort<T>;
  friend struct internal::PortAccess;
  friend class internal::SendWhenRoomAwaitable<T>;
  template <class>
  friend class RawReceivePort;

  explicit SendPort(internal::Ref<internal::PortCore> core) : sender_(std::move(core)) {}

  static constexpr bool kMayGoByLane = internal::LaneShapeOf<T>().stride != 0;

  static void Check(const T& message, VerifyLevel level) {
    internal::RequireTransferable<T>();
    internal::VerifyForSend(message, "message", level);
    internal::MarkLeaving(message);
  }
  std::size_t BytesOf(const T& message) const {
    return sender_.RequirePort().counts_bytes() ? MessageBytes<T>::Of(message) : 0;
  }
  internal::Departure Depart(const T& message) const {
    return internal::Departure(sender_, BytesOf(message));
  }
  SendResult SendNotice(T& message) const {
    Check(message, VerifyLevel::kDefault);
    internal::Departure departure(sender_, 0);
    const SendResult room = departure.TakeNoRoom();
    return room == SendResult::kAccepted ? Deliver(departure, message, VerifyLevel::kDefault)
                                         : room;
  }
  // `room`: why there is none.
  static SendResult Refused(const internal::Departure& departure, SendResult room, T& message) {
    if (room == SendResult::kFull) departure.CountFull();
    if (room == SendResult::kDropped) {
      departure.CountDroppedNewest(typeid(T));
      [[maybe_unused]] const T dropped(std::move(message));
    }
    return room;
  }
  SendResult Deliver(internal::Departure& departure, T& message, VerifyLevel level) const {
    if constexpr (kMayGoByLane) {
      if (auto* const lane = departure.lane()) return DeliverByLane(*lane, message, level);
    }
    using Envelope = internal::TypedEnvelope<T>;
    const internal::HandOverTo to("port", sender_.port()->debug_name(), id());
    void* const block = departure.Block(sizeof(Envelope), alignof(Envelope));
    auto* const envelope = ::new (block) Envelope(std::move(message));
    try {
      internal::VerifyMoved(envelope->message.peek(), "message", level);
    } catch (...) {
      // What its move has copied has come to lie elsewhere: another move would not mend that.
      departure.Discard(envelope);
      throw;
    }
    // This object may be part of the message, and have moved with it.
    if constexpr (kMayGoByLane) {
      // What the message's move has sent may have opened one: nothing overtakes that.
      if (auto* const lane = departure.lane()) [[unlikely]] {
        envelope->GiveBack(message);
        departure.Discard(envelope);
        return DeliverByLane(*lane, message, level);
      }
    }
    try {
      if (departure.Send(envelope)) return SendResult::kAccepted;
    } catch (...) {
      envelope->GiveBack(message);
      departure.Discard(envelope);
      throw;
    }
    envelope->GiveBack(message);
    departure.Discard(envelope);
    return SendResult::kClosed;
  }

  // The same in a lane, which has room and which the port shares with this isolate alone. (g++
  // takes a probe for as many instructions as its text has lines, and would not expand this by
  // itself.)
  [[gnu::always_inline]] inline SendResult DeliverByLane(internal::SenderLane& lane, T& message,
                                                         VerifyLevel level) const {
    const internal::PortCore& port = *sender_.port();
    const internal::HandOverTo to("port", port.debug_name(), port.id());
    if (internal::current_host->meter().CountSend()) [[unlikely]] {
      return DeliverTraced(lane, message, level);
    }
    return DeliverAt(lane, lane.lane.Claim(), message, level);
  }
  // (Apart, so that the short way has no more than the decrement for it.)
  [[gnu::noinline]] SendResult DeliverTraced(internal::SenderLane& lane, T& message,
                                             VerifyLevel level) const {
    internal::current_host->meter().WriteSent();
    const internal::LanePlace place = lane.lane.Claim();
    const internal::TracedSend sending(internal::CurrentHostId(),
                                       lane.meter.MessageId(place.number), id());
    return DeliverAt(lane, place, message, level);
  }
  [[gnu::always_inline]] inline SendResult DeliverAt(internal::SenderLane& lane,
                                                     internal::LanePlace place, T& message,
                                                     VerifyLevel level) const {
    using InTransit = internal::InTransit<T>;
    internal::PortCore& port = *sender_.port();
    auto* const sent = ::new (place.message) InTransit(std::move(message));
    try {
      internal::VerifyMoved(sent->peek(), "message", level);
    } catch (...) {
      std::destroy_at(sent);
      internal::Departure::Skip(port, lane, place);
      internal::current_host->meter().UncountSend();
      throw;
    }
    ISOLATES_PROBE1(send, port.id());
    if (lane.lane.Publish(place)) [[likely]]
      return SendResult::kAccepted;
    // This object may be part of the message, and have moved with it.
    if (internal::Departure::Announce(port, lane, place)) return SendResult::kAccepted;
    internal::current_host->meter().UncountSend();
    // While user code runs that moves the message back.
    const internal::Ref<internal::SenderLane> keep(&lane);
    std::destroy_at(&message);
    std::construct_at(&message, std::move(sent->Arrive()));
    std::destroy_at(sent);
    return SendResult::kClosed;
  }

  internal::SenderHandle sender_;
};

namespace internal {

template <class T>
class SendWhenRoomAwaitable {
 public:
  SendWhenRoomAwaitable(const SendWhenRoomAwaitable&) = delete;
  SendWhenRoomAwaitable& operator=(const SendWhenRoomAwaitable&) = delete;

  class Awaiter {
   public:
    Awaiter(const SendPort<T>& port, T& message, VerifyLevel level)
        : port_(port),
          message_(message),
          level_(level),
          departure_(std::in_place, port.sender_, port.BytesOf(message)) {}

    bool await_ready() {
      if (current_host != nullptr) current_host->CheckStop();
      SendPort<T>::Check(message_, level_);
      room_ = departure_->TakeRoom();
      return room_ != SendResult::kFull || !departure_->MayWait();
    }
    bool await_suspend(std::coroutine_handle<> waiter) {
      waited_ = true;
      return departure_->Suspend(waiter);
    }
    SendResult await_resume() {
      // Not only at the end of the expression: the next message may stand in it.
      struct End {
        std::optional<Departure>& departure;
        ~End() { departure.reset(); }
      } end{departure_};
      if (waited_) {
        current_host->CheckStop();
        room_ = departure_->Resume();
        if (room_ == SendResult::kAccepted) SendPort<T>::Check(message_, level_);
      }
      return room_ == SendResult::kAccepted ? port_.Deliver(*departure_, message_, level_)
                                            : SendPort<T>::Refused(*departure_, room_, message_);
    }

   private:
    const SendPort<T>& port_;
    T& message_;
    const VerifyLevel level_;
    std::optional<Departure> departure_;
    SendResult room_ = SendResult::kFull;
    bool waited_ = false;
  };

  // Only of a temporary: port and message live as long as the expression.
  Awaiter operator co_await() && { return Awaiter(port_, message_, level_); }

 private:
  friend class SendPort<T>;
  SendWhenRoomAwaitable(const SendPort<T>& port, T& message, VerifyLevel level) noexcept
      : port_(port), message_(message), level_(level) {}

  const SendPort<T>& port_;
  T& message_;
  const VerifyLevel level_;
};

}  // namespace internal

// A SendPort may be part of any message. It holds no block of any isolate's heap, but its
// destructor does more than free memory.
template <class T>
struct TransferTraits<SendPort<T>> : internal::HandleTraits {};

}  // namespace isolates

template <class T>
struct std::hash<isolates::SendPort<T>> {
  std::size_t operator()(const isolates::SendPort<T>& port) const noexcept {
    return std::hash<std::uint64_t>()(port.id());
  }
};

#endif  // ISOLATES_SEND_PORT_H_
