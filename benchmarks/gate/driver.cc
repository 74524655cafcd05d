// The operations that the gate counts, without time: gate.py runs this under callgrind, which
// counts what happens inside of MeasuredOperations on the thread that calls it.
//
//   driver CASE COUNT [allocation | NUMBER | trace]
//
// The last argument plants a regression in each operation, by which the gate is tested: an
// allocation, or so many instructions; or turns the trace on.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::Isolate;
using isolates::MakeParcel;
using isolates::Parcel;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::Task;
using isolates::VerifyLevel;

bool planted_allocation = false;
std::uint64_t planted_instructions = 0;

template <class T>
void Keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

// Once in each operation.
void Plant() {
  if (planted_allocation) {
    void* const block = std::malloc(24);
    Keep(block);
    std::free(block);
  }
  // Two instructions in each turn.
  for (std::uint64_t turns = planted_instructions / 2; turns > 0; --turns) asm volatile("");
}

struct Bytes64 {
  std::array<std::uint64_t, 8> words{};
};

// To the isolate's own port, and out of it.
template <class T>
void ToOneself(std::uint64_t count) {
  ReceivePort<T> port;
  const SendPort<T> to = port.send_port();
  for (std::uint64_t i = 0; i < count; ++i) {
    to.Send(T{});
    Keep(*port.TryReceive());
    Plant();
  }
}

// To another isolate and back: two messages, and the turns that they take.
template <class T>
Task<void> Echo(std::pair<SendPort<T>, SendPort<SendPort<T>>> ports) {
  ReceivePort<T> port;
  ports.second.Send(port.send_port());
  for (;;) {
    std::optional<T> message = co_await port.Receive();
    ports.first.Send(std::move(*message));
  }
}

template <class T, class Make>
Task<void> RoundTrips(std::uint64_t count, Make make) {
  ReceivePort<T> answers;
  ReceivePort<SendPort<T>> connected;
  const Isolate echo =
      co_await Isolate::Spawn(Echo<T>, std::pair(answers.send_port(), connected.send_port()));
  const SendPort<T> to = *co_await connected.Receive();
  T message = make();
  for (std::uint64_t i = 0; i < count; ++i) {
    to.Send(std::move(message));
    message = *co_await answers.Receive();
    Plant();
  }
  Keep(message);
  echo.Kill();
}

template <class T, class Make>
void ToAnother(std::uint64_t count, Make make) {
  isolates::Simulate(1, [count, make] { return RoundTrips<T>(count, make); });
}

Task<void> Runs(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const int result = co_await Isolate::Run([] { return 7; });
    Keep(result);
    Plant();
  }
}

template <class T>
void VerifyAgain(std::uint64_t count, const T& value) {
  for (std::uint64_t i = 0; i < count; ++i) {
    isolates::internal::VerifyForSend(value, "value", VerifyLevel::kAlways);
    Plant();
  }
}

// Too long for their own object: each has a block.
std::string Text(int number) { return "a text with a number: " + std::to_string(number); }

std::vector<std::string> MakeVector() {
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(Text(i));
  return texts;
}

void VerifyVector(std::uint64_t count) { VerifyAgain(count, MakeVector()); }
void VerifyMap(std::uint64_t count) {
  std::map<int, std::string> texts;
  for (int i = 0; i < 100; ++i) texts.emplace(i, Text(i));
  VerifyAgain(count, texts);
}

}  // namespace

extern "C" {
void MeasuredOperations(void (*run)(std::uint64_t), std::uint64_t count);  // gate.py knows its name
}
__attribute__((noinline)) void MeasuredOperations(void (*run)(std::uint64_t), std::uint64_t count) {
  run(count);
  asm volatile("" : : : "memory");  // not a tail call: collecting ends where this returns
}

int main(int argc, char** argv) {
  const std::map<std::string, void (*)(std::uint64_t)> cases{
      {"send_receive_8", ToOneself<std::uint64_t>},
      {"send_receive_64", ToOneself<Bytes64>},
      {"round_trip_8",
       [](std::uint64_t n) { ToAnother<std::uint64_t>(n, [] { return std::uint64_t{7}; }); }},
      {"round_trip_64", [](std::uint64_t n) { ToAnother<Bytes64>(n, [] { return Bytes64{}; }); }},
      {"round_trip_parcel",
       [](std::uint64_t n) {
         ToAnother<Parcel<std::vector<std::string>>>(n, [] { return MakeParcel(MakeVector); });
       }},
      {"run_result", [](std::uint64_t n) { isolates::Simulate(1, [n] { return Runs(n); }); }},
      {"verify_vector", VerifyVector},
      {"verify_map", VerifyMap}};
  const auto found = argc < 3 ? cases.end() : cases.find(argv[1]);
  if (found == cases.end()) {
    for (const auto& [name, run] : cases) std::printf("%s\n", name.c_str());
    return argc < 2 ? 0 : 2;
  }
  if (argc > 3) {
    planted_allocation = std::strcmp(argv[3], "allocation") == 0;
    if (std::strcmp(argv[3], "trace") == 0) isolates::Trace::Start();
    planted_instructions = std::strtoull(argv[3], nullptr, 10);
  }
  MeasuredOperations(found->second, std::strtoull(argv[2], nullptr, 10));
  return 0;
}
