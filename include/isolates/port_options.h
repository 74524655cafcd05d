// What a port does with its messages: how many it holds, in which order they come, and what happens
// when it is full or closes.

#ifndef ISOLATES_PORT_OPTIONS_H_
#define ISOLATES_PORT_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace isolates {

// What has become of a message that was sent.
enum class SendResult {
  kAccepted,  // the message will be received, or counted as a dead letter if the port closes first
  kFull,      // the port is full; the message stays with the sender, unchanged
  kDropped,   // the port is full and drops what is new: the message is destroyed, and counted
  kClosed,    // the port is closed; the message stays with the sender, unchanged
};

// The order in which a port's messages arrive.
enum class MessageOrder {
  // Messages of one sender come in the order in which they were sent; between senders no order is
  // promised. If A sends to C and then to B, and B thereupon sends to C, C may receive B's first.
  kPerSender,
  // The same, and besides: a message comes after all those whose Send happened before its own. All
  // senders share one list. What that costs: //benchmarks/programs:fan_in.
  kTotal,
};

// What a bounded port does with a message when it is full.
enum class FullPolicy {
  // Send says kFull. Senders may wait for room (Send with a timeout, SendWhenRoom); who waits first
  // is served first.
  kAwait,
  // kFull, also for those who would wait: nothing piles up before the port.
  kRefuse,
  // The message is destroyed; Send says kDropped.
  kDropNewest,
  // The oldest messages that are counted are destroyed until there is room. Needs
  // MessageOrder::kTotal: otherwise
  // none is the oldest.
  kDropOldest,
};

// What ReceivePort::Close does with messages that were accepted and not received yet.
enum class ClosePolicy {
  kDrop,   // destroys them and counts them as dead letters
  kDrain,  // they are received first; the port ends with the last of them
};

// Options of ReceivePort and RequestPort.
class PortOptions {
 public:
  // Shown in reports.
  PortOptions& DebugName(std::string_view name) {
    debug_name_ = name;
    return *this;
  }
  // Messages that the port holds at most, from 1 to kMostMessages (which is in force, too, if there
  // is only CapacityBytes). Without it and CapacityBytes, the port is not bounded. Messages that an
  // isolate sends to itself are not counted, since it would wait for itself; nor are notices of the
  // library (exit, errors, answers to Ping). What is not counted is not dropped for others either.
  PortOptions& Capacity(std::size_t messages) {
    capacity_ = messages;
    bounded_ = true;
    return *this;
  }
  // Bytes that they have at most in all, as MessageBytes tells, from 1 to kMostBytes. A message
  // that has more is accepted when the port is empty. Without it, bytes are not counted.
  PortOptions& CapacityBytes(std::size_t bytes) {
    capacity_bytes_ = bytes;
    counts_bytes_ = true;
    bounded_ = true;
    return *this;
  }
  // kAwait unless set. Only for ports that are bounded.
  PortOptions& OnFull(FullPolicy policy) {
    on_full_ = policy;
    return *this;
  }
  // kPerSender unless set.
  PortOptions& Order(MessageOrder order) {
    order_ = order;
    return *this;
  }
  // kDrop unless set.
  PortOptions& OnClose(ClosePolicy policy) {
    on_close_ = policy;
    return *this;
  }
  // Once the last SendPort is gone, wherever it was, the port drains and ends. A SendPort in the
  // port's own isolate counts, too.
  PortOptions& CloseWhenSendersGone(bool close = true) {
    close_when_senders_gone_ = close;
    return *this;
  }

  // The highest Capacity.
  static constexpr std::size_t kMostMessages = std::size_t{1} << 21;
  // The highest CapacityBytes.
  static constexpr std::size_t kMostBytes = std::size_t{1} << 34;

  const std::string& debug_name() const noexcept { return debug_name_; }
  bool bounded() const noexcept { return bounded_; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool counts_bytes() const noexcept { return counts_bytes_; }
  std::size_t capacity_bytes() const noexcept { return capacity_bytes_; }
  FullPolicy on_full() const noexcept { return on_full_; }
  MessageOrder order() const noexcept { return order_; }
  ClosePolicy on_close() const noexcept { return on_close_; }
  bool close_when_senders_gone() const noexcept { return close_when_senders_gone_; }

 private:
  std::string debug_name_;
  std::size_t capacity_ = kMostMessages;
  std::size_t capacity_bytes_ = kMostBytes;
  bool counts_bytes_ = false;
  bool bounded_ = false;
  FullPolicy on_full_ = FullPolicy::kAwait;
  MessageOrder order_ = MessageOrder::kPerSender;
  ClosePolicy on_close_ = ClosePolicy::kDrop;
  bool close_when_senders_gone_ = false;
};

// The bytes of a message, for CapacityBytes. Specialize it for types of your own that own more than
// themselves: static std::size_t Of(const T&).
template <class T>
struct MessageBytes {
  // What the message counts for.
  static std::size_t Of(const T&) noexcept { return sizeof(T); }
};
template <>
struct MessageBytes<std::string> {
  static std::size_t Of(const std::string& text) noexcept {
    return sizeof(std::string) + text.capacity();
  }
};
template <class T>
struct MessageBytes<std::vector<T>> {
  // Of the elements themselves; what they own is not looked at.
  static std::size_t Of(const std::vector<T>& elements) noexcept {
    return sizeof(elements) + elements.capacity() * sizeof(T);
  }
};

// What has become of a port's messages. `accepted` is reckoned:
//   accepted = received + dead_letters + dropped_oldest + queue_length.
// Read while others send or receive, those numbers are each right for some moment during the call,
// but not for the same one: a message that is on its way from one to another may be missing in
// `accepted`, or be in it twice. When nobody sends or receives it is exact.
struct PortCounters {
  std::uint64_t accepted = 0;        // see above
  std::uint64_t received = 0;        // taken out by the receiver
  std::uint64_t dead_letters = 0;    // accepted, and the port closed first
  std::uint64_t dropped_oldest = 0;  // accepted, and destroyed to make room
  std::uint64_t dropped_newest = 0;  // not accepted, and destroyed: the port was full
  std::uint64_t refused_full = 0;    // not accepted, and left with the sender
  std::uint64_t refused_closed = 0;  // the same, because the port had closed
  std::uint64_t queue_length = 0;    // accepted, and not received yet
};

}  // namespace isolates

#endif  // ISOLATES_PORT_OPTIONS_H_
