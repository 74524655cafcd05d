// Envelopes: messages on their way, and what becomes of their blocks afterwards.

#ifndef ISOLATES_DETAIL_PORT_ENVELOPE_H_
#define ISOLATES_DETAIL_PORT_ENVELOPE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <typeinfo>
#include <utility>

#include "isolates/detail/main_heap.h"
#include "isolates/detail/parcel_transit.h"

namespace isolates::internal {

class PortCore;

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
  std::uint32_t sender = 0;        // its sender's number, in the port
  const bool reusable;             // its block is small enough to be kept for another message
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

// Frees an envelope that was received: its block goes back to its port's senders.
class EnvelopeDeleter {
 public:
  EnvelopeDeleter() = default;
  explicit EnvelopeDeleter(PortCore& port) noexcept : port_(&port) {}
  void operator()(Envelope* envelope) const noexcept;  // on the thread of the port's isolate

 private:
  PortCore* port_ = nullptr;
};
// Lives no longer than its port.
using ReceivedEnvelope = std::unique_ptr<Envelope, EnvelopeDeleter>;

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PORT_ENVELOPE_H_
