// Soak: many messages over many ports and senders, each checked for loss, doubling and order; then
// isolates that are started and ended in every way, each end checked for its reason and each
// message for its whereabouts. Memory must stay flat.
//
//   bazel/bazelw run -c opt //tests/stress:soak -- [--messages=N] [--cycles=N] [--seed=S]
//
// Closes with `N passed, N failed`.

#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::Capability;
using isolates::ControlPriority;
using isolates::ExitInfo;
using isolates::ExitReason;
using isolates::Isolate;
using isolates::kForever;
using isolates::MessageOrder;
using isolates::PortOptions;
using isolates::ReceivePort;
using isolates::RemoteError;
using isolates::SendPort;
using isolates::SendResult;
using isolates::SpawnOptions;
using isolates::Task;

struct Arguments {
  std::int64_t messages = 200'000;
  std::int64_t cycles = 2'000;
  std::int64_t seed = 1;
};

int passed = 0;
int failed = 0;

void Report(const char* name, bool ok, const std::string& figures) {
  (ok ? passed : failed) += 1;
  std::printf("%-8s %s: %s\n", ok ? "ok" : "FAILED", name, figures.c_str());
  std::fflush(stdout);
}

double ResidentMegabytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// A sanitizer keeps freed memory back; there only the results are checked.
constexpr bool kMemoryIsTelling =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    false;
#else
    true;
#endif
#else
    true;
#endif
constexpr double kAllowedGrowth = 32;  // MB

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// --- messages
// -------------------------------------------------------------------------------------

constexpr std::int64_t kSenders = 8;
constexpr std::int64_t kReceivers = 4;
constexpr std::int64_t kWindow = 1024;  // messages of one sender to one port before it waits

struct Numbered {
  std::int64_t sender;
  std::int64_t number;
};

using Acknowledged = SendPort<std::int64_t>;

// The ports take turns: unbounded and bounded, ordered by sender and in total.
bool Bounded(std::size_t receiver) { return receiver % 2 == 1; }
PortOptions OptionsOf(std::size_t receiver) {
  PortOptions options;
  if (Bounded(receiver)) options.Capacity(256);
  if (receiver / 2 % 2 == 1) options.Order(MessageOrder::kTotal);
  return options;
}

struct ReceiverPorts {
  SendPort<std::pair<std::int64_t, SendPort<Numbered>>> connected;
  SendPort<std::int64_t> wrong;  // at the end, how many messages were not the expected ones
  std::vector<Acknowledged> acknowledgements;
  std::int64_t index;
  std::int64_t each;  // messages of each sender
};

// Expects number 0, 1, 2 … of each sender.
Task<void> Receiver(ReceiverPorts ports) {
  ReceivePort<Numbered> port(OptionsOf(static_cast<std::size_t>(ports.index)));
  ports.connected.Send(std::pair(ports.index, port.send_port()));
  std::array<std::int64_t, kSenders> expected{};
  std::int64_t wrong = 0;
  for (std::int64_t left = kSenders * ports.each; left > 0; --left) {
    const Numbered message = *co_await port.Receive();
    auto& number = expected.at(static_cast<std::size_t>(message.sender));
    if (message.number != number) ++wrong;
    number = message.number + 1;
    if (number % kWindow == 0) {
      ports.acknowledgements[static_cast<std::size_t>(message.sender)].Send(
          std::int64_t{ports.index});
    }
  }
  for (const std::int64_t number : expected) {
    if (number != ports.each) ++wrong;
  }
  // What came too much would be in the port now.
  while (port.TryReceive().has_value()) ++wrong;
  if (port.counters().accepted != static_cast<std::uint64_t>(kSenders * ports.each)) ++wrong;
  ports.wrong.Send(std::int64_t{wrong});
}

struct SenderPorts {
  SendPort<std::pair<std::int64_t, Acknowledged>> connected;
  SendPort<SendPort<std::vector<SendPort<Numbered>>>> ready;
  std::int64_t index;
  std::int64_t each;
};

// Sends to all receivers by turns. Before bounded ports it waits for room; of the others it is at
// most two windows ahead.
Task<void> Sender(SenderPorts ports) {
  ReceivePort<std::int64_t> acknowledgements;
  ReceivePort<std::vector<SendPort<Numbered>>> start;
  ports.connected.Send(std::pair(ports.index, acknowledgements.send_port()));
  ports.ready.Send(start.send_port());
  const std::vector<SendPort<Numbered>> to = *co_await start.Receive();
  std::array<std::int64_t, kReceivers> acknowledged{};
  for (std::int64_t number = 0; number < ports.each; ++number) {
    for (std::size_t i = 0; i < to.size(); ++i) {
      Numbered message{ports.index, number};
      if (Bounded(i)) {
        co_await to[i].SendWhenRoom(std::move(message));
        continue;
      }
      while (number - acknowledged.at(i) >= 2 * kWindow) {
        const std::int64_t receiver = *co_await acknowledgements.Receive();
        acknowledged.at(static_cast<std::size_t>(receiver)) += kWindow;
      }
      to[i].Send(std::move(message));
    }
  }
}

void SoakMessages(std::int64_t messages) {
  const std::int64_t each = messages / (kSenders * kReceivers);
  const Stopwatch time;
  ReceivePort<std::pair<std::int64_t, Acknowledged>> senders;
  ReceivePort<SendPort<std::vector<SendPort<Numbered>>>> ready;
  for (std::int64_t i = 0; i < kSenders; ++i) {
    Isolate::Spawn(Sender, SenderPorts{senders.send_port(), ready.send_port(), i, each}).Get();
  }
  std::vector<Acknowledged> acknowledgements(kSenders);
  for (std::int64_t i = 0; i < kSenders; ++i) {
    auto [index, port] = *senders.Receive(kForever);
    acknowledgements[static_cast<std::size_t>(index)] = port;
  }
  ReceivePort<std::pair<std::int64_t, SendPort<Numbered>>> receivers;
  ReceivePort<std::int64_t> wrongs;
  for (std::int64_t i = 0; i < kReceivers; ++i) {
    Isolate::Spawn(Receiver, ReceiverPorts{receivers.send_port(), wrongs.send_port(),
                                           acknowledgements, i, each})
        .Get();
  }
  std::vector<SendPort<Numbered>> to(kReceivers);
  for (std::int64_t i = 0; i < kReceivers; ++i) {
    auto [index, port] = *receivers.Receive(kForever);
    to[static_cast<std::size_t>(index)] = port;
  }
  for (std::int64_t i = 0; i < kSenders; ++i) ready.Receive(kForever)->Send(to);
  std::int64_t wrong = 0;
  const double before = ResidentMegabytes();
  for (std::int64_t i = 0; i < kReceivers; ++i) wrong += *wrongs.Receive(kForever);
  const double growth = ResidentMegabytes() - before;
  std::array<char, 250> text{};
  std::snprintf(text.data(), text.size(),
                "%lld from %lld senders to each of %lld ports, %lld wrong, %.1f s, %.2f million a "
                "second, resident %+.1f MB",
                static_cast<long long>(each * kSenders * kReceivers),
                static_cast<long long>(kSenders), static_cast<long long>(kReceivers),
                static_cast<long long>(wrong), time.seconds(),
                static_cast<double>(each * kSenders * kReceivers) / time.seconds() / 1e6, growth);
  Report("messages", wrong == 0 && (!kMemoryIsTelling || growth < kAllowedGrowth), text.data());
}

// --- cycles
// ---------------------------------------------------------------------------------------

std::atomic<std::int64_t> delivered{0};

enum Word : int { kNothing, kClose, kExit, kThrow, kChild };

void Child(int) {
  ReceivePort<int> never;
  std::move(never).Listen([](int) {});
}

void Worker(SendPort<SendPort<int>> out) {
  ReceivePort<int> port;
  out.Send(port.send_port());
  std::move(port).Listen([](ReceivePort<int>& itself, int word) {
    delivered.fetch_add(1);
    switch (word) {
      case kClose:
        itself.Close();
        break;
      case kExit:
        Isolate::Exit();
      case kThrow:
        throw std::runtime_error("on purpose");
      case kChild:
        Isolate::Spawn(Child, 0, SpawnOptions().EndWithParent()).Get();
        break;
      default:
        break;
    }
  });
}

struct Cycles {
  std::int64_t wrong = 0;
  std::int64_t accepted = 0;
  std::int64_t ends = 0;

  void Say(const SendPort<int>& to, int word) {
    if (to.Send(int{word}) == SendResult::kAccepted) ++accepted;
  }

  // One isolate: started, sent to, ended in one of the ways.
  void One(std::mt19937_64& random) {
    ReceivePort<SendPort<int>> connected;
    ReceivePort<ExitInfo> ended;
    ReceivePort<RemoteError> errors;
    const Isolate isolate = Isolate::Spawn(Worker, connected.send_port(),
                                           SpawnOptions()
                                               .Monitor(ended.send_port())
                                               .OnError(errors.send_port())
                                               .Light(random() % 2 == 0))
                                .Get();
    const SendPort<int> to = *connected.Receive(kForever);
    for (std::uint64_t i = random() % 8; i > 0; --i) Say(to, kNothing);
    if (random() % 16 == 0) Say(to, kChild);
    ExitReason expected = ExitReason::kFinished;
    switch (random() % 7) {
      case 0:
        Say(to, kClose);
        break;
      case 1:
        Say(to, kExit);
        expected = ExitReason::kExited;
        break;
      case 2:
        Say(to, kThrow);
        expected = ExitReason::kUncaughtError;
        break;
      case 3:
        isolate.Kill(ControlPriority::kImmediate);
        expected = ExitReason::kKilled;
        break;
      case 4:
        isolate.Kill(ControlPriority::kBeforeNextEvent);
        expected = ExitReason::kKilled;
        break;
      case 5: {
        const Capability pause = isolate.Pause();
        Say(to, kClose);
        isolate.Resume(pause);
        break;
      }
      default:
        isolate.Pause();
        Say(to, kClose);
        isolate.Kill(ControlPriority::kImmediate);
        expected = ExitReason::kKilled;
        break;
    }
    for (std::uint64_t i = random() % 4; i > 0; --i) Say(to, kNothing);  // perhaps too late
    const ExitInfo info = *ended.Receive(kForever);
    ++ends;
    if (info.reason != expected) ++wrong;
    if (expected == ExitReason::kUncaughtError && errors.Receive(kForever)->message().empty()) {
      ++wrong;
    }
    // Results that nobody takes.
    if (random() % 8 == 0) {
      [[maybe_unused]] const auto dropped = Isolate::Run([] { return std::string(50, 'd'); });
    }
  }
};

void SoakCycles(std::int64_t count, std::int64_t seed) {
  const Stopwatch time;
  std::mt19937_64 random(static_cast<std::uint64_t>(seed));
  const std::uint64_t dead_before = isolates::runtime_info().dead_letters;
  const std::int64_t delivered_before = delivered.load();
  Cycles cycles;
  double after_warm_up = ResidentMegabytes();
  for (std::int64_t i = 0; i < count; ++i) {
    if (i == count / 5) after_warm_up = ResidentMegabytes();
    cycles.One(random);
  }
  const double growth = ResidentMegabytes() - after_warm_up;
  const double seconds = time.seconds();
  // Children and dropped results end by themselves.
  while (isolates::runtime_info().isolates_live > 1) Isolate::Run([] {}).Get();
  const auto dead = static_cast<std::int64_t>(isolates::runtime_info().dead_letters - dead_before);
  const std::int64_t received = delivered.load() - delivered_before;
  std::array<char, 300> text{};
  std::snprintf(text.data(), text.size(),
                "%lld isolates in %.1f s (%.1f us each), %lld wrong ends; %lld messages accepted = "
                "%lld delivered + %lld dead letters; resident %+.1f MB",
                static_cast<long long>(cycles.ends), seconds,
                1e6 * seconds / static_cast<double>(count), static_cast<long long>(cycles.wrong),
                static_cast<long long>(cycles.accepted), static_cast<long long>(received),
                static_cast<long long>(dead), growth);
  Report("cycles",
         cycles.wrong == 0 && cycles.accepted == received + dead &&
             (!kMemoryIsTelling || growth < kAllowedGrowth),
         text.data());
}

bool Parse(const char* argument, const char* name, std::int64_t minimum, std::int64_t& value) {
  const std::size_t length = std::strlen(name);
  if (std::strncmp(argument, name, length) != 0) return false;
  char* end = nullptr;
  value = std::strtoll(argument + length, &end, 10);
  return *end == '\0' && value >= minimum;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    if (!Parse(argv[i], "--messages=", 1000, arguments.messages) &&
        !Parse(argv[i], "--cycles=", 10, arguments.cycles) &&
        !Parse(argv[i], "--seed=", 0, arguments.seed)) {
      std::fprintf(stderr, "usage: soak [--messages=N] [--cycles=N] [--seed=S]\n");
      return 2;
    }
  }
  SoakMessages(arguments.messages);
  SoakCycles(arguments.cycles, arguments.seed);
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
