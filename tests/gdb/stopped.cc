// A program that stops, so that gdb can look at it.

#include <csignal>
#include <thread>

#include "isolates/isolates.h"

int main() {
  using namespace isolates;  // NOLINT(google-build-using-namespace): a program of a few lines
  ReceivePort<int> stop("stop");
  const auto listener = Isolate::Spawn(
                            [](int) {
                              ReceivePort<int> port("orders");
                              std::move(port).Listen([](int) {});
                            },
                            0, SpawnOptions().DebugName("listener"))
                            .Get();
  const auto waiter = Isolate::Spawn(
                          [](SendPort<int> ready) {
                            ready.Send(1);
                            (void)ReceivePort<int>("questions").Receive(kForever);
                          },
                          stop.send_port(), SpawnOptions().DebugName("waiter"))
                          .Get();
  (void)stop.Receive(kForever);
  const auto at = [](const char* name, LiveIsolate::State state) {
    for (const LiveIsolate& isolate : LiveIsolates()) {
      if (isolate.name == name && isolate.state == state) return true;
    }
    return false;
  };
  while (!at("waiter", LiveIsolate::State::kBlocked) ||
         !at("listener", LiveIsolate::State::kIdle)) {
    std::this_thread::yield();
  }
  const auto runner =
      Isolate::Spawn([](int) { std::raise(SIGTRAP); }, 0, SpawnOptions().DebugName("runner")).Get();
  (void)runner.Ended().Get();
}
