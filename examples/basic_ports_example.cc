// A long-lived worker that parses JSON. (Dart: basic_ports_example/complete.dart)
//
// The bare minimum, as in the original: no errors, no order of answers, the worker is never told to
// end. The one difference: the first answer closes the port of the main isolate, so that the
// program ends.

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "examples/support/dart.h"
#include "isolates/isolates.h"

namespace {

using examples::ToText;
using isolates::Completer;
using isolates::Isolate;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::Task;
using nlohmann::json;

// Step 1: Define the worker class. Its listener keeps it alive.
class Worker : public std::enable_shared_from_this<Worker> {
 public:
  Task<> Spawn();
  Task<> ParseJson(std::string message);

 private:
  // What the worker sends: its port, then decoded JSON.
  using Response = std::variant<SendPort<std::string>, json>;

  void HandleResponsesFromIsolate(ReceivePort<Response>& port, Response message);
  static void StartRemoteIsolate(SendPort<Response> port);

  SendPort<std::string> send_port_;
  Completer<> isolate_ready_;
};

// Step 2: Spawn a worker isolate.
Task<> Worker::Spawn() {
  ReceivePort<Response> receive_port;
  const SendPort<Response> to_main = receive_port.send_port();
  std::move(receive_port)
      .Listen([self = shared_from_this()](ReceivePort<Response>& port, Response message) {
        self->HandleResponsesFromIsolate(port, std::move(message));
      });
  co_await Isolate::Spawn(StartRemoteIsolate, to_main);
}

// Step 3: Execute code on the worker isolate.
void Worker::StartRemoteIsolate(SendPort<Response> port) {
  ReceivePort<std::string> receive_port;
  port.Send(receive_port.send_port());

  std::move(receive_port).Listen([port](std::string message) {
    json transformed = json::parse(message);
    port.Send(std::move(transformed));
  });
}

// Step 4: Handle messages on the main isolate.
void Worker::HandleResponsesFromIsolate(ReceivePort<Response>& port, Response message) {
  if (auto* send_port = std::get_if<SendPort<std::string>>(&message)) {
    send_port_ = std::move(*send_port);
    isolate_ready_.Complete();
  } else {
    std::cout << ToText(std::get<json>(message)) << '\n';
    port.Close();
  }
}

// Step 5: Add a completer to ensure your isolate is set up.
Task<> Worker::ParseJson(std::string message) {
  co_await isolate_ready_.future();
  send_port_.Send(std::move(message));
}

Task<> Main() {
  const auto worker = std::make_shared<Worker>();
  co_await worker->Spawn();
  co_await worker->ParseJson(R"({"key":"value"})");
}

}  // namespace

int main() { return isolates::RunMain(Main); }
