#include "benchmarks/support/baselines.h"

#include <concurrentqueue/concurrentqueue.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "benchmarks/support/two_threads.h"

namespace isolates::bench {
namespace {

struct Message {
  std::array<std::uint64_t, 8> words;
};

class Queue {
 public:
  void Push(const moodycamel::ProducerToken& token, std::uint64_t number) {
    Message message{};
    message.words.fill(number);
    if (!queue_.enqueue(token, message)) std::abort();
  }
  template <bool kPause>
  std::uint64_t Pop(moodycamel::ConsumerToken& token) {
    Message message;
    while (!queue_.try_dequeue(token, message)) {
#if defined(__x86_64__)
      if constexpr (kPause) __builtin_ia32_pause();
#endif
    }
    return message.words[7];
  }
  moodycamel::ConcurrentQueue<Message>& get() { return queue_; }

 private:
  moodycamel::ConcurrentQueue<Message> queue_;
};

template <bool kPause>
double RoundTrip(CpuPair cpus, int round_trips) {
  Queue there;
  Queue back;
  const auto end = static_cast<std::uint64_t>(round_trips);
  const double ns = TimeOfBoth(
      cpus,
      [&] {
        const moodycamel::ProducerToken out(there.get());
        moodycamel::ConsumerToken in(back.get());
        for (std::uint64_t i = 0; i < end; ++i) {
          there.Push(out, i);
          if (back.Pop<kPause>(in) != i) std::abort();
        }
      },
      [&] {
        const moodycamel::ProducerToken out(back.get());
        moodycamel::ConsumerToken in(there.get());
        for (std::uint64_t i = 0; i < end; ++i) back.Push(out, there.Pop<kPause>(in));
      });
  return ns / round_trips;
}

template <bool kPause>
double ManyToOne(CpuPair cpus, int producers, int messages) {
  Queue queue;
  const auto each = static_cast<std::uint64_t>(messages / producers);
  const auto produce = [&] {
    const moodycamel::ProducerToken token(queue.get());
    for (std::uint64_t i = 1; i <= each; ++i) queue.Push(token, i);
  };
  const std::uint64_t all = each * static_cast<std::uint64_t>(producers);
  const double ns = TimeOfBoth(
      cpus,
      [&] {
        moodycamel::ConsumerToken token(queue.get());
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < all; ++i) sum += queue.Pop<kPause>(token);
        if (sum != static_cast<std::uint64_t>(producers) * (each * (each + 1) / 2)) std::abort();
      },
      [&] {
        // Threads inherit the processor.
        std::vector<std::thread> others;
        for (int i = 1; i < producers; ++i) others.emplace_back(produce);
        produce();
        for (auto& thread : others) thread.join();
      });
  return ns / static_cast<double>(all);
}

class Slot {
 public:
  void Put(const Message& message) {
    {
      const std::lock_guard lock(mutex_);
      message_ = message;
      full_ = true;
    }
    changed_.notify_one();
  }
  Message Take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return full_; });
    full_ = false;
    return message_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Message message_{};
  bool full_ = false;
};

int Increment(int value) { return value + 1; }

}  // namespace

double MoodycamelRoundTrip(CpuPair cpus, int round_trips) {
  return std::min(RoundTrip<false>(cpus, round_trips), RoundTrip<true>(cpus, round_trips));
}

double MoodycamelStream(CpuPair cpus, int messages) {
  return std::min(ManyToOne<false>(cpus, 1, messages), ManyToOne<true>(cpus, 1, messages));
}

double MoodycamelFourToOne(CpuPair cpus, int messages) {
  return std::min(ManyToOne<false>(cpus, 4, messages), ManyToOne<true>(cpus, 4, messages));
}

double MutexCondvarRoundTrip(CpuPair cpus, int round_trips) {
  Slot there;
  Slot back;
  const double ns = TimeOfBoth(
      cpus,
      [&] {
        Message message{};
        for (int i = 0; i < round_trips; ++i) {
          there.Put(message);
          message = back.Take();
        }
      },
      [&] {
        for (int i = 0; i < round_trips; ++i) back.Put(there.Take());
      });
  return ns / round_trips;
}

double StdAsync(int calls) {
  int value = 0;
  const Stopwatch watch;
  for (int i = 0; i < calls; ++i) value = std::async(std::launch::async, Increment, value).get();
  const double ns = watch.ns_each(calls);
  if (value != calls) std::abort();
  return ns;
}

double ThreadWithPromise(int calls) {
  int value = 0;
  const Stopwatch watch;
  for (int i = 0; i < calls; ++i) {
    std::promise<int> promise;
    std::thread thread([&] { promise.set_value(Increment(value)); });
    const int next = promise.get_future().get();
    thread.join();
    value = next;
  }
  const double ns = watch.ns_each(calls);
  if (value != calls) std::abort();
  return ns;
}

}  // namespace isolates::bench
