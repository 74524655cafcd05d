// A worker without a place runs only what is bound to it. While it does, it is no spare: who has
// work for a place must not count on it.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "isolates/isolate.h"
#include "isolates/runtime.h"

namespace isolates {
namespace {

constexpr Duration kLong = std::chrono::seconds(20);

// This thread never waits in the library: only the one worker's place is there.
template <class Ready>
bool Reach(Ready ready) {
  const auto deadline = std::chrono::steady_clock::now() + kLong;
  while (!ready()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

template <class T>
T Take(ReceivePort<T>& port) {
  std::optional<T> value;
  if (!Reach([&] { return (value = port.TryReceive()).has_value(); })) ADD_FAILURE() << "nothing";
  return std::move(*value);
}

class OneWorker : public testing::Environment {
  void SetUp() override {
    RuntimeOptions options;
    options.workers = 1;
    ConfigureRuntime(options);
  }
};
const auto* const environment = testing::AddGlobalTestEnvironment(new OneWorker);

bool Blocks(const char* name) {
  return Reach([name] {
    for (const LiveIsolate& isolate : LiveIsolates()) {
      if (isolate.name == name) return isolate.state == LiveIsolate::State::kBlocked;
    }
    return false;
  });
}

// Waits for a first message by turns, for the second one in a turn.
Task<std::string> BuildInTwoSteps(SendPort<SendPort<int>> to) {
  {
    ReceivePort<int> first;
    to.Send(first.send_port());
    co_await first.Receive();
  }
  ReceivePort<int> second;
  to.Send(second.send_port());
  (void)second.Receive(kForever);
  co_return std::string(100, 'x');
}

void WaitInATurn(SendPort<SendPort<int>> to) {
  ReceivePort<int> port;
  to.Send(port.send_port());
  (void)port.Receive(kForever);
}

// Sends a 1 to each port that it is sent.
void Forward(SendPort<SendPort<SendPort<int>>> to) {
  ReceivePort<SendPort<int>> port;
  to.Send(port.send_port());
  std::move(port).Listen([](const SendPort<int>& other) { other.Send(1); });
}

// A builder belongs to the worker that began it, which then loses its place in a wait.
void ItsWorkerBecomesASpare() {
  auto loses = Isolate::Run([] { return Isolate::Run([] { return 1; }).Get(); });
  EXPECT_TRUE(Reach([&] { return loses.ready(); }));
  for (int i = 0; i < 100; ++i) {
    auto run = Isolate::Run([] {});
    EXPECT_TRUE(Reach([&] { return run.ready(); }));
  }
}

TEST(SpareTest, AWorkerThatWaitsInATurnGetsNoPlace) {
  ReceivePort<SendPort<int>> ports;
  ReceivePort<SendPort<SendPort<int>>> forwarders;
  const Isolate isolate = Isolate::Spawn(Forward, forwarders.send_port()).Get();
  const auto forwarder = Take(forwarders);
  auto parcel =
      Isolate::RunParcel(RunOptions().DebugName("builder"), BuildInTwoSteps, ports.send_port());
  const SendPort<int> first = Take(ports);
  ItsWorkerBecomesASpare();
  // The second worker waits in a turn, and its place is free.
  auto waits = Isolate::Run(RunOptions().DebugName("waits"), WaitInATurn, ports.send_port());
  const SendPort<int> end = Take(ports);
  ASSERT_TRUE(Blocks("waits"));
  // So does the first one, in a turn of the builder.
  first.Send(1);
  const SendPort<int> second = Take(ports);
  ASSERT_TRUE(Blocks("builder"));
  // Somebody must run what ends these waits.
  forwarder.Send(second);
  EXPECT_TRUE(Reach([&] { return parcel.ready(); }));
  forwarder.Send(end);
  EXPECT_TRUE(Reach([&] { return waits.ready(); }));
  isolate.Kill(ControlPriority::kImmediate);
}

std::atomic<bool> release_all{false};

int SpinUntilReleased(SendPort<int> out) {
  out.Send(1);
  while (!release_all.load()) {
  }
  return 1;
}

// The main thread's stand-in goes on with its turn when the main thread comes back. When that waits
// again, its place is free, and another worker takes it.
TEST(SpareTest, TheMainThreadsPlaceHasAWorkerWhileItsFirstOneIsInALongTurn) {
  ReceivePort<int> started;
  auto first = Isolate::Run(SpinUntilReleased, started.send_port());
  EXPECT_EQ(started.Receive(kLong), 1);
  auto second = Isolate::Run(SpinUntilReleased, started.send_port());
  EXPECT_EQ(started.Receive(kLong), 1);
  auto third = Isolate::Run([] { release_all = true; });
  EXPECT_TRUE(third.WaitFor(kLong));
  release_all = true;
  EXPECT_EQ(first.Get() + second.Get(), 2);
}

// A builder that belongs to a worker which has become a dedicated isolate's does not run there: it
// could wait, and the dedicated isolate would move.
TEST(SpareTest, ADedicatedIsolateHasItsWorkerForItself) {
  ReceivePort<SendPort<int>> ports;
  ReceivePort<SendPort<SendPort<int>>> forwarders;
  ReceivePort<int> ended;
  auto parcel =
      Isolate::RunParcel(RunOptions().DebugName("builder"), BuildInTwoSteps, ports.send_port());
  const SendPort<int> first = Take(ports);
  ItsWorkerBecomesASpare();
  const int cpu = runtime_info().cpus.back();
  const SpawnOptions dedicated = SpawnOptions().Dedicated(cpu).OnExit(ended.send_port(), 1);
  Isolate isolate = Isolate::Spawn(Forward, forwarders.send_port(), dedicated).Get();
  const auto forwarder = Take(forwarders);
  first.Send(1);
  const SendPort<int> second = Take(ports);
  ASSERT_TRUE(Blocks("builder"));
  forwarder.Send(second);
  ASSERT_TRUE(Reach([&] { return parcel.ready(); }));
  isolate.Kill(ControlPriority::kImmediate);
  EXPECT_EQ(Take(ended), 1);
  // Its processor is free again.
  isolate = Isolate::Spawn(Forward, forwarders.send_port(), dedicated).Get();
  (void)Take(forwarders);
  isolate.Kill(ControlPriority::kImmediate);
  EXPECT_EQ(Take(ended), 1);
}

}  // namespace
}  // namespace isolates
