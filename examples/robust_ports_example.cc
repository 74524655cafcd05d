// A long-lived worker with errors, order of answers and an end. (Dart:
// robust_ports_example/complete.dart)

#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "examples/support/dart.h"
#include "isolates/isolates.h"

namespace {

using examples::ToText;
using isolates::Completer;
using isolates::Isolate;
using isolates::RawReceivePort;
using isolates::ReceivePort;
using isolates::RemoteError;
using isolates::SendPort;
using isolates::StateError;
using isolates::Task;
using isolates::WhenAll;
using nlohmann::json;

// Step 1: Define the worker class.
class Worker {
 public:
  static Task<std::unique_ptr<Worker>> Spawn();
  Task<json> ParseJson(std::string message);
  void Close();

 private:
  struct Request {
    int id;
    std::string json_text;
  };
  struct Shutdown {};
  using Command = std::variant<Request, Shutdown>;
  struct Result {
    int id;
    std::variant<json, RemoteError> value;
  };
  using Response = std::variant<SendPort<Command>, Result>;

  Worker(ReceivePort<Response> responses, SendPort<Command> commands);

  void HandleResponsesFromIsolate(Response message);
  static void StartRemoteIsolate(SendPort<Response> send_port);
  static void HandleCommandsToIsolate(ReceivePort<Command> receive_port,
                                      SendPort<Response> send_port);

  SendPort<Command> commands_;
  ReceivePort<Response> responses_;
  std::map<int, Completer<json>> active_requests_;
  int id_counter_ = 0;
  bool closed_ = false;
};

// Step 2: Create a RawReceivePort in Spawn.
Task<std::unique_ptr<Worker>> Worker::Spawn() {
  // Create a receive port and add its initial message handler.
  RawReceivePort<Response> init_port;
  Completer<std::pair<ReceivePort<Response>, SendPort<Command>>> connection;
  init_port.set_handler([&init_port, &connection](Response initial_message) {
    auto command_port = std::get<SendPort<Command>>(std::move(initial_message));
    connection.Complete(
        std::pair(ReceivePort<Response>(std::move(init_port)), std::move(command_port)));
  });

  // Step 3: Spawn the isolate. If that fails, the exception passes and init_port closes.
  co_await Isolate::Spawn(StartRemoteIsolate, init_port.send_port());

  auto [receive_port, send_port] = co_await connection.future();
  co_return std::unique_ptr<Worker>(new Worker(std::move(receive_port), std::move(send_port)));
}

// Step 4: Complete the isolate set-up.
Worker::Worker(ReceivePort<Response> responses, SendPort<Command> commands)
    : commands_(std::move(commands)), responses_(std::move(responses)) {
  responses_.Listen([this](Response message) { HandleResponsesFromIsolate(std::move(message)); });
}

void Worker::StartRemoteIsolate(SendPort<Response> send_port) {
  ReceivePort<Command> receive_port;
  send_port.Send(receive_port.send_port());
  HandleCommandsToIsolate(std::move(receive_port), std::move(send_port));
}

void Worker::HandleCommandsToIsolate(ReceivePort<Command> receive_port,
                                     SendPort<Response> send_port) {
  std::move(receive_port).Listen([send_port](ReceivePort<Command>& port, Command message) {
    if (std::holds_alternative<Shutdown>(message)) {
      port.Close();
      return;
    }
    const auto& [id, json_text] = std::get<Request>(message);
    try {
      send_port.Send(Result{id, json::parse(json_text)});
    } catch (const json::exception& e) {
      send_port.Send(Result{id, RemoteError("json::exception", e.what(), "worker")});
    }
  });
}

// Step 5: Handle multiple messages at the same time: each answer goes to the completer of its
// request.
Task<json> Worker::ParseJson(std::string message) {
  if (closed_) throw StateError("Closed");
  const int id = id_counter_++;
  Completer<json>& completer = active_requests_[id];
  Command command = Request{id, std::move(message)};
  commands_.Send(std::move(command));
  co_return co_await completer.future();
}

void Worker::HandleResponsesFromIsolate(Response message) {
  auto& [id, value] = std::get<Result>(message);
  Completer<json> completer = std::move(active_requests_.extract(id).mapped());

  if (auto* error = std::get_if<RemoteError>(&value)) {
    completer.CompleteError(*error);
  } else {
    completer.Complete(std::get<json>(std::move(value)));
  }

  if (closed_ && active_requests_.empty()) responses_.Close();
}

// Step 6: Close the ports.
void Worker::Close() {
  if (!closed_) {
    closed_ = true;
    commands_.Send(Shutdown{});
    if (active_requests_.empty()) responses_.Close();
    std::cout << "--- port closed --- \n";
  }
}

Task<> Main() {
  const auto worker = co_await Worker::Spawn();
  std::cout << ToText(co_await worker->ParseJson(R"({"key":"value"})")) << '\n';
  std::cout << ToText(co_await worker->ParseJson(R"("banana")")) << '\n';
  std::cout << ToText(co_await worker->ParseJson(R"([true,false,null,1,"string"])")) << '\n';
  const auto [yes, no] =
      co_await WhenAll(worker->ParseJson(R"("yes")"), worker->ParseJson(R"("no")"));
  std::cout << ToText(json::array({yes, no})) << '\n';
  worker->Close();
}

// Not in the original: what happens to text that is not JSON, and after the end.
Task<> ShowErrors() {
  const auto worker = co_await Worker::Spawn();
  try {
    co_await worker->ParseJson(R"({"key":)");
  } catch (const RemoteError& e) {
    std::cout << e.message() << '\n';
  }
  worker->Close();
  try {
    co_await worker->ParseJson("{}");
  } catch (const StateError& e) {
    std::cout << e.what() << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool errors = argc == 2 && std::string_view(argv[1]) == "--errors";
  return isolates::RunMain(errors ? ShowErrors : Main);
}
