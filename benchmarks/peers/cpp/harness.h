// What the C++ programs of the comparison share: their arguments, pinning, and the workloads over
// anything that has senders and receivers.
//
//   PROGRAM CASE SECONDS CPU_A CPU_B [FILE]    prints "value NUMBER", in the unit of the workload
//   PROGRAM version                            prints "version TEXT"

#ifndef ISOLATES_BENCHMARKS_PEERS_CPP_HARNESS_H_
#define ISOLATES_BENCHMARKS_PEERS_CPP_HARNESS_H_

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace peers {

// 64 bytes, by value.
struct Message {
  std::array<std::uint64_t, 8> words{};
};

struct Arguments {
  double seconds = 0.3;
  std::array<int, 2> cpus{0, 1};
  std::string file;
};

using Cases = std::map<std::string, std::function<double(const Arguments&)>>;

inline void Pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

inline double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline void Pause() { __builtin_ia32_pause(); }

// For a wait in which the other side may need this processor.
class Patience {
 public:
  void Wait() {
    if (++looks_ % 256 == 0) {
      sched_yield();
    } else {
      Pause();
    }
  }

 private:
  unsigned looks_ = 0;
};

// Seconds for each of the operations of run(count), which returns the seconds of all of them: with
// more and more of them, until they last long enough. Counts are multiples of 64.
template <class Run>
double SecondsEach(double seconds, Run run, std::uint64_t most = std::uint64_t{1} << 40) {
  for (std::uint64_t count = 64;;) {
    const double elapsed = run(count);
    if (elapsed >= 0.5 * seconds || count >= most) return elapsed / static_cast<double>(count);
    const double wanted = std::clamp(seconds / std::max(elapsed, 1e-9), 2.0, 16.0);
    count = std::min(most, static_cast<std::uint64_t>(static_cast<double>(count) * wanted));
    count = (count + 63) / 64 * 64;
  }
}

// W1, nanoseconds. A Channel has sender() and receiver(), made on the thread that uses them, with
// Push(message) and Pop(message).
template <class Channel>
double RoundTrip(const Arguments& arguments) {
  return 1e9 * SecondsEach(arguments.seconds, [&](std::uint64_t count) {
           Channel there;
           Channel back;
           std::thread other([&] {
             Pin(arguments.cpus[1]);
             auto&& in = there.receiver();
             auto&& out = back.sender();
             Message message;
             for (std::uint64_t i = 0; i <= count; ++i) {
               in.Pop(message);
               ++message.words[0];
               out.Push(message);
             }
           });
           Pin(arguments.cpus[0]);
           auto&& out = there.sender();
           auto&& in = back.receiver();
           Message message;
           double start = 0;
           for (std::uint64_t i = 0; i <= count; ++i) {
             out.Push(message);
             in.Pop(message);
             if (i == 0) start = Now();  // the other is there
           }
           const double elapsed = Now() - start;
           other.join();
           if (message.words[0] != count + 1) std::abort();
           return elapsed;
         });
}

// W2 and W3, million messages a second: producers on the first processor, the consumer on the
// second.
template <class Channel>
double Throughput(const Arguments& arguments, int producers) {
  const double each = SecondsEach(arguments.seconds, [&](std::uint64_t count) {
    Channel channel;
    std::atomic<int> ready{0};
    std::atomic<bool> go{false};
    std::vector<std::thread> threads;
    const std::uint64_t share = count / static_cast<std::uint64_t>(producers);
    for (int producer = 0; producer < producers; ++producer) {
      threads.emplace_back([&] {
        Pin(arguments.cpus[0]);
        auto&& out = channel.sender();
        ready.fetch_add(1);
        for (Patience patience; !go.load(std::memory_order_acquire);) patience.Wait();
        Message message;
        for (std::uint64_t i = 0; i < share; ++i) {
          message.words[0] = i;
          out.Push(message);
        }
      });
    }
    Pin(arguments.cpus[1]);
    auto&& in = channel.receiver();
    for (Patience patience; ready.load() < producers;) patience.Wait();
    const double start = Now();
    go.store(true, std::memory_order_release);
    Message message;
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      in.Pop(message);
      sum += message.words[0];
    }
    const double elapsed = Now() - start;
    for (std::thread& thread : threads) thread.join();
    if (sum != static_cast<std::uint64_t>(producers) * (share * (share - 1) / 2)) std::abort();
    return elapsed;
  });
  return 1e-6 / each;
}

// W1 to W3 of a channel, as cases w1<suffix>, w2<suffix>, w3<suffix>.
template <class Channel>
void AddChannel(Cases& cases, const std::string& suffix) {
  cases["w1" + suffix] = RoundTrip<Channel>;
  cases["w2" + suffix] = [](const Arguments& a) { return Throughput<Channel>(a, 1); };
  cases["w3" + suffix] = [](const Arguments& a) { return Throughput<Channel>(a, 4); };
}

// W4, microseconds: calls one() again and again.
template <class One>
double MicrosecondsEach(const Arguments& arguments, One one) {
  return 1e6 * SecondsEach(arguments.seconds, [&](std::uint64_t count) {
           const double start = Now();
           for (std::uint64_t i = 0; i < count; ++i) one();
           return Now() - start;
         });
}

inline double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

inline std::string TextOf(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline int Main(int argc, char** argv, const std::string& version, const Cases& cases) {
  const std::string name = argc > 1 ? argv[1] : "";
  if (name == "version") {
    std::printf("version %s\n", version.c_str());
    return 0;
  }
  const auto found = cases.find(name);
  if (argc < 5 || found == cases.end()) return 2;
  Arguments arguments;
  arguments.seconds = std::atof(argv[2]);
  arguments.cpus = {std::atoi(argv[3]), std::atoi(argv[4])};
  if (argc > 5) arguments.file = argv[5];
  std::printf("value %.6g\n", found->second(arguments));
  std::fflush(stdout);
  // Ends at once: a hundred thousand idle entities are not taken down one by one.
  _exit(0);
}

}  // namespace peers

#endif  // ISOLATES_BENCHMARKS_PEERS_CPP_HARNESS_H_
