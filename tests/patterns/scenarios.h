// Programs that use the patterns, for tests with the runtime's threads and the one in simulations.

#ifndef ISOLATES_TESTS_PATTERNS_SCENARIOS_H_
#define ISOLATES_TESTS_PATTERNS_SCENARIOS_H_

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {

// --- the latest value

// The last number, or -1 if they did not rise.
inline Task<int> SeeRisingNumbers(SendPort<LatestValueSender<int>> out, int last_number) {
  LatestValuePort<int> port;
  out.Send(port.sender());
  int last = 0;
  while (last < last_number) {
    const std::optional<int> next = co_await port.Next();
    if (*next <= last) co_return -1;
    last = *next;
  }
  co_return last;
}

// An isolate sees rising numbers, and the last one.
inline void SendRisingNumbers(int last_number) {
  ReceivePort<LatestValueSender<int>> in;
  auto last = Isolate::Run(SeeRisingNumbers, in.send_port(), last_number);
  const auto sender = *in.Receive(kForever);
  for (int i = 1; i <= last_number; ++i) sender.Send(i);
  EXPECT_EQ(last.Get(), last_number);
}

// --- select

using TwoPorts = std::pair<SendPort<int>, SendPort<int>>;

inline Task<int> SumOfTwo(SendPort<TwoPorts> out) {
  ReceivePort<int> a;
  ReceivePort<int> b;
  int sum = 0;
  Select select(On(a, [&](int number) { sum += number; }), On(b, [&](int number) {
                  if (number < 0) {
                    a.Close();
                    b.Close();
                  }
                  sum += number;
                }));
  out.Send(TwoPorts(a.send_port(), b.send_port()));
  while (co_await select.Next()) {
  }
  co_return sum;
}

inline int BlockingSumOfTwo(SendPort<TwoPorts> out, int messages) {
  ReceivePort<int> a;
  ReceivePort<int> b;
  int sum = 0;
  int count = 0;
  const auto add = [&](int number) {
    sum += number;
    ++count;
  };
  Select select(On(a, add), On(b, add));
  out.Send(TwoPorts(a.send_port(), b.send_port()));
  while (count < messages) select.Next(kForever);
  return sum;
}

inline Task<> SendSome(SendPort<int> to, int number, int count) {
  for (int i = 0; i < count; ++i) {
    to.Send(number);
    if (i % 8 == 7) co_await Delay(Duration::zero());
  }
}

// A sleeping isolate is woken by either port; an end overtakes nothing of its own port.
inline void SelectFromTwoPorts(int messages) {
  ReceivePort<TwoPorts> ports;
  auto sum = Isolate::Run(SumOfTwo, ports.send_port());
  const auto [a, b] = *ports.Receive(kForever);
  auto others = Isolate::Run(SendSome, a, 1, messages);
  for (int i = 0; i < messages; ++i) b.Send(2);
  others.Get();
  b.Send(-1);
  const int got = sum.Get();
  EXPECT_GE(got, 2 * messages - 1);  // what was still in port a at its end is a dead letter
  EXPECT_LE(got, 3 * messages - 1);
}

// The same for an isolate that blocks.
inline void BlockInASelect(int messages) {
  ReceivePort<TwoPorts> ports;
  auto sum = Isolate::Run(BlockingSumOfTwo, ports.send_port(), 2 * messages);
  const auto [a, b] = *ports.Receive(kForever);
  auto others = Isolate::Run(SendSome, a, 1, messages);
  for (int i = 0; i < messages; ++i) b.Send(2);
  EXPECT_EQ(sum.Get(), 3 * messages);
  others.Get();
}

// --- broadcast

// All that was sent, in order, from some number on; the number of messages that were missed.
inline Task<int> Subscriber(Broadcast<int> numbers, int last_number) {
  ReceivePort<int> port;
  numbers.Subscribe(port.send_port());
  int last = 0;
  int missed = 0;
  while (last < last_number) {
    const int next = *co_await port.Receive();
    if (last == 0) {
      missed = next - 1;
    } else if (next != last + 1) {
      co_return -1;
    }
    last = next;
  }
  numbers.Unsubscribe(port.send_port());
  co_return missed;
}

inline void BroadcastToMany(int subscribers, int last_number) {
  const Broadcast<int> numbers;
  std::vector<Future<int>> missed;
  for (int i = 0; i < subscribers; ++i) {
    missed.push_back(Isolate::Run(Subscriber, numbers, last_number));
  }
  for (int number = 1; number < last_number; ++number) {
    numbers.Send(number);
    Isolate::Run([] {}).Get();
  }
  // Those that have come late get the last one at least.
  while (numbers.subscribers() < static_cast<std::size_t>(subscribers)) Isolate::Run([] {}).Get();
  numbers.Send(last_number);
  for (auto& one : missed) {
    const int count = one.Get();
    EXPECT_GE(count, 0);
    EXPECT_LT(count, last_number);
  }
}

// --- requests

using Halver = Requester<int, int>;

inline void Halve(SendPort<Halver> out) {
  RequestPort<int, int> port;
  out.Send(port.requester());
  std::move(port).Handle([](int number) -> Task<int> {
    if (number % 2 == 1) co_await Delay(std::chrono::nanoseconds(number));
    co_return number / 2;
  });
}

struct Asked {
  int right = 0;
  int wrong = 0;
  int failed = 0;
};

inline Task<Asked> AskForHalves(Halver halver, int count) {
  Asked asked;
  std::vector<Future<int>> calls;
  for (int number = 0; number < count; ++number) calls.push_back(halver.Call(number));
  for (int number = 0; number < count; ++number) {
    try {
      const int half = co_await calls[static_cast<std::size_t>(number)];
      ++(half == number / 2 ? asked.right : asked.wrong);
    } catch (const Error&) {
      ++asked.failed;
    }
  }
  co_return asked;
}

// The server is killed while the clients ask: every call ends.
inline void AskAServerThatDies(int clients, int calls) {
  ReceivePort<Halver> in;
  const Isolate server = Isolate::Spawn(Halve, in.send_port()).Get();
  const Halver halver = *in.Receive(kForever);
  std::vector<Future<Asked>> asked;
  for (int i = 0; i < clients; ++i) asked.push_back(Isolate::Run(AskForHalves, halver, calls));
  Isolate::Run([] {}).Get();
  server.Kill(ControlPriority::kImmediate);
  for (auto& one : asked) {
    const Asked all = one.Get();
    EXPECT_EQ(all.right + all.failed, calls);
    EXPECT_EQ(all.wrong, 0);
  }
}

}  // namespace isolates

#endif  // ISOLATES_TESTS_PATTERNS_SCENARIOS_H_
