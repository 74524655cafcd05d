// The worker of examples/robust_ports_example.cc, for a test that kills it: in addition it learns
// when its isolate ends, and then nobody waits for it any more.

#ifndef ISOLATES_TESTS_FAULTS_ROBUST_WORKER_H_
#define ISOLATES_TESTS_FAULTS_ROBUST_WORKER_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "isolates/adapters/nlohmann_json.h"
#include "isolates/isolates.h"

namespace isolates {

class RobustWorker {
 public:
  using json = nlohmann::json;

  static Task<std::unique_ptr<RobustWorker>> Spawn();
  // Fails with StateError once the worker has ended, or was closed.
  Task<json> ParseJson(std::string message);
  void Close();

  const Isolate& isolate() const { return *isolate_; }
  // The isolate of the last worker that was spawned.
  static inline std::optional<Isolate> last_isolate;

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

  static void StartRemoteIsolate(SendPort<Response> send_port);
  static void Answer(const SendPort<Response>& to, const Request& request);
  static Task<> Watch(std::shared_ptr<RobustWorker*> worker, Future<ExitInfo> ended);

  RobustWorker();

 public:
  RobustWorker(const RobustWorker&) = delete;
  RobustWorker& operator=(const RobustWorker&) = delete;
  ~RobustWorker() { *self_ = nullptr; }

 private:
  void HandleResponse(Response message);
  void HandleEnd();

  const std::shared_ptr<RobustWorker*> self_;  // for Watch, which may outlive this object
  ReceivePort<Response> responses_;
  std::optional<Isolate> isolate_;
  Completer<SendPort<Command>> connection_;
  std::optional<SendPort<Command>> commands_;
  std::map<int, Completer<json>> active_requests_;
  int id_counter_ = 0;
  bool closed_ = false;
  bool ended_ = false;
};

inline RobustWorker::RobustWorker() : self_(std::make_shared<RobustWorker*>(this)) {
  responses_.Listen([this](Response message) { HandleResponse(std::move(message)); });
}

inline Task<std::unique_ptr<RobustWorker>> RobustWorker::Spawn() {
  std::unique_ptr<RobustWorker> worker(new RobustWorker);
  auto connected = worker->connection_.future();
  worker->isolate_ = co_await Isolate::Spawn(StartRemoteIsolate, worker->responses_.send_port());
  last_isolate = worker->isolate_;
  static_cast<void>(Start(Watch(worker->self_, worker->isolate_->Ended())));
  worker->commands_ = co_await connected;
  co_return worker;
}

inline Task<> RobustWorker::Watch(std::shared_ptr<RobustWorker*> worker, Future<ExitInfo> ended) {
  co_await ended;
  if (*worker != nullptr) (*worker)->HandleEnd();
}

inline void RobustWorker::StartRemoteIsolate(SendPort<Response> send_port) {
  ReceivePort<Command> receive_port;
  send_port.Send(receive_port.send_port());
  std::move(receive_port).Listen([send_port](ReceivePort<Command>& port, Command message) {
    if (std::holds_alternative<Shutdown>(message)) {
      port.Close();
    } else {
      Answer(send_port, std::get<Request>(message));
    }
  });
}

inline void RobustWorker::Answer(const SendPort<Response>& to, const Request& request) {
  try {
    to.Send(Result{request.id, json::parse(request.json_text)});
  } catch (const json::exception& e) {
    to.Send(Result{request.id, RemoteError("json::exception", e.what(), "worker")});
  }
}

inline Task<RobustWorker::json> RobustWorker::ParseJson(std::string message) {
  if (closed_ || ended_) throw StateError("Closed");
  const int id = id_counter_++;
  auto answer = active_requests_[id].future();
  Command command = Request{id, std::move(message)};
  commands_->Send(std::move(command));  // to a port that has closed: HandleEnd comes
  co_return co_await answer;
}

inline void RobustWorker::HandleResponse(Response message) {
  if (auto* const commands = std::get_if<SendPort<Command>>(&message)) {
    connection_.Complete(std::move(*commands));
    return;
  }
  auto& [id, value] = std::get<Result>(message);
  const auto found = active_requests_.find(id);
  if (found == active_requests_.end()) return;
  Completer<json> completer = std::move(found->second);
  active_requests_.erase(found);
  if (auto* const error = std::get_if<RemoteError>(&value)) {
    completer.CompleteError(*error);
  } else {
    completer.Complete(std::get<json>(std::move(value)));
  }
  if (closed_ && active_requests_.empty()) responses_.Close();
}

inline void RobustWorker::HandleEnd() {
  ended_ = true;
  // What the worker has sent before its end is there: the answers first.
  while (std::optional<Response> message = responses_.TryReceive()) {
    HandleResponse(std::move(*message));
  }
  responses_.Close();
  if (!connection_.is_completed()) connection_.CompleteError(StateError("Closed"));
  for (auto& [id, completer] : std::exchange(active_requests_, {})) {
    completer.CompleteError(StateError("Closed"));
  }
}

inline void RobustWorker::Close() {
  if (closed_) return;
  closed_ = true;
  commands_->Send(Shutdown{});
  if (active_requests_.empty()) responses_.Close();
}

}  // namespace isolates

#endif  // ISOLATES_TESTS_FAULTS_ROBUST_WORKER_H_
