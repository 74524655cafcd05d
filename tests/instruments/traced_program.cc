// A program with a bit of everything, whose trace is written to the file that is named. For
// validate_trace.py.

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

Task<void> Square(std::pair<SendPort<int>, SendPort<SendPort<int>>> ports) {
  ReceivePort<int> port(PortOptions().DebugName("numbers"));
  ports.second.Send(port.send_port());
  while (const auto number = co_await port.Receive()) {
    if (*number < 0) co_return;
    ports.first.Send(*number * *number);
  }
}

Task<void> Run() {
  constexpr int kWorkers = 3;
  constexpr int kMessages = 300;
  ReceivePort<int> squares(PortOptions().DebugName("squares"));
  ReceivePort<SendPort<int>> introduction;
  std::vector<SendPort<int>> workers;
  for (int i = 0; i < kWorkers; ++i) {
    co_await Isolate::Spawn(Square, std::pair(squares.send_port(), introduction.send_port()),
                            SpawnOptions().DebugName("worker \\ \"" + std::to_string(i) + "\""));
    workers.push_back(*co_await introduction.Receive());
  }
  for (int i = 0; i < kMessages; ++i) {
    for (const auto& worker : workers) worker.Send(int{i});
    for (int j = 0; j < kWorkers; ++j) {
      if (*co_await squares.Receive() != i * i) std::abort();
    }
  }
  for (const auto& worker : workers) worker.Send(-1);
  auto parcel =
      Isolate::RunParcel([] { return std::vector<std::string>(100, "a text in a heap"); });
  if ((co_await parcel)->size() != 100) std::abort();
  co_await Delay(std::chrono::milliseconds(1));
}

}  // namespace
}  // namespace isolates

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  isolates::Trace::Start();
  isolates::RunMain(isolates::Run);
  isolates::Simulate(1, isolates::Run);
  isolates::Shutdown(isolates::ShutdownMode::kDrain, std::chrono::seconds(60));
  isolates::Trace::Stop();
  return isolates::Trace::Write(std::string(argv[1])) ? 0 : 1;
}
