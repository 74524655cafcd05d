// Envelopes: messages on their way, and what becomes of their blocks afterwards.

#ifndef ISOLATES_DETAIL_PORT_ENVELOPE_H_
#define ISOLATES_DETAIL_PORT_ENVELOPE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "isolates/detail/instruments_trace.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/parcel_transit.h"
#include "isolates/detail/port_lane.h"
#include "isolates/detail/ref.h"

namespace isolates::internal {

class PortCore;

// What a port knows of the type of its messages.
struct MessageType {
  LaneShape lane;
  void (*destroy)(void* in_transit) noexcept;
  const std::type_info* info;
};

// One sender's lane of a port: the sender has it, and the port.
struct SenderLane final : RefCounted, MainHeapObject {
  explicit SenderLane(const LaneShape& shape) : lane(shape) {}
  Lane<StdAtomics> lane;
  [[no_unique_address]] LaneMeter meter;
};
using LanePlace = Lane<StdAtomics>::Place;

// Envelopes live in the main heap; what the message points to stays where it is.
class Envelope : public MainHeapObject {
 public:
  explicit Envelope(bool small) noexcept : reusable(small) {}
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;
  virtual ~Envelope() = default;
  virtual const std::type_info& MessageType() const noexcept = 0;

  Envelope* next_event = nullptr;  // of whatever list it stands in
  std::uint64_t room = 0;          // what it takes of a bounded port, as Credit counts it
  SenderLane* opens =
      nullptr;               // all that its sender sends after it comes by this lane; a reference
  std::uint32_t sender = 0;  // its sender's number, in the port
  const bool reusable;       // its block is small enough to be kept for another message
  bool wants_lane = false;   // its sender found that the port has no room for another lane
};

template <class T>
class TypedEnvelope final : public Envelope {
 public:
  template <class U>
  explicit TypedEnvelope(U&& from)
      : Envelope(sizeof(TypedEnvelope) <= kMostReused), message(std::forward<U>(from)) {}
  const std::type_info& MessageType() const noexcept override { return typeid(T); }

  // A send that was refused after all: the message is the sender's again, in its old place. A move
  // that throws here ends the process: there would be no message in that place.
  void GiveBack(T& to) noexcept {
    std::destroy_at(&to);
    std::construct_at(&to, std::move(message.Arrive()));
  }

  InTransit<T> message;

 private:
  static constexpr std::size_t kMostReused = 512;
};

// A slot holds the message itself: where moving may throw, it would be lost half way.
template <class T>
constexpr LaneShape LaneShapeOf() {
  return std::is_nothrow_move_constructible_v<T>
             ? LaneShape::Of(sizeof(InTransit<T>), alignof(InTransit<T>))
             : LaneShape{};
}

template <class T>
inline constexpr MessageType kMessageType = {
    LaneShapeOf<T>(),
    [](void* in_transit) noexcept { std::destroy_at(static_cast<InTransit<T>*>(in_transit)); },
    &typeid(T)};

// A message that was received, in its envelope or in a slot of a lane, until the receiver has moved
// it out; or none. Lives no longer than its port. On the thread of the port's isolate.
class ReceivedMessage {
 public:
  ReceivedMessage() = default;
  ReceivedMessage(PortCore& port, Envelope& envelope) noexcept
      : port_(&port), envelope_(&envelope) {}
  ReceivedMessage(PortCore& port, SenderLane& lane, void* message) noexcept
      : port_(&port), lane_(&lane), message_(message) {}
  ReceivedMessage(ReceivedMessage&& other) noexcept
      : port_(std::exchange(other.port_, nullptr)),
        envelope_(other.envelope_),
        lane_(other.lane_),
        message_(other.message_) {}
  ReceivedMessage& operator=(ReceivedMessage&&) = delete;
  // The place of the message is free for another.
  ~ReceivedMessage();

  explicit operator bool() const noexcept { return port_ != nullptr; }

  // The message, for the receiver. Once; if its move throws, it is gone.
  template <class T>
  T Take() && {
    if (message_ == nullptr) {
      const ReceivedMessage held(std::move(*this));  // its place is free when this returns
      return std::move(static_cast<TypedEnvelope<T>&>(*held.envelope_).message.Arrive());
    }
    struct Slot {
      SenderLane& lane;
      InTransit<T>& message;
      ~Slot() {
        std::destroy_at(&message);
        lane.lane.Taken();
      }
    } const slot{*lane_, *static_cast<InTransit<T>*>(message_)};
    port_ = nullptr;
    return std::move(slot.message.Arrive());
  }

 private:
  PortCore* port_ = nullptr;
  Envelope* envelope_ = nullptr;
  SenderLane* lane_ = nullptr;  // the port's
  void* message_ = nullptr;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PORT_ENVELOPE_H_
