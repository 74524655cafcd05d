#include "benchmarks/support/limits.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <vector>

#include "benchmarks/support/two_threads.h"

// mimalloc's own question. Weak: with plain malloc it is not there.
extern "C" {
struct mi_heap_s;
mi_heap_s* mi_heap_of(const void* block) __attribute__((weak));
}

namespace isolates::bench {
namespace {

// Two lines: processors fetch them in pairs.
struct alignas(128) Line {
  std::atomic<std::uint32_t> word{0};
};

template <bool kPause>
void Spin() {
  if constexpr (kPause) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield" ::: "memory");
#endif
  }
}

// release, acquire - what was written before the line changed hands is visible after.
template <bool kPause>
void Await(const Line& line, std::uint32_t value) {
  while (line.word.load(std::memory_order_acquire) != value) Spin<kPause>();
}
void Pass(Line& line, std::uint32_t value) { line.word.store(value, std::memory_order_release); }

template <bool kPause>
double Bounce(CpuPair cpus, int round_trips) {
  Line line;
  const auto end = 2 * static_cast<std::uint32_t>(round_trips);
  const double ns = TimeOfBoth(
      cpus,
      [&] {
        for (std::uint32_t i = 0; i < end; i += 2) {
          Pass(line, i + 1);
          Await<kPause>(line, i + 2);
        }
      },
      [&] {
        for (std::uint32_t i = 0; i < end; i += 2) {
          Await<kPause>(line, i + 1);
          Pass(line, i + 2);
        }
      });
  return ns / round_trips;
}

struct alignas(64) Message {
  std::array<std::uint64_t, 8> words;
};

class Ring {
 public:
  void Write(std::uint64_t count) {
    std::uint64_t free_until = kSlots;
    for (std::uint64_t i = 0; i < count; ++i) {
      while (i == free_until) {
        // acquire - pairs with Read: the slot has been read.
        free_until = read_.load(std::memory_order_acquire) + kSlots;
      }
      slots_[i % kSlots].words.fill(i);
      // release - pairs with Read: the slots are written.
      if ((i + 1) % kBatch == 0) written_.store(i + 1, std::memory_order_release);
    }
    written_.store(count, std::memory_order_release);
  }
  std::uint64_t Read(std::uint64_t count) {
    std::uint64_t sum = 0;
    std::uint64_t there_until = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      while (i == there_until) {
        there_until = written_.load(std::memory_order_acquire);  // acquire - pairs with Write
      }
      const Message message = slots_[i % kSlots];
      sum += message.words[0] ^ message.words[7];
      // release - pairs with Write: the slots have been read.
      if ((i + 1) % kBatch == 0) read_.store(i + 1, std::memory_order_release);
    }
    return sum;
  }

 private:
  static constexpr std::uint64_t kSlots = 2048;
  static constexpr std::uint64_t kBatch = 64;
  std::array<Message, kSlots> slots_{};
  alignas(128) std::atomic<std::uint64_t> written_{0};
  alignas(128) std::atomic<std::uint64_t> read_{0};
};

// One sender, one receiver. A slot is full when its number is that of the message due: nobody
// resets it, so its line goes in one direction only.
template <std::size_t kBytes>
class Lane {
 public:
  using Words = std::array<std::uint64_t, kBytes / 8>;

  void Send(const Words& words) {
    while (sent_ == free_until_) {
      // acquire - pairs with Receive: the slot has been read.
      free_until_ = received_.load(std::memory_order_acquire) + kSlots;
    }
    Slot& slot = slots_[sent_ % kSlots];
    slot.words = words;
    slot.number.store(++sent_, std::memory_order_release);  // release - pairs with Receive
  }
  template <bool kPause>
  Words Receive() {
    const Slot& slot = slots_[next_ % kSlots];
    ++next_;
    // acquire - pairs with Send: the message is written.
    while (slot.number.load(std::memory_order_acquire) != next_) Spin<kPause>();
    const Words words = slot.words;
    // release - pairs with Send: the slots have been read.
    if (next_ % (kSlots / 2) == 0) received_.store(next_, std::memory_order_release);
    return words;
  }

 private:
  struct alignas(kBytes <= 56 ? 64 : 128) Slot {
    Words words{};
    std::atomic<std::uint64_t> number{0};
  };
  static constexpr std::uint64_t kSlots = 64;
  std::array<Slot, kSlots> slots_{};
  alignas(128) std::uint64_t sent_ = 0;
  std::uint64_t free_until_ = kSlots;
  alignas(128) std::uint64_t next_ = 0;
  alignas(128) std::atomic<std::uint64_t> received_{0};
};

template <std::size_t kBytes, bool kPause>
double LaneRoundTrip(CpuPair cpus, int round_trips) {
  const auto there = std::make_unique<Lane<kBytes>>();
  const auto back = std::make_unique<Lane<kBytes>>();
  const double ns = TimeOfBoth(
      cpus,
      [&] {
        typename Lane<kBytes>::Words words{};
        for (int i = 0; i < round_trips; ++i) {
          there->Send(words);
          words = back->template Receive<kPause>();
        }
        if (words[0] != static_cast<std::uint64_t>(round_trips)) std::abort();
      },
      [&] {
        for (int i = 0; i < round_trips; ++i) {
          auto words = there->template Receive<kPause>();
          ++words[0];
          back->Send(words);
        }
      });
  return ns / round_trips;
}

template <std::size_t kBytes>
double BetterLaneRoundTrip(CpuPair cpus, int round_trips) {
  return std::min(LaneRoundTrip<kBytes, false>(cpus, round_trips),
                  LaneRoundTrip<kBytes, true>(cpus, round_trips));
}

void FutexWait(Line& line, std::uint32_t seen) {
  syscall(SYS_futex, &line.word, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
}
void FutexWake(Line& line) {
  syscall(SYS_futex, &line.word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}
void SleepUntil(Line& line, std::uint32_t value) {
  for (;;) {
    const std::uint32_t seen = line.word.load(std::memory_order_acquire);
    if (seen == value) return;
    FutexWait(line, seen);
  }
}

}  // namespace

double RawBounce(CpuPair cpus, int round_trips) {
  return std::min(Bounce<false>(cpus, round_trips), Bounce<true>(cpus, round_trips));
}

double RawStream(CpuPair cpus, int messages) {
  const auto ring = std::make_unique<Ring>();
  const auto count = static_cast<std::uint64_t>(messages);
  // The reader is timed: it ends last.
  std::atomic<std::uint64_t> sum{0};
  const double ns = TimeOfBoth(
      cpus, [&] { sum.store(ring->Read(count), std::memory_order_relaxed); },  // relaxed - kept
      [&] { ring->Write(count); });
  return ns / messages;
}

double BareLaneRoundTrip(CpuPair cpus, std::size_t bytes, int round_trips) {
  if (bytes <= 8) return BetterLaneRoundTrip<8>(cpus, round_trips);
  if (bytes <= 48) return BetterLaneRoundTrip<48>(cpus, round_trips);
  return BetterLaneRoundTrip<64>(cpus, round_trips);
}

double FutexRoundTrip(CpuPair cpus, int round_trips) {
  Line line;
  const auto end = 2 * static_cast<std::uint32_t>(round_trips);
  const double ns = TimeOfBoth(
      cpus,
      [&] {
        for (std::uint32_t i = 0; i < end; i += 2) {
          Pass(line, i + 1);
          FutexWake(line);
          SleepUntil(line, i + 2);
        }
      },
      [&] {
        for (std::uint32_t i = 0; i < end; i += 2) {
          SleepUntil(line, i + 1);
          Pass(line, i + 2);
          FutexWake(line);
        }
      });
  return ns / round_trips;
}

double FutexWakeUp(CpuPair cpus, int wake_ups, int asleep_us) {
  Line sleeper;
  Line done;
  std::atomic<std::int64_t> sent{0};
  std::vector<double> times;
  const auto end = static_cast<std::uint32_t>(wake_ups);
  TimeOfBoth(
      cpus,
      [&] {
        const timespec pause{asleep_us / 1'000'000, asleep_us % 1'000'000 * 1'000L};
        for (std::uint32_t i = 1; i <= end; ++i) {
          nanosleep(&pause, nullptr);
          sent.store(Nanoseconds(), std::memory_order_relaxed);  // relaxed - Pass orders it
          Pass(sleeper, i);
          FutexWake(sleeper);
          SleepUntil(done, i);
        }
      },
      [&] {
        for (std::uint32_t i = 1; i <= end; ++i) {
          SleepUntil(sleeper, i);
          times.push_back(
              static_cast<double>(Nanoseconds() - sent.load(std::memory_order_relaxed)));
          Pass(done, i);
          FutexWake(done);
        }
      });
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

double MemcpyOf(std::size_t bytes) {
  constexpr std::size_t kBytesEachTime = std::size_t{1} << 22;
  const std::size_t copies = std::max<std::size_t>(1, kBytesEachTime / bytes);
  const auto from = std::make_unique<unsigned char[]>(bytes);
  const auto to = std::make_unique<unsigned char[]>(bytes);
  // volatile: each copy is made.
  void* (*volatile copy)(void*, const void*, std::size_t) = &std::memcpy;
  const Stopwatch watch;
  for (std::size_t i = 0; i < copies; ++i) copy(to.get(), from.get(), bytes);
  return watch.ns_each(static_cast<std::int64_t>(copies));
}

std::optional<double> MiHeapOf() {
  if (&mi_heap_of == nullptr) return std::nullopt;
  constexpr std::size_t kBlocks = 1 << 14;
  std::vector<std::unique_ptr<Message>> blocks(kBlocks);
  for (auto& block : blocks) block = std::make_unique<Message>();
  std::atomic<const void*> kept{nullptr};
  const Stopwatch watch;
  for (const auto& block : blocks) {
    kept.store(mi_heap_of(block.get()), std::memory_order_relaxed);  // relaxed - kept
  }
  return watch.ns_each(kBlocks);
}

}  // namespace isolates::bench
