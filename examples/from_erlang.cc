// What a program for Erlang looks like here: a server process with a loop, call and cast, a
// monitor, and a supervisor that starts it again.

#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "isolates/isolates.h"

namespace {

using isolates::ChildSpec;
using isolates::ExitInfo;
using isolates::Isolate;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::Supervisor;
using isolates::Task;

// {increment, N}, {get, From}, crash
struct Increment {
  int by;
};
struct Crash {};
struct Get {
  SendPort<int> from;
};
using Message = std::variant<Increment, Get, Crash>;

// loop(Count) -> receive ... end.
Task<> Counter(SendPort<SendPort<Message>> started) {
  ReceivePort<Message> mailbox("counter");
  started.Send(mailbox.send_port());
  int count = 0;
  while (const auto message = co_await mailbox.Receive()) {
    if (const auto* increment = std::get_if<Increment>(&*message)) {
      count += increment->by;
    } else if (const auto* get = std::get_if<Get>(&*message)) {
      get->from.Send(count);
    } else {
      throw std::runtime_error("badmatch");
    }
  }
}

// Pid ! {get, self()}, receive Count -> Count end
Task<int> GetCount(SendPort<Message> pid) {
  ReceivePort<int> answer;
  pid.Send(Get{answer.send_port()});
  co_return *co_await answer.Receive();
}

Task<> Main() {
  // Pid = spawn(fun counter/0), monitor(process, Pid)
  ReceivePort<SendPort<Message>> started;
  ReceivePort<ExitInfo> down;
  co_await Isolate::Spawn(Counter, started.send_port(),
                          isolates::SpawnOptions().DebugName("counter").Monitor(down.send_port()));
  SendPort<Message> pid = *co_await started.Receive();

  pid.Send(Increment{2});
  pid.Send(Increment{3});
  std::cout << "count: " << co_await GetCount(pid) << '\n';

  // receive {'DOWN', _, process, Pid, Reason} -> ... end
  pid.Send(Crash{});
  const ExitInfo reason = *co_await down.Receive();
  std::cout << reason.isolate_name << " is down: " << reason.error->message() << '\n';

  // {one_for_one, 3, 5}, [{counter, {...}, permanent, 5000, worker, [...]}]
  Supervisor supervisor({ChildSpec("counter", &Counter, started.send_port())});
  pid = *co_await started.Receive();
  pid.Send(Increment{7});
  pid.Send(Crash{});
  pid = *co_await started.Receive();  // the next life
  std::cout << "count: " << co_await GetCount(pid) << '\n';
  std::cout << "starts: " << supervisor.children()[0].starts << '\n';
  supervisor.Stop();
  co_await supervisor.ended();
}

}  // namespace

int main() { return isolates::RunMain(Main); }
