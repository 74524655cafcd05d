// What a message costs by its size, beside cache lines that two processors pass each other without
// any library.
//
//   port_traffic [--quick] [--json]
//   port_traffic lines BYTES COUNT    the same messages, one at a time, for a trace of memory
//   port_traffic exercise BYTES COUNT    round trips and nothing else, for counters

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <semaphore>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "benchmarks/figures/pair.h"
#include "benchmarks/figures/round_trip.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/two_threads.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

// --- lines without a library

constexpr std::size_t kMostLines = 16;

struct alignas(64) Line {
  std::atomic<std::uint64_t> word{0};
};

// So many lines to and fro: the first says that the others are written. Whoever reads them writes
// them next.
double LinesRoundTrip(CpuPair cpus, std::size_t lines, std::uint64_t round_trips) {
  const auto block = std::make_unique<std::array<Line, kMostLines>>();
  const auto write = [&](std::uint64_t number) {
    // relaxed - the first line publishes the others.
    for (std::size_t i = 1; i < lines; ++i) {
      (*block)[i].word.store(number, std::memory_order_relaxed);
    }
    (*block)[0].word.store(number, std::memory_order_release);  // release - pairs with read
  };
  const auto read = [&](std::uint64_t number) {
    // acquire - pairs with write.
    while ((*block)[0].word.load(std::memory_order_acquire) != number) internal::CpuPause();
    for (std::size_t i = 1; i < lines; ++i) {
      Require((*block)[i].word.load(std::memory_order_relaxed) == number, "all lines came");
    }
  };
  const double ns = TimeOfBoth(
      cpus,
      [&] {
        for (std::uint64_t i = 1; i <= round_trips; ++i) {
          write(2 * i - 1);
          read(2 * i);
        }
      },
      [&] {
        for (std::uint64_t i = 1; i <= round_trips; ++i) {
          read(2 * i - 1);
          write(2 * i);
        }
      });
  return ns / static_cast<double>(round_trips);
}

// --- messages

template <std::size_t kBytes>
double RoundTrip(CpuPair cpus, std::uint64_t count) {
  return DedicatedPair<Payload<kBytes>>(cpus, count, Ping<Payload<kBytes>>, Pong<Payload<kBytes>>);
}

// --- one side at a time, so that each access belongs to the side that is named in `side`

struct alignas(64) Side {
  volatile std::uint64_t now = 0;
  std::array<char, 56> rest{};
};
Side side;  // its address is told: a trace of memory shows when it is written
enum : std::uint64_t { kOutside = 0, kNear = 1, kFar = 2, kBegin = 3 };

std::binary_semaphore near_turn{0};
std::binary_semaphore far_turn{0};

// Until lanes are open, and the allocator has what it needs.
constexpr std::uint64_t kWarm = 1'000;

template <class Message>
void SendAs(std::uint64_t who, const SendPort<Message>& to, Message message) {
  side.now = who;
  to.Send(std::move(message));
  side.now = kOutside;
}
template <class Message>
Message ReceiveAs(std::uint64_t who, ReceivePort<Message>& port) {
  side.now = who;
  Message message = Next(port);
  side.now = kOutside;
  return message;
}

template <class Message>
double NearSide(std::uint64_t count, ReceivePort<Message>& own, const SendPort<Message>& other) {
  Message message{};
  for (std::uint64_t i = 0; i < kWarm + count; ++i) {
    if (i == kWarm) side.now = kBegin;
    SendAs(kNear, other, std::move(message));
    far_turn.release();
    near_turn.acquire();
    message = ReceiveAs(kNear, own);
  }
  Require(message.words[0] == kWarm + count, "each round trip adds one");
  return 0;
}

template <class Message>
double FarSide(std::uint64_t count, ReceivePort<Message>& own, const SendPort<Message>& other) {
  for (std::uint64_t i = 0; i < kWarm + count; ++i) {
    far_turn.acquire();
    Message message = ReceiveAs(kFar, own);
    ++message.words[0];
    SendAs(kFar, other, std::move(message));
    near_turn.release();
  }
  return 0;
}

// --- by size

struct Size {
  std::size_t bytes;
  double (*round_trip)(CpuPair, std::uint64_t);
  void (*one_at_a_time)(CpuPair, std::uint64_t);
};

template <std::size_t... kBytes>
constexpr std::array<Size, sizeof...(kBytes)> SizesOf() {
  return {Size{kBytes, RoundTrip<kBytes>, [](CpuPair cpus, std::uint64_t count) {
                 DedicatedPair<Payload<kBytes>>(cpus, count, NearSide<Payload<kBytes>>,
                                                FarSide<Payload<kBytes>>);
               }}...};
}
constexpr auto kSizes = SizesOf<8, 24, 56, 64, 120, 128, 256, 512, 1024>();

int Measure(int argc, char** argv) {
  Program program(argc, argv);
  const auto cpus = TwoCpus();
  Require(cpus.has_value(), "two processors are needed");
  const auto count = program.Scale<std::uint64_t>(20'000, 300);
  std::vector<Candidate> candidates;
  for (const Size& size : kSizes) {
    candidates.push_back({"port: " + std::to_string(size.bytes) + " B",
                          [=, &size] { return size.round_trip(*cpus, count); }});
  }
  for (std::size_t lines = 1; lines <= kMostLines; lines *= 2) {
    candidates.push_back({"raw: " + std::to_string(lines) + " lines",
                          [=] { return LinesRoundTrip(*cpus, lines, count); }});
  }
  program.Compare([=] { return RawBounce(*cpus, static_cast<int>(count)); }, candidates, "ns");
  return program.Finish();
}

int Single(std::string_view what, std::size_t bytes, std::uint64_t count) {
  const auto cpus = TwoCpus();
  Require(cpus.has_value(), "two processors are needed");
  for (const Size& size : kSizes) {
    if (size.bytes != bytes) continue;
    if (what == "exercise") {
      size.round_trip(*cpus, count);
    } else {
      std::printf("%p\n", static_cast<void*>(&side));
      std::fflush(stdout);
      if (count > 0) size.one_at_a_time(*cpus, count);
    }
    return 0;
  }
  std::fprintf(stderr, "no such size\n");
  return 2;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  const std::string_view what = argc == 4 ? argv[1] : "";
  if (what == "lines" || what == "exercise") {
    return isolates::bench::Single(what, std::strtoull(argv[2], nullptr, 10),
                                   std::strtoull(argv[3], nullptr, 10));
  }
  return isolates::bench::Measure(argc, argv);
}
