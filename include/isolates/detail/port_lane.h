// Lane: the messages of one hot sender to one port, by value, in the order in which they were sent.
// A message and the word that says it is there lie in one slot, those up to 56 bytes in one cache
// line; the slots lie in segments, of which there are as many as the owner is behind. Sending is a
// store and a load, receiving a load: no read-modify-write and no system call while the owner
// looks.
//
// Protocol
//   operation       who may call              progress
//   Claim           the sender                wait-free; allocates when a segment is full
//   Publish, Skip   the sender that claimed   wait-free
//   Retract         the same, of Publish      wait-free (one compare-exchange)
//   Front, Take,    the owner                 wait-free but for what was skipped
//   Taken           the owner                 wait-free
//   Attend, Ignore  the owner                 wait-free
//   BeginClosing,   the owner, once each      wait-free
//   FinishClosing   the owner                 wait-free
//   Leave           the sender, last          wait-free
//
// Rules
//   L1. A slot's word changes from anything to "published in this generation of its segment" once,
//       after the message was built. The owner takes slots in their order and passes skipped ones.
//   L2. While attended, the owner promises to look at the lane before it sleeps. Publish looks at
//       the flag after it has stored the word. If it finds the lane ignored, the sender tells the
//       owner as other senders do (Mailbox::AnnounceMessage). The owner ignores a lane, executes
//       the heavy barrier, and looks once more. So one of the two sees the other: with the light
//       barrier between the sender's store and its load, a store-buffer outcome, in which both miss
//       each other, is impossible.
//   L3. To close, the owner says how many slots it has passed, then closes the port, ignores the
//       lane and executes the heavy barrier. What the sender has been told is accepted is visible
//       then, within the slots that are claimed by then. Of these the owner takes by
//       compare-exchange what is published, and passes the others. A sender that finds the port
//       closed after it has published takes its message back in the same way, unless it was taken
//       before, and sends no more. So exactly one of the two has it, what is sent after the closing
//       is refused, and a lane that is found empty after the barrier stays empty.
//   L4. A segment that the owner has left goes back to the sender, which changes its generation, or
//       to the heap. The owner leaves it when no message of it is in its hands.
//   L5. The sender uses the lane from its first message there to its end: nothing of it overtakes.
//
// The barrier pair is Dekker's algorithm with the cost on the side that is rare: membarrier(2) of
// Linux makes the light one a matter of the compiler (Atomics::LightBarrier, HeavyBarrier; the
// source is membarrier's manual page and P1202, "Asymmetric fences"). Where there is no membarrier
// there are no lanes.

#ifndef ISOLATES_DETAIL_PORT_LANE_H_
#define ISOLATES_DETAIL_PORT_LANE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "isolates/detail/atomics.h"
#include "isolates/detail/cpu.h"
#include "isolates/detail/main_heap.h"

namespace isolates::internal {

// How messages of one type lie in slots.
struct LaneShape {
  // Messages larger than this go by envelope.
  static constexpr std::size_t kMostBytes = 120;

  std::size_t offset = 0;  // of the message in its slot, in bytes
  std::size_t stride = 0;  // from slot to slot; 0: such messages do not go by lane

  static constexpr LaneShape Of(std::size_t size, std::size_t align) {
    if (size > kMostBytes || align > 16) return {};
    const std::size_t offset = align > sizeof(std::uint64_t) ? align : sizeof(std::uint64_t);
    const std::size_t bytes = offset + size;
    // A cache line each, so that the two sides meet in one line at a time; larger ones follow each
    // other closely.
    if (bytes <= 64) return {offset, 64};
    return {offset, (bytes + offset - 1) / offset * offset};
  }
};

template <class Atomics, std::size_t kSegmentBytes = 16384>
class Lane : public MainHeapObject {
 public:
  explicit Lane(const LaneShape& shape)
      : shape_(shape), write_segment_(MakeSegment()), read_segment_(write_segment_) {
    Enter(*write_segment_);
    read_ = write_segment_->slots();
    read_end_ = End(*read_segment_);
    read_published_ = Published(1);
  }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  // Nobody uses it any more, and no message is in it.
  ~Lane() {
    closing_ = false;
    FreeLeft();
    // relaxed, both - nobody else is left.
    while (read_segment_ != nullptr) {
      Segment* const next = read_segment_->next.load(std::memory_order_relaxed);
      FreeSegment(std::exchange(read_segment_, next));
    }
    FreeChain(spare_.load(std::memory_order_relaxed));
    FreeChain(fresh_);
  }

  // --- the sender
  // ---------------------------------------------------------------------------------

  // A slot for the next message.
  struct Place {
    void* message;            // where it is to be built
    std::uint64_t number;     // of the slot in the lane, from 1
    std::uint64_t published;  // what its word says then
  };
  // Publish or Skip follows. In between, others may be claimed and published: the owner waits for
  // the first. Throws std::bad_alloc.
  [[nodiscard]] Place Claim() {
    if (write_ == write_end_) NextSegment();
    std::byte* const slot = std::exchange(write_, write_ + shape_.stride);
    // While the owner is behind, nobody else wants that line: it is here when it is needed.
    if (write_end_ - write_ > kWriteAhead) PrefetchForWriting(write_ + kWriteAhead);
    // relaxed, both - a counter of the sender's, which others read for reports.
    const std::uint64_t number = claimed_.load(std::memory_order_relaxed) + 1;
    claimed_.store(number, std::memory_order_relaxed);
    ++open_;
    return {slot + shape_.offset, number, write_published_};
  }

  // The message is there. True: the owner will find it by itself. False: it must be told, or has
  // closed the port.
  [[nodiscard]] bool Publish(const Place& place) {
    --open_;
    // release - pairs with Front: the message is complete.
    WordOf(place.message).store(place.published, std::memory_order_release);
    Atomics::LightBarrier();  // pairs with the owner's HeavyBarrier (L2)
    // relaxed - the sender that reads 0 goes on by the port's word, which orders what it does.
    return attended_.load(std::memory_order_relaxed) != 0;
  }

  // There is no message after all. Answers as Publish: others may have been published behind it.
  [[nodiscard]] bool Skip(const Place& place) {
    --open_;
    // release - pairs with Front: what was built there is gone.
    WordOf(place.message).store(place.published + kSkipped, std::memory_order_release);
    Atomics::LightBarrier();
    // relaxed, and the barrier - as in Publish.
    return attended_.load(std::memory_order_relaxed) != 0;
  }

  // The port was found closed after Publish. True: the message is the sender's again. False: the
  // owner has it, or had it.
  [[nodiscard]] bool Retract(const Place& place) {
    // relaxed - visible since the port was found closed (L3).
    if (place.number <= passed_before_closing_.load(std::memory_order_relaxed)) return false;
    std::uint64_t expected = place.published;
    // relaxed, both - whoever wins has the message; the sender built it, and reads nothing of the
    // owner's (L3).
    const bool retracted =
        WordOf(place.message)
            .compare_exchange_strong(expected, place.published + kSkipped,
                                     std::memory_order_relaxed, std::memory_order_relaxed);
    if (retracted) closed_ = true;
    return retracted;
  }

  // The sender knows that the port is closed: nothing more may be claimed.
  void SetClosed() { closed_ = true; }
  [[nodiscard]] bool closed() const { return closed_; }
  // Something is claimed and neither published nor skipped.
  [[nodiscard]] bool sending() const { return open_ != 0; }

  // The sender's last word: it will not come back.
  void Leave() {
    // release - pairs with abandoned(): all that it sent is visible.
    left_.store(1, std::memory_order_release);
  }

  // --- the owner
  // ----------------------------------------------------------------------------------

  // The message that Take would give, or nullptr. Passes what was skipped.
  [[nodiscard]] void* Front() {
    for (;;) {
      // relaxed - the owner's.
      if (closing_ && passed_.load(std::memory_order_relaxed) == last_) return nullptr;
      if (read_ == read_end_ && !NextReadSegment()) return nullptr;
      // acquire - pairs with Publish and Skip.
      const std::uint64_t word = WordAt(read_).load(std::memory_order_acquire);
      if (word == read_published_) return read_ + shape_.offset;
      // While closing: what is not published by now will be found refused (L3).
      if (word != read_published_ + kSkipped && !closing_) return nullptr;
      read_ += shape_.stride;
      Count();
    }
  }

  // The oldest message, which is the owner's until it gives the slot back by Taken; or nullptr.
  [[nodiscard]] void* Take() {
    for (;;) {
      void* const message = Front();
      if (message == nullptr) return nullptr;
      std::byte* const slot = std::exchange(read_, read_ + shape_.stride);
      Count();
      if (closing_) {
        std::uint64_t expected = read_published_;
        // acquire - pairs with Publish; the sender may take it back at this moment (L3). relaxed on
        // failure: it is not there.
        if (!WordAt(slot).compare_exchange_strong(expected, read_published_ + kTakenAtTheEnd,
                                                  std::memory_order_acquire,
                                                  std::memory_order_relaxed)) {
          continue;
        }
      }
      ++in_hands_;
      return message;
    }
  }
  // The message that was taken has been destroyed.
  void Taken() {
    --in_hands_;
    if (left_segments_ != nullptr) FreeLeft();
  }

  // The number of the slot that was taken last, as Claim counts.
  [[nodiscard]] std::uint64_t passed() const {
    return passed_.load(std::memory_order_relaxed);  // relaxed - the owner's
  }
  // A message that was taken has not been given back.
  [[nodiscard]] bool in_use() const { return in_hands_ != 0; }

  // From here on the owner looks by itself (L2).
  void Attend() {
    // relaxed - the promise is kept by Ignore and what follows it.
    attended_.store(1, std::memory_order_relaxed);
  }
  // The owner must be told. It executes the heavy barrier after it, then looks once more.
  void Ignore() {
    // relaxed - the barrier orders it.
    attended_.store(0, std::memory_order_relaxed);
  }
  // Before the port is closed; Ignore and the heavy barrier follow (L3).
  void BeginClosing() {
    closing_ = true;
    // relaxed - made visible by the closing of the port.
    passed_before_closing_.store(passed_.load(std::memory_order_relaxed),
                                 std::memory_order_relaxed);
  }
  // After the barrier.
  void FinishClosing() {
    // relaxed - what was accepted was claimed before the barrier.
    if (last_ == kNoLast) last_ = claimed_.load(std::memory_order_relaxed);
  }

  // No further message will come if the lane is found empty after this.
  [[nodiscard]] bool abandoned() const {
    // acquire - pairs with Leave.
    return left_.load(std::memory_order_acquire) != 0;
  }

  // Any thread, a hint: slots that the sender has claimed and the owner has not passed.
  [[nodiscard]] std::uint64_t Length() const {
    // relaxed, both - counters. The first to be read is never ahead of the other.
    const std::uint64_t passed = passed_.load(std::memory_order_relaxed);
    const std::uint64_t claimed = claimed_.load(std::memory_order_relaxed);
    return claimed > passed ? claimed - passed : 0;
  }

 private:
  static constexpr std::size_t kLine = 64;
  // Bytes. Found by measuring streams of 56 bytes (8 lines 0.87 of a raw stream, 3 lines 0.79, 1
  // line 0.64, none 0.44).
  static constexpr std::ptrdiff_t kWriteAhead = 8 * kLine;
  // Segments that wait for the sender, at most; as many may be with it.
  static constexpr int kMostSpare = 8;
  // A slot's word: 4 * generation, and one of
  static constexpr std::uint64_t kPublished = 1;
  static constexpr std::uint64_t kSkipped = 1;        // added to a published word
  static constexpr std::uint64_t kTakenAtTheEnd = 2;  // the same
  static constexpr std::uint64_t Published(std::uint64_t generation) {
    return 4 * generation + kPublished;
  }

  static constexpr std::uint64_t kNoLast = ~std::uint64_t{0};

  using Word = typename Atomics::template Atomic<std::uint64_t>;

  struct Segment {
    typename Atomics::template Atomic<Segment*> next{nullptr};
    std::uint64_t generation = 1;  // the sender's, until it links the segment
    Segment* next_free = nullptr;  // whoever has it, of those that nobody reads
    int free_count = 0;            // the owner's: with those that follow by next_free

    std::byte* slots() { return reinterpret_cast<std::byte*>(this) + kHead; }
  };
  static constexpr std::size_t kHead = (sizeof(Segment) + kLine - 1) / kLine * kLine;

  std::size_t SlotsOfSegment() const { return (kSegmentBytes - kHead) / shape_.stride; }
  std::byte* End(Segment& segment) const {
    return segment.slots() + SlotsOfSegment() * shape_.stride;
  }
  static Word& WordAt(std::byte* slot) { return *std::launder(reinterpret_cast<Word*>(slot)); }
  Word& WordOf(void* message) const {
    return WordAt(static_cast<std::byte*>(message) - shape_.offset);
  }

  Segment* MakeSegment() const {
    void* const block = MainAllocate(kSegmentBytes, kLine);
    auto* const segment = ::new (block) Segment;
    for (std::byte* slot = segment->slots(); slot != End(*segment); slot += shape_.stride) {
      ::new (static_cast<void*>(slot)) Word(0);
    }
    return segment;
  }
  void FreeSegment(Segment* segment) const {
    for (std::byte* slot = segment->slots(); slot != End(*segment); slot += shape_.stride) {
      std::destroy_at(&WordAt(slot));
    }
    std::destroy_at(segment);
    MainFree(segment);
  }

  void Enter(Segment& segment) {
    write_ = segment.slots();
    write_end_ = End(segment);
    write_published_ = Published(segment.generation);
  }
  void NextSegment() {
    // relaxed - a hint; an empty slot is not worth an exchange.
    if (fresh_ == nullptr && spare_.load(std::memory_order_relaxed) != nullptr) {
      // acquire - pairs with GiveBack: the owner has left them.
      fresh_ = spare_.exchange(nullptr, std::memory_order_acquire);
    }
    Segment* fresh = fresh_;
    if (fresh != nullptr) {
      fresh_ = fresh->next_free;
      ++fresh->generation;
      fresh->next.store(nullptr, std::memory_order_relaxed);  // relaxed - published with the link
    } else {
      fresh = MakeSegment();
    }
    // release - pairs with NextReadSegment: the segment is complete.
    write_segment_->next.store(fresh, std::memory_order_release);
    write_segment_ = fresh;
    Enter(*fresh);
  }

  void Count() {
    // relaxed, both - the owner's; others read it for reports.
    passed_.store(passed_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  bool NextReadSegment() {
    // acquire - pairs with NextSegment.
    Segment* const next = read_segment_->next.load(std::memory_order_acquire);
    if (next == nullptr) return false;
    read_segment_->next_free = std::exchange(left_segments_, read_segment_);
    read_segment_ = next;
    read_ = next->slots();
    read_end_ = End(*next);
    read_published_ = Published(next->generation);
    FreeLeft();
    return true;
  }
  // Once no message of the segments that the owner has left is in its hands (L4). While closing
  // they stay: the sender may look at what it has sent.
  void FreeLeft() {
    if (in_hands_ != 0 || closing_) return;
    while (left_segments_ != nullptr) {
      GiveBack(std::exchange(left_segments_, left_segments_->next_free));
    }
  }
  // A stack to which only the owner adds, and of which the sender takes all: what the owner has
  // seen on top is still there, or nothing is.
  void GiveBack(Segment* segment) {
    // relaxed - only the owner's own segments are read here, and of them what it alone writes.
    Segment* top = spare_.load(std::memory_order_relaxed);
    do {
      if (top != nullptr && top->free_count == kMostSpare) {
        FreeSegment(segment);
        return;
      }
      segment->next_free = top;
      segment->free_count = top != nullptr ? top->free_count + 1 : 1;
      // release - pairs with NextSegment. relaxed on failure: as above.
    } while (!spare_.compare_exchange_strong(top, segment, std::memory_order_release,
                                             std::memory_order_relaxed));
  }
  void FreeChain(Segment* chain) const {
    while (chain != nullptr) FreeSegment(std::exchange(chain, chain->next_free));
  }

  const LaneShape shape_;
  // The sender's.
  alignas(kLine) std::byte* write_ = nullptr;
  std::byte* write_end_ = nullptr;
  std::uint64_t write_published_ = 0;
  Segment* write_segment_;
  Segment* fresh_ = nullptr;  // to be written next
  int open_ = 0;
  bool closed_ = false;
  typename Atomics::template Atomic<std::uint64_t> claimed_{0};
  // What both look at, written now and then.
  alignas(kLine) typename Atomics::template Atomic<std::uint32_t> attended_{0};
  typename Atomics::template Atomic<std::uint32_t> left_{0};
  typename Atomics::template Atomic<std::uint64_t> passed_before_closing_{0};
  typename Atomics::template Atomic<Segment*> spare_{nullptr};
  // The owner's.
  alignas(kLine) std::byte* read_ = nullptr;
  std::byte* read_end_ = nullptr;
  std::uint64_t read_published_ = 0;
  Segment* read_segment_;
  Segment* left_segments_ = nullptr;
  typename Atomics::template Atomic<std::uint64_t> passed_{0};  // slots, taken or skipped
  int in_hands_ = 0;
  bool closing_ = false;
  std::uint64_t last_ = kNoLast;  // slot that is looked at, while closing
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PORT_LANE_H_
