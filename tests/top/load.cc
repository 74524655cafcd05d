// A program with a known load: "source" sends numbers to the port "numbers" of "sink" until the
// input ends, and "idle" has nothing to do. Its own number is on the first line.

#include <unistd.h>

#include <iostream>
#include <utility>

#include "isolates/isolates.h"

namespace {

using namespace isolates;  // NOLINT(google-build-using-namespace): a program of a few lines

void Sink(SendPort<SendPort<int>> connect) {
  ReceivePort<int> numbers("numbers");
  connect.Send(numbers.send_port());
  std::move(numbers).Listen([](int) {});
}

Task<> Source(SendPort<int> numbers) {
  for (int i = 0;; ++i) {
    for (int j = 0; j < 100; ++j) numbers.Send(i + j);
    co_await Delay(std::chrono::milliseconds(1));
  }
}

void Idle(int) {
  ReceivePort<int> port("never");
  std::move(port).Listen([](int) {});
}

}  // namespace

int main() {
  ReceivePort<SendPort<int>> connect;
  const auto sink =
      Isolate::Spawn(Sink, connect.send_port(), SpawnOptions().DebugName("sink")).Get();
  const auto source =
      Isolate::Spawn(Source, connect.Receive(kForever).value(), SpawnOptions().DebugName("source"))
          .Get();
  const auto idle = Isolate::Spawn(Idle, 0, SpawnOptions().DebugName("idle")).Get();
  std::cout << getpid() << std::endl;
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
}
