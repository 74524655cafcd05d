// TimerQueue: timers by their times, then by the order in which they came. For one thread at a time
// (the keeper's lock). Add, Pop and Remove cost O(log n); a timer knows its place.

#ifndef ISOLATES_SRC_RUNTIME_TIMER_QUEUE_H_
#define ISOLATES_SRC_RUNTIME_TIMER_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "isolates/detail/main_heap.h"
#include "src/isolate/timer_node.h"

namespace isolates::internal {

class TimerQueue {
 public:
  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }
  TimerNode& top() const noexcept { return *heap_.front(); }
  // In no order.
  template <class Visit>
  void ForEach(Visit visit) const {
    for (const TimerNode* timer : heap_) visit(*timer);
  }

  void Add(TimerNode& timer) {
    heap_.push_back(&timer);
    timer.queue_order = next_order_++;
    timer.queue_index = heap_.size() - 1;
    Rise(timer.queue_index);
  }

  // False: it is not queued (any more).
  bool Remove(TimerNode& timer) noexcept {
    const std::size_t index = timer.queue_index;
    if (index == TimerNode::kNotQueued) return false;
    timer.queue_index = TimerNode::kNotQueued;
    TimerNode* const last = heap_.back();
    heap_.pop_back();
    if (last != &timer) {
      Put(index, last);
      Rise(index);
      Sink(last->queue_index);
    }
    return true;
  }

  TimerNode& Pop() noexcept {
    TimerNode& first = top();
    Remove(first);
    return first;
  }

 private:
  static bool Before(const TimerNode& a, const TimerNode& b) noexcept {
    return a.when() != b.when() ? a.when() < b.when() : a.queue_order < b.queue_order;
  }
  void Put(std::size_t index, TimerNode* timer) noexcept {
    heap_[index] = timer;
    timer->queue_index = index;
  }
  void Swap(std::size_t a, std::size_t b) noexcept {
    TimerNode* const first = heap_[a];
    Put(a, heap_[b]);
    Put(b, first);
  }
  void Rise(std::size_t index) noexcept {
    while (index > 0) {
      const std::size_t parent = (index - 1) / 2;
      if (!Before(*heap_[index], *heap_[parent])) return;
      Swap(index, parent);
      index = parent;
    }
  }
  void Sink(std::size_t index) noexcept {
    for (;;) {
      std::size_t first = index;
      for (const std::size_t child : {2 * index + 1, 2 * index + 2}) {
        if (child < heap_.size() && Before(*heap_[child], *heap_[first])) first = child;
      }
      if (first == index) return;
      Swap(index, first);
      index = first;
    }
  }

  std::vector<TimerNode*, MainAllocator<TimerNode*>> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_RUNTIME_TIMER_QUEUE_H_
