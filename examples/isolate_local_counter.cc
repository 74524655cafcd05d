// A global would be one counter for all isolates, and a data race; a thread_local one for each
// worker. An IsolateLocal is one for each isolate.

#include <iostream>
#include <string>
#include <utility>

#include "isolates/isolates.h"

namespace {

using isolates::Isolate;
using isolates::IsolateLocal;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::Task;

// Counts calls, and says how many there were when its isolate ends.
struct CallCounter {
  int calls = 0;
  SendPort<std::string> report_to;

  CallCounter() = default;
  CallCounter(const CallCounter&) = delete;
  CallCounter& operator=(const CallCounter&) = delete;
  ~CallCounter() {
    if (calls > 0) report_to.Send("it ended after " + std::to_string(calls) + " calls");
  }
};

constinit IsolateLocal<CallCounter> counter;

void Library() { ++counter->calls; }

struct Job {
  int calls;
  SendPort<std::string> report_to;
};

void Worker(Job job) {
  counter->report_to = job.report_to;
  for (int i = 0; i < job.calls; ++i) Library();
}

Task<> Main() {
  Library();
  ReceivePort<std::string> reports;
  for (const int calls : {3, 5}) {
    const Job job{calls, reports.send_port()};
    co_await Isolate::Spawn(Worker, job);
    std::cout << *co_await reports.Receive() << '\n';
  }
  std::cout << "here: " << std::exchange(counter->calls, 0) << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Main); }
