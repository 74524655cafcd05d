#include "src/port/port_queue.h"

#include <cstddef>
#include <memory>

namespace isolates::internal {

PortQueue::~PortQueue() {
  delete tokens_.load(std::memory_order_relaxed);  // relaxed - nobody else is left
}

PortQueue::TokenPart& PortQueue::InstalledTokens() {
  // acquire - pairs with the exchange below: the part is complete.
  TokenPart* part = tokens_.load(std::memory_order_acquire);
  if (part != nullptr) return *part;
  auto fresh = std::make_unique<TokenPart>();
  // acq_rel - release half pairs with the loads of tokens_; acquire half (also on failure): another
  // sender's part is complete.
  if (tokens_.compare_exchange_strong(part, fresh.get(), std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
    return *fresh.release();
  }
  return *part;
}

PortQueue::Producer::Producer(PortQueue& queue, Part part)
    : queue_(queue),
      // relaxed - a number generator.
      number_(queue.next_sender_.fetch_add(1, std::memory_order_relaxed)) {
  if (queue.list_only_ || part == Part::kList) return;
  // relaxed - a count, which limits how many there are.
  if (queue.token_senders_.fetch_add(1, std::memory_order_relaxed) < kMostTokens) {
    try {
      token_.emplace(queue.InstalledTokens().queue);
      return;
    } catch (...) {
      queue.token_senders_.fetch_sub(1, std::memory_order_relaxed);
      throw;
    }
  }
  queue.token_senders_.fetch_sub(1, std::memory_order_relaxed);
}

PortQueue::Producer::~Producer() {
  while (blocks != nullptr) {
    FreeBlock* const next = blocks->next;
    MainFree(blocks);
    blocks = next;
  }
  if (!token_) return;
  token_.reset();
  queue_.token_senders_.fetch_sub(1, std::memory_order_relaxed);  // relaxed - a count
}

void PortQueue::Enqueue(Producer& producer, Item item) {
  item->sender = producer.number_;
  if (producer.token_) {
    // relaxed - this sender has made the part, or found it.
    tokens_.load(std::memory_order_relaxed)->queue.Enqueue(*producer.token_, item);
  } else {
    arrivals_.Push(item);
  }
}

bool PortQueue::TryDequeue(Item& item) noexcept {
  // In turns, so that neither part waits for the other.
  tokens_first_ = !tokens_first_;
  if (tokens_first_) return DequeueFromTokens(item) || DequeueFromList(item);
  return DequeueFromList(item) || DequeueFromTokens(item);
}

bool PortQueue::DequeueFromTokens(Item& item) noexcept {
  // acquire - pairs with InstalledTokens.
  TokenPart* const part = tokens_.load(std::memory_order_acquire);
  return part != nullptr && part->queue.TryDequeue(part->consumer, item);
}

bool PortQueue::DequeueFromList(Item& item) noexcept {
  if (list_.empty() || simulated_ != nullptr) list_.AppendChain(arrivals_.TakeAll());
  item = simulated_ != nullptr ? TakeChosen() : list_.PopFront();
  return item != nullptr;
}

bool PortQueue::TryDequeueCounted(Item& item) noexcept {
  list_.AppendChain(arrivals_.TakeAll());
  item = list_.TakeFirst([](const Envelope& envelope) { return envelope.room != 0; });
  return item != nullptr;
}

// The oldest message of the sender of a message that the schedule chooses.
Envelope* PortQueue::TakeChosen() noexcept {
  std::size_t count = 0;
  for (const Envelope* at = list_.first(); at != nullptr; at = at->next_event) ++count;
  if (count == 0) return nullptr;
  const Envelope* chosen = list_.first();
  for (std::size_t i = simulated_->Choose(count); i > 0 && chosen->next_event != nullptr; --i) {
    chosen = chosen->next_event;
  }
  return list_.TakeFirst(
      [chosen](const Envelope& envelope) { return envelope.sender == chosen->sender; });
}

}  // namespace isolates::internal
