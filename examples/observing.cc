// A program that can be looked at: a turn that takes too long is told with its place, a signal
// writes down what everything is at, and the counters are there for a monitoring system.

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "isolates/isolates.h"

namespace {

std::atomic<bool> told{false};

// A turn that does not come to its end, until somebody has been told of it.
[[gnu::noinline]] void TakeTooLong() {
  while (!told.load()) std::this_thread::yield();
}

void ShowAStuckTurn() {
  isolates::WatchTurns(std::chrono::milliseconds(20), [](const isolates::StuckTurn& turn) {
    const bool known = std::any_of(
        turn.stack.begin(), turn.stack.end(),
        [](const std::string& frame) { return frame.find("TakeTooLong") != std::string::npos; });
    std::cout << "'" << turn.isolate_name << "' is stuck" << (known ? " in TakeTooLong" : "")
              << '\n';
    told = true;
  });
  isolates::Isolate::Run(isolates::RunOptions().DebugName("slow"), TakeTooLong).Get();
}

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void ShowADump(const std::string& path) {
  std::ofstream(path, std::ios::trunc).close();
  isolates::DumpOnSignal(SIGUSR2, path);
  raise(SIGUSR2);  // or, in a shell: kill -USR2 NUMBER
  while (Contents(path).find("messages never received") == std::string::npos) {
    std::this_thread::yield();
  }
  std::istringstream dump(Contents(path));
  std::string line;
  while (std::getline(dump, line)) {
    if (line.find("'listener'") != std::string::npos) std::cout << line << '\n';
  }
}

void ShowMetrics() {
  std::ostringstream metrics;
  isolates::WriteMetrics(metrics);
  std::istringstream lines(metrics.str());
  std::string line;
  while (std::getline(lines, line)) {
    if (line.rfind("isolates_started_total", 0) == 0) std::cout << line << '\n';
  }
}

void Listen(int) {
  isolates::ReceivePort<int> port("orders");
  std::move(port).Listen([](int) {});
}

bool IsIdle(const std::string& name) {
  const auto live = isolates::LiveIsolates();
  return std::any_of(live.begin(), live.end(), [&](const isolates::LiveIsolate& isolate) {
    return isolate.name == name && isolate.state == isolates::LiveIsolate::State::kIdle;
  });
}

}  // namespace

int main(int, char** arguments) {
  ShowAStuckTurn();
  const auto listener =
      isolates::Isolate::Spawn(Listen, 0, isolates::SpawnOptions().DebugName("listener")).Get();
  while (!IsIdle("listener")) std::this_thread::yield();
  const char* const folder = std::getenv("TEST_TMPDIR");
  ShowADump(folder != nullptr ? std::string(folder) + "/dump" : std::string(*arguments) + ".dump");
  ShowMetrics();
}
