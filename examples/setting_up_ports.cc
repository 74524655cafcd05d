// Two-way communication with a new isolate, step by step. (Dart: the two figures of "Setting up
// ports")

#include <iostream>
#include <string>
#include <utility>
#include <variant>

#include "isolates/isolates.h"

namespace {

using isolates::Isolate;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::Task;

// What the worker is sent, and what it sends: first its port, then results.
using ToWorker = std::string;
using FromWorker = std::variant<SendPort<ToWorker>, std::size_t>;

void WorkerMain(SendPort<FromWorker> to_main) {
  // Setting up 4. Create another new ReceivePort in the worker isolate.
  ReceivePort<ToWorker> worker_port;

  // Setting up 5. Pass the worker isolate's send_port() as the first message back to the main
  // isolate.
  to_main.Send(worker_port.send_port());

  std::move(worker_port).Listen([to_main](ReceivePort<ToWorker>& port, ToWorker message) {
    // Passing messages 2. The listener of the worker handles the message: here is the work.
    const std::size_t length = message.size();

    // Passing messages 3. Send a return message to the main isolate.
    to_main.Send(length);
    port.Close();
  });
}

void HandleMessage(ReceivePort<FromWorker>& port, FromWorker message) {
  if (const auto* to_worker = std::get_if<SendPort<ToWorker>>(&message)) {
    std::cout << "the worker's port has come\n";

    // Passing messages 1. Send a message via the main isolate's reference to the worker's port.
    to_worker->Send("how long is this?");
  } else {
    // Passing messages 4. The listener of the main isolate receives the result.
    std::cout << "answer: " << std::get<std::size_t>(message) << '\n';
    port.Close();
  }
}

Task<> Main() {
  // Setting up 1. Create a ReceivePort in the main isolate.
  ReceivePort<FromWorker> main_port;
  const SendPort<FromWorker> to_main = main_port.send_port();
  std::move(main_port).Listen(HandleMessage);

  // Setting up 2. Spawn the worker isolate,
  // Setting up 3. with the main isolate's send_port() as its first message.
  co_await Isolate::Spawn(WorkerMain, to_main);
}

}  // namespace

int main() { return isolates::RunMain(Main); }
