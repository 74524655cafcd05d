// TokenQueue: the one place that touches moodycamel's ConcurrentQueue. Elements are pointers; its
// memory is in the main heap; implicit producers are switched off, so that a forgotten token fails
// to compile. Included by sources only, never by a public header.
//
// Debian's version is 1.0.3, whose dequeue path misses a memory order that only weaker processors
// than x86-64 would show (cured in 1.0.5): elsewhere an older version is refused below.

#ifndef ISOLATES_DETAIL_PORT_TOKEN_QUEUE_H_
#define ISOLATES_DETAIL_PORT_TOKEN_QUEUE_H_

#include <concurrentqueue/concurrentqueue.h>

#include <cstddef>
#include <new>

#include "isolates/detail/main_heap.h"

#if !defined(__x86_64__) && !defined(ISOLATES_CONCURRENTQUEUE_AT_LEAST_1_0_5)
#error \
    "isolates: on processors other than x86-64 moodycamel ConcurrentQueue >= 1.0.5 is needed; \
define ISOLATES_CONCURRENTQUEUE_AT_LEAST_1_0_5 if yours is"
#endif

namespace isolates::internal {

struct TokenQueueTraits : moodycamel::ConcurrentQueueDefaultTraits {
  // Small blocks: most ports carry few messages at a time.
  static constexpr std::size_t BLOCK_SIZE = 16;
  static constexpr std::size_t INITIAL_IMPLICIT_PRODUCER_HASH_SIZE = 0;
  static constexpr std::size_t EXPLICIT_INITIAL_INDEX_SIZE = 8;
  static void* malloc(std::size_t bytes) {
    try {
      return MainAllocate(bytes);
    } catch (const std::bad_alloc&) {
      return nullptr;  // the queue reports it as a failed enqueue
    }
  }
  static void free(void* block) { MainFree(block); }
};

// Any number of producers and consumers, each with a token of its own that one thread at a time
// uses and that is destroyed before the queue. The items of one producer come out in the order they
// went in.
template <class T>
class TokenQueue {
 public:
  using Item = T*;

 private:
  using Queue = moodycamel::ConcurrentQueue<Item, TokenQueueTraits>;

 public:
  class Producer : public MainHeapObject {
   public:
    explicit Producer(TokenQueue& queue) : token_(queue.queue_) {
      if (!token_.valid()) throw std::bad_alloc();
    }

   private:
    friend class TokenQueue;
    moodycamel::ProducerToken token_;
  };

  class Consumer : public MainHeapObject {
   public:
    explicit Consumer(TokenQueue& queue) : token_(queue.queue_) {}

   private:
    friend class TokenQueue;
    moodycamel::ConsumerToken token_;
  };

  // Room for one block: the rest comes with the items.
  TokenQueue() : queue_(TokenQueueTraits::BLOCK_SIZE) {}

  void Enqueue(Producer& producer, Item item) {
    if (!queue_.enqueue(producer.token_, item)) throw std::bad_alloc();
  }
  bool TryDequeue(Consumer& consumer, Item& item) {
    return queue_.try_dequeue(consumer.token_, item);
  }

 private:
  Queue queue_;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PORT_TOKEN_QUEUE_H_
